/** `loglytics channels …`: a project's channels and a test of one, by way of the HTTP API. */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { CliFailure, line, print, server } from "../context.ts"
import * as flags from "../flags.ts"

const project = Flag.String("project").pipe(
  Flag.optional,
  Flag.withDescription("default: that of the key, else default")
)

interface Asked {
  readonly url: Option.Option<string>
  readonly key: Option.Option<string>
  readonly project: Option.Option<string>
}

/** One request to the API; its JSON, or what it said against it. */
const ask = Effect.fnUntraced(function* (method: "GET" | "POST", path: string, given: Asked) {
  const { key, url } = yield* server(given)
  const { ok, text } = yield* Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(`${url}${path}`, {
        method,
        signal,
        headers: {
          authorization: `Bearer ${key}`,
          ...(Option.isSome(given.project) ? { "x-loglytics-project": given.project.value } : {})
        }
      })
      return { ok: response.ok, text: await response.text() }
    },
    catch: (error) =>
      new CliFailure({ message: `${url} can't be reached: ${error instanceof Error ? error.message : String(error)}` })
  })
  const json = yield* Effect.try({
    try: () => JSON.parse(text) as unknown,
    catch: () => new CliFailure({ message: `expected JSON, got ${text.slice(0, 200)}` })
  })
  if (ok) return json
  const message = (json as { readonly message?: unknown } | null)?.message
  return yield* new CliFailure({ message: typeof message === "string" ? message : text.slice(0, 500) })
})

interface Listed {
  readonly id: string
  readonly kind: string
  readonly name: string
  readonly enabled: boolean
  readonly failures: number
  readonly lastSentAt: string | null
  readonly lastError: string | null
}

const list = Command.make("list", { json: flags.json, project, url: flags.url, key: flags.key }, (given) =>
  Effect.map(ask("GET", "/v1/channels", given), (found) =>
    print(
      (found as ReadonlyArray<Listed>).map(({ enabled, failures, id, kind, lastError, lastSentAt, name }) => ({
        id,
        kind,
        name,
        on: enabled,
        "last sent": lastSentAt,
        failures,
        "last error": lastError
      })),
      given.json
    )
  )
).pipe(Command.withDescription("List a project's channels, with what went wrong"))

const test = Command.make(
  "test",
  { id: Argument.String("id"), project, url: flags.url, key: flags.key },
  Effect.fnUntraced(function* ({ id, ...given }) {
    const { message, ok, tookMs } = (yield* ask("POST", `/v1/channels/${encodeURIComponent(id)}/test`, given)) as {
      readonly ok: boolean
      readonly message: string | null
      readonly tookMs: number
    }
    if (!ok) return yield* new CliFailure({ message: message ?? "it was not sent" })
    line(`sent in ${Math.round(tookMs)} ms`)
  })
).pipe(Command.withDescription("Send a test message by a channel, now"))

export const channels = Command.make("channels").pipe(
  Command.withDescription("Channels by which people hear: Slack, e-mail, Jira, webhooks, SMS, push"),
  Command.withSubcommands([list, test])
)
