/**
 * The pipeline's public entry for lines that come by other ways than HTTP (polling, tails, our own logs). Promises that
 * lines submitted under the same key are stored and counted once, and that a full stream is said, not waited out.
 */
import { Clock, Context, Effect, Layer } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import * as BatchCutter from "../streams/BatchCutter.ts"
import { LogStream, type LogStreamFull } from "../streams/LogStream.ts"
import type { RedisError } from "../streams/Redis.ts"

export { LogStreamFull } from "../streams/LogStream.ts"
export { RedisError } from "../streams/Redis.ts"
export { decodeLines } from "./stages/decode.ts"

export class Intake extends Context.Service<
  Intake,
  {
    /** Puts lines on the log stream; returns how many. `key` names this very set of lines, to be recognised when repeated. */
    readonly submit: (
      project: ProjectId,
      lines: Iterable<string>,
      key?: string
    ) => Effect.Effect<number, LogStreamFull | RedisError>
  }
>()("loglytics/pipeline/Intake") {
  static readonly layer = Layer.effect(
    Intake,
    Effect.gen(function* () {
      const logs = yield* LogStream
      return Intake.of({
        submit: Effect.fnUntraced(function* (project, lines, key) {
          const cutter = BatchCutter.make(project, yield* Clock.currentTimeMillis, key)
          let count = 0
          for (const line of lines) {
            count++
            const batch = cutter.push(line)
            if (batch !== undefined) yield* logs.append(batch, { remember: key !== undefined })
          }
          const rest = cutter.end()
          if (rest !== undefined) yield* logs.append(rest, { remember: key !== undefined })
          return count
        })
      })
    })
  )
}
