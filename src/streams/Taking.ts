/**
 * Takes lines into the log stream: cuts them into batches and appends these one after the other, holding one batch at a
 * time. Promises that `end` returns only when every line is in Redis, that a full stream is waited out for a while once a
 * part was taken, and that a failure says how many lines were. What the lines are, and who may send them, is the doors' part.
 */
import { Data, Duration, Effect, Schedule } from "effect"
import * as BatchCutter from "./BatchCutter.ts"
import type { LogBatch, LogStream, LogStreamFull } from "./LogStream.ts"
import type { RedisError } from "./Redis.ts"

export interface TakeOptions {
  readonly project: string
  /** Arrival, epoch ms. */
  readonly receivedAt: number
  /** The format that all the lines have: the name of a member of parse/all. Without it each line is asked what it is. */
  readonly format?: string | undefined
  /** Names this very set of lines: under the same key the same lines are taken once, however often they are sent. */
  readonly key?: string | undefined
  /** How long a full stream is waited out once a part was taken; none by default. */
  readonly patience?: Duration.Input | undefined
}

/** Not all lines were taken. Those before were, in their order; with a key all may be sent again. */
export class NotTaken extends Data.TaggedError("NotTaken")<{
  /** Lines that are in the stream. */
  readonly accepted: number
  readonly cause: LogStreamFull | RedisError
}> {
  override get message(): string {
    return `${this.cause.message} (${this.accepted} lines were accepted)`
  }
}

export interface Taker {
  readonly push: (lines: Iterable<string>) => Effect.Effect<void, NotTaken>
  /** Appends the rest; how many lines were taken in all. */
  readonly end: Effect.Effect<number, NotTaken>
  /** Lines that are in the stream by now. */
  readonly accepted: () => number
}

/** Begins to take lines; for those that come in parts. */
export const taker = (logs: LogStream["Service"], options: TakeOptions): Taker => {
  const { key, project, receivedAt } = options
  const cutter = BatchCutter.make(project, receivedAt, { key, format: options.format })
  const patience = Schedule.spaced("100 millis").pipe(Schedule.upTo({ duration: options.patience ?? Duration.zero }))
  let accepted = 0
  const append = (batch: LogBatch) =>
    logs.append(batch, { remember: key !== undefined }).pipe(
      Effect.retry({
        schedule: patience,
        while: (error) => error._tag === "LogStreamFull" && accepted > 0 && options.patience !== undefined
      }),
      Effect.mapError((cause) => new NotTaken({ accepted, cause })),
      Effect.andThen(Effect.sync(() => void (accepted += batch.lines.length)))
    )
  return {
    push: Effect.fnUntraced(function* (lines) {
      for (const line of lines) {
        const batch = cutter.push(line)
        if (batch !== undefined) yield* append(batch)
      }
    }),
    end: Effect.suspend(() => {
      const rest = cutter.end()
      return rest === undefined ? Effect.succeed(accepted) : Effect.map(append(rest), () => accepted)
    }),
    accepted: () => accepted
  }
}

/** Takes lines that are all there; how many there were. */
export const take = (
  logs: LogStream["Service"],
  options: TakeOptions,
  lines: Iterable<string>
): Effect.Effect<number, NotTaken> =>
  Effect.suspend(() => {
    const one = taker(logs, options)
    return Effect.andThen(one.push(lines), one.end)
  })
