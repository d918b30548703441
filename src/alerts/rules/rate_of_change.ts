/**
 * Fires while the lines of the last `window` are at least `factor` times as many as those of the window before (`up`), or at
 * most that part of them (`down`). Says nothing before two windows have passed since its first line. A fall is judged when late
 * lines have had their time, a rise at once.
 */
import * as Buckets from "../Buckets.ts"
import { type RuleType, commonIssues, groupsMax, latenessOf, millisOf, numberIssue } from "../Rule.ts"

interface State extends Buckets.Buckets {
  /** Event time of the first line; null before. */
  first: number | null
}

const minimumDefault = 10
const pastMs = 3_600_000

const round = (n: number): number => Math.round(n * 100) / 100

export const rateOfChange: RuleType<State, "rate_of_change"> = {
  type: "rate_of_change",
  validate: (spec) => [
    ...commonIssues(spec),
    ...numberIssue("factor", spec.factor, 1.01, 1_000_000, false),
    ...numberIssue("minimum", spec.minimum, 1, 1_000_000_000)
  ],
  watch: (spec) => {
    const windowMs = millisOf(spec.window)!
    const width = Buckets.bucketMs(windowMs)
    const { direction = "up", factor, minimum = minimumDefault } = spec
    const rises = (now: number, before: number) => now >= minimum && now >= factor * before
    const falls = (now: number, before: number) => before >= minimum && now * factor <= before
    return {
      query: spec.query,
      threshold: factor,
      windowMs,
      waitMs: direction === "up" ? 0 : latenessOf(spec),
      groupsMax,
      start: () => ({ ...Buckets.empty(), first: null }),
      observe: (state, lines, at) => {
        for (const { time } of lines) {
          Buckets.add(state, width, time)
          if (state.first === null || time < state.first) state.first = time
        }
        Buckets.forget(state, at - 2 * windowMs - width - pastMs)
        return state
      },
      evaluate: (state, at) => {
        if (state.first === null) return { met: false, value: 0 }
        const now = Buckets.sum(state, at - windowMs - width, at)
        const before = Buckets.sum(state, at - 2 * windowMs - width, at - windowMs - width)
        const known = at >= state.first + 2 * windowMs
        const up = direction !== "down" && rises(now, before)
        const down = direction !== "up" && falls(now, before)
        let nextAt = known ? undefined : state.first + 2 * windowMs
        for (const start of state.starts) {
          for (const leaves of [start + windowMs + width, start + 2 * windowMs + width]) {
            if (leaves > at && (nextAt === undefined || leaves < nextAt)) nextAt = leaves
          }
        }
        // How many times as many; of a fall, how many times as few.
        const value = down ? round(before / Math.max(1, now)) : round(now / Math.max(1, before))
        return {
          met: known && (up || down),
          value,
          why: `${now} after ${before} in the window before`,
          ...(nextAt === undefined ? {} : { nextAt })
        }
      },
      moments: (state, from, to) => Buckets.momentsOf(state, from - width, Math.min(to, from + 2 * windowMs)),
      idle: ({ starts }, at) => starts.length === 0 || starts[starts.length - 1]! + width + 2 * windowMs <= at,
      describe: (value) =>
        `${value} × as ${direction === "down" ? "few" : "many"} lines in ${spec.window} as before, threshold ${factor} ×${direction === "both" ? " either way" : ""}`,
      pack: (state) => [...Buckets.pack(state, width), state.first],
      unpack: (kept) => ({ ...Buckets.unpack(kept, width), first: (kept as ReadonlyArray<number | null>)[2] ?? null })
    }
  }
}
