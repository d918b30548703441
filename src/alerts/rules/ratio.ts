/**
 * Fires while at least `threshold` of the lines that match `of` within `window` also match `query`, and there are at least `minimum`
 * of them: a service without traffic has no error rate.
 */
import * as Buckets from "../Buckets.ts"
import { type RuleType, commonIssues, groupsMax, millisOf, numberIssue, queryIssue, selector } from "../Rule.ts"

interface State {
  readonly all: Buckets.Buckets
  readonly hits: Buckets.Buckets
}

const minimumDefault = 20
const pastMs = 3_600_000

export const ratio: RuleType<State, "ratio"> = {
  type: "ratio",
  validate: (spec) => [
    ...commonIssues(spec),
    ...(spec.of === undefined ? [] : queryIssue("of", spec.of)),
    ...numberIssue("threshold", spec.threshold, 0.0001, 1, false),
    ...numberIssue("minimum", spec.minimum, 1, 1_000_000_000)
  ],
  watch: (spec) => {
    const windowMs = millisOf(spec.window)!
    const width = Buckets.bucketMs(windowMs)
    const { minimum = minimumDefault, of = "*" } = spec
    const hit = selector(spec.query)
    return {
      query: of,
      threshold: spec.threshold,
      windowMs,
      waitMs: 0,
      groupsMax,
      shows: hit,
      start: () => ({ all: Buckets.empty(), hits: Buckets.empty() }),
      observe: (state, lines, at) => {
        for (const { event, time } of lines) {
          Buckets.add(state.all, width, time)
          if (hit(event)) Buckets.add(state.hits, width, time)
        }
        Buckets.forget(state.all, at - windowMs - width - pastMs)
        Buckets.forget(state.hits, at - windowMs - width - pastMs)
        return state
      },
      evaluate: ({ all, hits }, at) => {
        const total = Buckets.sum(all, at - windowMs - width, at)
        const found = Buckets.sum(hits, at - windowMs - width, at)
        const value = total === 0 ? 0 : Math.round((found / total) * 10_000) / 10_000
        const next = all.starts.find((start) => start <= at && start + width + windowMs > at)
        return {
          met: total >= minimum && found >= spec.threshold * total,
          value,
          why: `${found} of ${total} lines`,
          ...(next === undefined || total < minimum ? {} : { nextAt: next + width + windowMs })
        }
      },
      moments: (state, from, to) => Buckets.momentsOf(state.all, from - width, Math.min(to, from + windowMs)),
      idle: ({ all: { starts } }, at) => starts.length === 0 || starts[starts.length - 1]! + width + windowMs <= at,
      describe: (value) =>
        `${Math.round(value * 10_000) / 100} % in ${spec.window}, threshold ${Math.round(spec.threshold * 10_000) / 100} %`,
      pack: ({ all, hits }) => [Buckets.pack(all, width), Buckets.pack(hits, width)],
      unpack: (kept) => {
        const [all, hits] = kept as ReadonlyArray<unknown>
        return { all: Buckets.unpack(all, width), hits: Buckets.unpack(hits, width) }
      }
    }
  }
}
