/**
 * Fires while at least `threshold` matching lines fall within `window` of event time. The window slides in buckets of about a
 * 120th of its length: a line counts until the end of its bucket has left the window, so no line is missed and none counts
 * longer than the window and one bucket.
 */
import * as Buckets from "../Buckets.ts"
import { type RuleType, commonIssues, groupsMax, millisOf, numberIssue, plural } from "../Rule.ts"

/** How long after its window a bucket is remembered for lines that come late, ms. */
const pastMs = 3_600_000

export const threshold: RuleType<Buckets.Buckets, "threshold"> = {
  type: "threshold",
  validate: (spec) => [...commonIssues(spec), ...numberIssue("threshold", spec.threshold, 1, 1_000_000_000)],
  watch: (spec) => {
    const windowMs = millisOf(spec.window)!
    const width = Buckets.bucketMs(windowMs)
    /** The moment from which on a bucket is out of the window. */
    const leaves = (start: number): number => start + width + windowMs
    return {
      query: spec.query,
      threshold: spec.threshold,
      windowMs,
      waitMs: 0,
      groupsMax,
      start: Buckets.empty,
      observe: (state, lines, at) => {
        for (const { time } of lines) Buckets.add(state, width, time)
        Buckets.forget(state, at - windowMs - width - pastMs)
        return state
      },
      evaluate: ({ counts, starts }, at) => {
        let first = starts.length
        let value = 0
        for (let i = starts.length - 1; i >= 0 && leaves(starts[i]!) > at; i--) {
          if (starts[i]! > at) continue
          value += counts[i]!
          first = i
        }
        if (value < spec.threshold) return { met: false, value }
        let left = value
        for (let i = first; i < starts.length && starts[i]! <= at; i++) {
          left -= counts[i]!
          if (left < spec.threshold) return { met: true, value, nextAt: leaves(starts[i]!) }
        }
        return { met: true, value }
      },
      moments: (state, from, to) => Buckets.momentsOf(state, from - width, Math.min(to, from + windowMs)),
      idle: ({ starts }, at) => starts.length === 0 || leaves(starts[starts.length - 1]!) <= at,
      describe: (value) => `${plural(value, "line")} in ${spec.window}, threshold ${spec.threshold}`,
      pack: (state) => Buckets.pack(state, width),
      unpack: (kept) => Buckets.unpack(kept, width)
    }
  }
}
