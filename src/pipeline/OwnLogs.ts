/**
 * Loglytics' own structured logs, sent into a project of its own. Promises a bounded buffer that drops (and counts) rather
 * than blocks, and that shipping never logs about itself, so that it can't feed on its own lines.
 */
import { Cause, Effect, Logger, References } from "effect"
import { ownProject } from "../domain/Project.ts"
import { Intake } from "./Intake.ts"

/** Lines held while Redis does not answer. */
const heldMax = 10_000

export interface OwnLogs {
  /** Install it beside the console's logger. */
  readonly logger: Logger.Logger<unknown, void>
  /** Ships what has been logged, once a second, until interrupted; then once more. */
  readonly ship: Effect.Effect<never, never, Intake>
}

/** One log record as a line of JSON. Exported for tests. */
export const lineOf = ({ cause, date, fiber, logLevel, message }: Logger.Options<unknown>): string => {
  const parts = Array.isArray(message) ? (message as ReadonlyArray<unknown>) : [message]
  const words = parts.filter((part) => typeof part !== "object" || part === null).map(String)
  const fields = parts.filter((part) => typeof part === "object" && part !== null && !Cause.isCause(part))
  const error = cause.reasons.length > 0 ? { error: Cause.pretty(cause) } : {}
  return JSON.stringify({
    time: date.toISOString(),
    level: logLevel.toLowerCase(),
    service: "loglytics",
    message: words.join(" "),
    ...fiber.getRef(References.CurrentLogAnnotations),
    ...Object.assign({}, ...fields),
    ...error
  })
}

export const make = (): OwnLogs => {
  let held: Array<string> = []
  let dropped = 0
  const logger = Logger.make<unknown, void>((options) => {
    if (held.length >= heldMax) dropped++
    else held.push(lineOf(options))
  })
  const flush = Effect.gen(function* () {
    if (held.length === 0) return
    const intake = yield* Intake
    const lines = held
    held = []
    if (dropped > 0)
      lines.push(
        JSON.stringify({ level: "warn", service: "loglytics", message: `${dropped} own log lines were dropped` })
      )
    dropped = 0
    yield* intake.submit(ownProject, lines).pipe(
      Effect.catch(() =>
        Effect.sync(() => {
          const room = heldMax - held.length
          dropped += Math.max(0, lines.length - room)
          held = [...lines.slice(-room), ...held]
        })
      )
    )
  })
  return {
    logger,
    ship: flush.pipe(
      Effect.delay("1 second"),
      Effect.forever,
      Effect.onExit(() => Effect.ignore(flush.pipe(Effect.timeout("1 second"))))
    )
  }
}
