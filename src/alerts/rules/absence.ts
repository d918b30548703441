/**
 * Fires while no matching line came for `window`, counted from its event time, once late lines have had their time. Without
 * groups it waits from the moment it was made; of a group it says something once it has been seen, and gives it up a day after
 * its window: a host that is gone for good does not fire for ever.
 */
import { type RuleType, commonIssues, groupsMax, latenessOf, millisOf } from "../Rule.ts"

const giveUpMs = 86_400_000

export const absence: RuleType<number, "absence"> = {
  type: "absence",
  validate: commonIssues,
  watch: (spec) => {
    const windowMs = millisOf(spec.window)!
    const grouped = (spec.groupBy ?? []).length > 0
    return {
      query: spec.query,
      threshold: 1,
      windowMs,
      waitMs: latenessOf(spec),
      groupsMax,
      waits: true,
      // The state is the event time of the last line.
      start: (at) => at,
      observe: (state, lines) => lines.reduce((last, { time }) => Math.max(last, time), state),
      evaluate: (last, at) => {
        if (at < last + windowMs) return { met: false, value: 1, nextAt: last + windowMs }
        if (!grouped) return { met: true, value: 0 }
        const ends = last + windowMs + giveUpMs
        return at < ends ? { met: true, value: 0, nextAt: ends } : { met: false, value: 0, why: "given up after a day" }
      },
      moments: () => [],
      idle: (last, at) => at >= last + windowMs + giveUpMs,
      describe: (value) => (value === 0 ? `no line in ${spec.window}` : "lines come")
    }
  }
}
