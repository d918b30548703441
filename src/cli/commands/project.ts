/** `loglytics project settings ID`: prints a project's settings, or changes them by way of the HTTP API. */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { CliFailure, line, server } from "../context.ts"
import * as flags from "../flags.ts"

const ask = (url: string, key: string, change: string | undefined) =>
  Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(url, {
        method: change === undefined ? "GET" : "PATCH",
        signal,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        ...(change === undefined ? {} : { body: change })
      })
      return { ok: response.ok, status: response.status, text: await response.text() }
    },
    catch: (error) =>
      new CliFailure({ message: `${url} can't be reached: ${error instanceof Error ? error.message : String(error)}` })
  })

/** What the server said, for a person: the API's own message where there is one. */
const told = (status: number, text: string): string => {
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown }
    return typeof message === "string" ? message : text
  } catch {
    return `status ${status}: ${text.slice(0, 500)}`
  }
}

const settings = Command.make(
  "settings",
  {
    id: Argument.String("project").pipe(Argument.withDescription("id of the project")),
    set: Flag.String("set").pipe(
      Flag.optional,
      Flag.withDescription(`a change as JSON, for example '{"retentionDays":90}'; admin keys only`)
    ),
    url: flags.url,
    key: flags.key
  },
  Effect.fnUntraced(function* ({ id, key, set, url }) {
    const to = yield* server({ url, key })
    const path = `${to.url}/v1/projects/${encodeURIComponent(id)}/settings`
    const { ok, status, text } = yield* ask(path, to.key, Option.getOrUndefined(set))
    if (!ok) return yield* new CliFailure({ message: told(status, text) })
    line(JSON.stringify(JSON.parse(text), null, 2))
  })
).pipe(Command.withDescription("Print a project's settings: retention, redaction, formats; --set changes them"))

export const project = Command.make("project").pipe(
  Command.withDescription("Projects"),
  Command.withSubcommands([settings])
)
