/**
 * Fires while `field` has at least `threshold` distinct values within `window`. The window slides in twelfths; of a twelfth no more
 * than twice the threshold of values are remembered, which is more than it takes.
 */
import { fieldOf } from "../Groups.ts"
import { hashOf } from "../Novelty.ts"
import { type RuleType, commonIssues, groupsMax, millisOf, numberIssue } from "../Rule.ts"

interface State {
  /** Starts of parts, ascending, and the values (hashed) in each. */
  readonly starts: Array<number>
  readonly values: Array<Set<number>>
}

const parts = 12
/** Parts that are remembered for late lines. */
const partsMax = 3 * parts
/** Values that all groups of a rule may remember, about. */
const valuesMax = 400_000

export const cardinality: RuleType<State, "cardinality"> = {
  type: "cardinality",
  validate: (spec) => [...commonIssues(spec), ...numberIssue("threshold", spec.threshold, 2, 5_000)],
  watch: (spec) => {
    const windowMs = millisOf(spec.window)!
    const width = Math.ceil(windowMs / (parts - 1))
    const most = 2 * spec.threshold
    const leaves = (start: number): number => start + width + windowMs
    const read = fieldOf(spec.field)
    const count = ({ starts, values }: State, at: number): Set<number> => {
      const found = new Set<number>()
      for (const [i, start] of starts.entries()) {
        if (start > at || leaves(start) <= at) continue
        for (const value of values[i]!) found.add(value)
      }
      return found
    }
    const put = ({ starts, values }: State, time: number, value: number): void => {
      const start = Math.floor(time / width) * width
      let index = starts.length
      while (index > 0 && starts[index - 1]! > start) index--
      if (starts[index - 1] === start) {
        const known = values[index - 1]!
        if (known.size < most) known.add(value)
        return
      }
      starts.splice(index, 0, start)
      values.splice(index, 0, new Set([value]))
      if (starts.length > partsMax) {
        starts.shift()
        values.shift()
      }
    }
    return {
      query: spec.query,
      threshold: spec.threshold,
      windowMs,
      waitMs: 0,
      groupsMax: Math.max(10, Math.min(groupsMax, Math.floor(valuesMax / (most * parts)))),
      start: () => ({ starts: [], values: [] }),
      observe: (state, lines) => {
        for (const { event, time } of lines) {
          const value = read(event)
          if (value !== undefined && value !== "") put(state, time, hashOf(value))
        }
        return state
      },
      evaluate: (state, at) => {
        const value = count(state, at).size
        if (value < spec.threshold) return { met: false, value }
        const next = state.starts.find((start) => start <= at && leaves(start) > at)
        return { met: true, value, ...(next === undefined ? {} : { nextAt: leaves(next) }) }
      },
      moments: ({ starts }, from, to) =>
        starts.filter((start) => start >= from - width && start <= Math.min(to, from + windowMs)),
      idle: ({ starts }, at) => starts.length === 0 || leaves(starts[starts.length - 1]!) <= at,
      describe: (value) => `${value} distinct values of ${spec.field} in ${spec.window}, threshold ${spec.threshold}`,
      pack: ({ starts, values }) => [starts, values.map((set) => [...set])],
      unpack: (kept) => {
        const [starts, values] = kept as readonly [Array<number>, Array<Array<number>>]
        return { starts: [...starts], values: values.map((list) => new Set(list)) }
      }
    }
  }
}
