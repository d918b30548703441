/**
 * Fires when the lines per `window` are unlike what the rule has learnt of them, hours of the day and of the week told apart, and
 * is over when a bucket is ordinary again. A bucket is judged when late lines have had their time; later ones are not counted. How
 * odd a count is, is told by analytics/anomaly/Rate.
 */
import { type RateState, make } from "../../analytics/anomaly/Rate.ts"
import * as Buckets from "../Buckets.ts"
import { type RuleType, commonIssues, latenessOf, millisOf, numberIssue } from "../Rule.ts"

interface State {
  readonly counts: Buckets.Buckets
  model: RateState | null
  /** Start of the bucket that is not judged yet; null before the first line. */
  open: number | null
  /** The last bucket that was judged. */
  last: { readonly odd: boolean; readonly count: number; readonly why: string } | null
}

const cuts = { low: 0.65, medium: 0.5, high: 0.4 } as const
const learnDefault = 200
/** Empty buckets that are judged one by one; of a longer pause only these. */
const catchUp = 1_000
/** Groups: a model takes some 10 KB. */
const groupsMax = 100

export const anomaly: RuleType<State, "anomaly"> = {
  type: "anomaly",
  validate: (spec) => [...commonIssues(spec), ...numberIssue("learnBuckets", spec.learnBuckets, 20, 10_000)],
  watch: (spec) => {
    const windowMs = millisOf(spec.window)!
    const { direction = "both", learnBuckets = learnDefault, sensitivity = "medium" } = spec
    const cut = cuts[sensitivity]
    const wanted = (count: number, expected: number) =>
      direction === "both" || (direction === "up" ? count > expected : count < expected)
    return {
      query: spec.query,
      threshold: cut,
      windowMs,
      waitMs: latenessOf(spec),
      groupsMax,
      start: () => ({ counts: Buckets.empty(), model: null, open: null, last: null }),
      observe: (state, lines) => {
        for (const { time } of lines) {
          state.open ??= Math.floor(time / windowMs) * windowMs
          if (time >= state.open) Buckets.add(state.counts, windowMs, time)
        }
        return state
      },
      settle: (state, at) => {
        if (state.open === null || state.open + windowMs > at) return state
        const model = make({ learn: learnBuckets }, ...(state.model === null ? [] : [state.model]))
        const behind = Math.floor((at - state.open) / windowMs)
        if (behind > catchUp) state.open += (behind - catchUp) * windowMs
        while (state.open + windowMs <= at) {
          const count = Buckets.sum(state.counts, state.open - 1, state.open)
          const { expected, raw, score, why } = model.push(state.open, count)
          // The model tells of one event once; the alert goes on while its buckets are odd.
          const oddness = state.last?.odd === true ? raw : score
          state.last = { odd: oddness >= cut && wanted(count, expected), count, why }
          state.open += windowMs
        }
        state.model = model.state
        Buckets.forget(state.counts, state.open)
        return state
      },
      evaluate: ({ last, open }) => ({
        met: last?.odd ?? false,
        value: last?.count ?? 0,
        ...(last?.odd === true && last.why !== "" ? { why: last.why } : {}),
        ...(open === null ? {} : { nextAt: open + windowMs })
      }),
      moments: () => [],
      idle: ({ counts, last }) => counts.starts.length === 0 && (last?.count ?? 0) === 0,
      describe: (value) => `${value} lines in ${spec.window}, ${sensitivity} sensitivity`
    }
  }
}
