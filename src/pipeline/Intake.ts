/**
 * The pipeline's public entry for lines that come by other ways than HTTP (polling, tails, our own logs). Promises that
 * lines submitted under the same key are stored and counted once, and that a full stream is said, not waited out.
 */
import { Clock, Context, Effect, Layer } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import * as SentEvent from "../domain/SentEvent.ts"
import { LogStream, type LogStreamFull } from "../streams/LogStream.ts"
import type { RedisError } from "../streams/Redis.ts"
import { take } from "../streams/Taking.ts"

export { LogStreamFull } from "../streams/LogStream.ts"
export { RedisError } from "../streams/Redis.ts"

/** What is known of lines beside their text. */
export interface SubmitOptions {
  /** Names this very set of lines, to be recognised when repeated. */
  readonly key?: string
  /** The format that all of them have. */
  readonly format?: string
}

export class Intake extends Context.Service<
  Intake,
  {
    /** Puts lines on the log stream; returns how many. */
    readonly submit: (
      project: ProjectId,
      lines: Iterable<string>,
      options?: SubmitOptions
    ) => Effect.Effect<number, LogStreamFull | RedisError>
    /** Puts events on it that a door has read already. */
    readonly submitEvents: (
      project: ProjectId,
      events: ReadonlyArray<SentEvent.SentEvent>,
      key?: string
    ) => Effect.Effect<number, LogStreamFull | RedisError>
  }
>()("loglytics/pipeline/Intake") {
  static readonly layer = Layer.effect(
    Intake,
    Effect.gen(function* () {
      const logs = yield* LogStream
      const submit: Intake["Service"]["submit"] = Effect.fnUntraced(function* (project, lines, options) {
        const receivedAt = yield* Clock.currentTimeMillis
        return yield* take(logs, { ...options, project, receivedAt }, lines).pipe(
          Effect.mapError((error) => error.cause)
        )
      })
      return Intake.of({
        submit,
        submitEvents: (project, events, key) =>
          submit(project, events.map(SentEvent.encode), {
            format: SentEvent.format,
            ...(key === undefined ? {} : { key })
          })
      })
    })
  )
}
