/**
 * Fires while at least `threshold` matching lines arrived within `window`. Time is that of arrival. The window slides in
 * buckets of about a 120th of its length: a line counts until the end of its bucket has left the window, so no line is
 * missed and none counts longer than the window and one bucket.
 */
import { type RuleType, durationIssue, millisOf, queryIssue, selector } from "../Rule.ts"

/** Buckets that a window is kept in, at most. */
export const bucketsMax = 120

/** Starts of buckets (epoch ms, ascending) and the lines counted in each. */
export interface ThresholdState {
  readonly starts: ReadonlyArray<number>
  readonly counts: ReadonlyArray<number>
}

/** Length of a bucket, ms: so long that a window touches at most `bucketsMax` of them. */
export const bucketMs = (windowMs: number): number => Math.max(1, Math.ceil(windowMs / (bucketsMax - 1)))

const plural = (count: number): string => `${count} ${count === 1 ? "line" : "lines"}`

export const threshold: RuleType<ThresholdState> = {
  type: "threshold",
  validate: (spec) => [
    ...queryIssue("query", spec.query),
    ...durationIssue("window", spec.window, "1 second", "1 day"),
    ...durationIssue("for", spec.for, "0 seconds", "1 day"),
    ...(Number.isInteger(spec.threshold) && spec.threshold >= 1
      ? []
      : [{ path: ["threshold"], message: `expected a whole number of 1 or more, got ${spec.threshold}` }])
  ],
  watch: (spec) => {
    const windowMs = millisOf(spec.window)!
    const width = bucketMs(windowMs)
    /** The moment from which on a bucket is out of the window. */
    const leaves = (start: number): number => start + width + windowMs
    return {
      threshold: spec.threshold,
      forMs: millisOf(spec.for)!,
      selects: selector(spec.query),
      start: () => ({ starts: [], counts: [] }),
      observe: (state, matched, at) => {
        if (matched.length === 0) return state
        const starts = state.starts.filter((start) => leaves(start) > at)
        const counts = state.counts.slice(state.counts.length - starts.length)
        const start = Math.floor(at / width) * width
        // A batch that another door stamped a little earlier finds its bucket from the end.
        let index = starts.length
        while (index > 0 && starts[index - 1]! > start) index--
        if (starts[index - 1] === start) counts[index - 1]! += matched.length
        else {
          starts.splice(index, 0, start)
          counts.splice(index, 0, matched.length)
        }
        return { starts, counts }
      },
      evaluate: (state, at) => {
        let value = 0
        for (const [index, start] of state.starts.entries()) if (leaves(start) > at) value += state.counts[index]!
        if (value < spec.threshold) return { met: false, value }
        let left = value
        for (const [index, start] of state.starts.entries()) {
          if (leaves(start) <= at) continue
          left -= state.counts[index]!
          if (left < spec.threshold) return { met: true, value, nextAt: leaves(start) }
        }
        return { met: true, value }
      },
      describe: (value) => `${plural(value)} in ${spec.window}, threshold ${spec.threshold}`
    }
  }
}
