/**
 * What a stage of the pipeline is: it takes the work of one turn and returns it with more done. The stages are a list
 * (LogActor.stages); a new one is a file in stages/ and a line there.
 */
import type { Effect } from "effect"
import type { Verdict } from "../alerts/Judge.ts"
import type { LogEvent } from "../domain/LogEvent.ts"
import type { LogEntry } from "../streams/LogStream.ts"

export interface Decoded {
  readonly entry: LogEntry
  readonly events: ReadonlyArray<LogEvent>
  /** Store id of the first event, once stored; the others count up from it. Undefined for a batch stored before. */
  readonly firstId?: number
}

/** One turn's worth of entries, in the order of the stream. */
export interface Work {
  readonly decoded: ReadonlyArray<Decoded>
  readonly verdicts: ReadonlyArray<Verdict>
}

export interface Stage<E = never, R = never> {
  readonly name: string
  readonly run: (work: Work) => Effect.Effect<Work, E, R>
}
