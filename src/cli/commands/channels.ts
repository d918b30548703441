/** `loglytics channels …`: a project's channels and a test of one, by way of the HTTP API. */
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { ask, ofProject } from "../api.ts"
import { CliFailure, line, print } from "../context.ts"
import * as flags from "../flags.ts"

interface Listed {
  readonly id: string
  readonly kind: string
  readonly name: string
  readonly enabled: boolean
  readonly failures: number
  readonly lastSentAt: string | null
  readonly lastError: string | null
}

const list = Command.make("list", { json: flags.json, ...ofProject }, (given) =>
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
  { id: Argument.String("id"), ...ofProject },
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
