/**
 * How a task says that jobs with the same key are one job. Promises that what cannot be meant is refused where the task is
 * defined; the deciding happens where jobs are added.
 */
import { Duration, type Schema } from "effect"
import type { Uniqueness } from "./Calling.ts"

type Fields = Schema.Struct.Fields

export interface Unique<P extends Fields> {
  readonly key: (payload: Schema.Struct.Type<P>) => string
  /** How long a key is taken, counted from the enqueue; of `debounce`: how long a job waits. Default: until the job has ended. */
  readonly within?: Duration.Input
  /**
   * What becomes of an enqueue whose key is taken:
   * - `refuse` (default): nothing is added, the holder's id comes back; with `within` also after the holder has ended.
   * - `replace`: a job that waits (delayed, in a lane) gets the new payload, one in the queue is cancelled for the new one;
   *   one that runs is let finish, without further retries, and the new one is added.
   * - `debounce`: it runs `within` (required; the call's `delay` goes before) after the last enqueue, with the newest payload.
   */
  readonly mode?: "refuse" | "replace" | "debounce"
  /** Of `debounce`: the longest that a job is put off, counted from its first enqueue. Default: without limit. */
  readonly maxWait?: Duration.Input
}

/** Longer is for ever: 100 years, since data has no Infinity. */
const longestMs = 3_155_760_000_000

/** The same as data. Throws where `debounce` has no `within`. */
export const uniquenessOf = <P extends Fields>(name: string, unique: Unique<P>): Uniqueness | undefined => {
  const { mode = "refuse", maxWait, within } = unique
  if (mode === "refuse" && within === undefined) return undefined
  if (mode === "debounce" && within === undefined) throw new Error(`task ${name}: expected "within" for mode debounce`)
  const millis = (input: Duration.Input | undefined) =>
    input === undefined ? undefined : Math.min(longestMs, Duration.toMillis(Duration.fromInputUnsafe(input)))
  return { mode, withinMs: millis(within), maxWaitMs: millis(maxWait) }
}
