/** What commands share that speak with a server, mostly about one project: their flags, and one request to its API. */
import { Effect, Option } from "effect"
import { Flag } from "effect/cli"
import { CliFailure, server } from "./context.ts"
import * as flags from "./flags.ts"

export const ofProject = {
  project: Flag.String("project").pipe(Flag.optional, Flag.withDescription("default: that of the key, else default")),
  url: flags.url,
  key: flags.key
}

interface Asked {
  readonly url: Option.Option<string>
  readonly key: Option.Option<string>
  readonly project?: Option.Option<string>
}

interface Body {
  readonly type: string
  readonly text: string
}

/** What the API says against a request. */
const saidIn = (text: string): string | undefined => {
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown }
    return typeof message === "string" ? message : undefined
  } catch {
    return undefined
  }
}

/** One request; the text of its answer, or what the server said against it. */
export const askText = Effect.fnUntraced(function* (
  method: "GET" | "PATCH" | "POST",
  path: string,
  given: Asked,
  body?: Body
) {
  const { key, url } = yield* server(given)
  const { ok, text } = yield* Effect.tryPromise({
    try: async (signal) => {
      const project = Option.getOrUndefined(given.project ?? Option.none())
      const response = await fetch(`${url}${path}`, {
        method,
        signal,
        ...(body === undefined ? {} : { body: body.text }),
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { "content-type": body.type }),
          ...(project === undefined ? {} : { "x-loglytics-project": project })
        }
      })
      return { ok: response.ok, text: await response.text() }
    },
    catch: (error) =>
      new CliFailure({ message: `${url} can't be reached: ${error instanceof Error ? error.message : String(error)}` })
  })
  if (ok) return text
  return yield* new CliFailure({ message: saidIn(text) ?? text.slice(0, 500) })
})

/** One request; its JSON. */
export const ask = Effect.fnUntraced(function* (
  method: "GET" | "PATCH" | "POST",
  path: string,
  given: Asked,
  body?: Body
) {
  const text = yield* askText(method, path, given, body)
  return yield* Effect.try({
    try: () => JSON.parse(text) as unknown,
    catch: () => new CliFailure({ message: `expected JSON, got ${text.slice(0, 200)}` })
  })
})
