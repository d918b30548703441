/** What commands share that ask running workers: their flags, and how answers are printed. */
import { Duration, Effect, Option } from "effect"
import { Flag } from "effect/cli"
import type { Replies } from "../streams/Requests.ts"
import { CliFailure, line, print } from "./context.ts"

export const asking = {
  timeout: Flag.String("timeout").pipe(
    Flag.withAlias("t"),
    Flag.withDefault("1 second"),
    Flag.withDescription("how long to wait for answers")
  ),
  destination: Flag.String("destination").pipe(
    Flag.withAlias("d"),
    Flag.optional,
    Flag.withDescription("names of workers, with commas; default all")
  )
}

/** The options that the flags mean. */
export const askOptions = (flags: { readonly timeout: string; readonly destination: Option.Option<string> }) =>
  Effect.gen(function* () {
    const given = /^\d+(\.\d+)?$/u.test(flags.timeout) ? `${flags.timeout} seconds` : flags.timeout
    const duration = Option.getOrUndefined(Duration.fromInput(given as Duration.Input))
    if (duration === undefined) {
      return yield* new CliFailure({ message: `--timeout: expected a time like "2 seconds", got ${flags.timeout}` })
    }
    const to = Option.getOrUndefined(flags.destination)?.split(",")
    return { timeoutMs: Duration.toMillis(duration), ...(to === undefined ? {} : { to }) }
  })

/** Prints answers, a line each; fails where nobody answered, or somebody refused. */
export const printReplies = (all: Replies<unknown>, json: boolean) =>
  Effect.gen(function* () {
    if (json) line(JSON.stringify(all))
    else if (all.replies.length > 0) {
      print(
        all.replies.flatMap((reply) => {
          if (!reply.ok) return [{ worker: reply.worker, answer: `refused: ${reply.error}` }]
          const rows = Array.isArray(reply.value) ? reply.value : [reply.value]
          return rows.map((row) => ({ worker: reply.worker, answer: row }))
        }),
        false
      )
    }
    const refused = all.replies.find((reply) => !reply.ok)
    if (all.silent.length > 0) {
      return yield* new CliFailure({ message: `no answer in time from ${all.silent.join(", ")}` })
    }
    if (all.replies.length === 0) return yield* new CliFailure({ message: "no worker runs" })
    if (refused?.ok === false) return yield* new CliFailure({ message: `${refused.worker}: ${refused.error}` })
  })
