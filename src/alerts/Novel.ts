/**
 * What new_template and new_value have in common: each value that the rule had not seen is a group of its own, which fires when
 * `count` of its lines fall within `window`, and is over a window later. What was seen before is Novelty's.
 */
import * as Buckets from "./Buckets.ts"
import { type Watch, millisOf, plural } from "./Rule.ts"

export interface NovelState {
  readonly seen: Buckets.Buckets
  /** Event time at which there were enough lines; null before. */
  full: number | null
}

const learnDefaultMs = 3_600_000
/** Values that are new at the same time, at most. */
const groupsMax = 200

export const novelWatch = (spec: {
  readonly query: string
  readonly window: string
  readonly count?: number
  readonly learn?: string
  readonly field: string
}): Watch<NovelState> => {
  const windowMs = millisOf(spec.window)!
  const width = Buckets.bucketMs(windowMs)
  const { count = 1, field } = spec
  const enough = ({ seen }: NovelState): number | null =>
    seen.starts.find((start) => Buckets.sum(seen, start - windowMs - width, start) >= count) ?? null
  return {
    query: spec.query,
    threshold: count,
    windowMs,
    waitMs: 0,
    groupsMax,
    novel: { field, learnMs: spec.learn === undefined ? learnDefaultMs : millisOf(spec.learn)! },
    start: () => ({ seen: Buckets.empty(), full: null }),
    observe: (state, lines) => {
      // Once it is told, there is nothing more to count.
      if (state.full !== null) return state
      for (const { time } of lines) Buckets.add(state.seen, width, time)
      state.full = enough(state)
      return state
    },
    evaluate: ({ full, seen }, at) => {
      const value = Buckets.sum(seen, -Infinity, at)
      if (full === null || at < full || at >= full + width + windowMs) return { met: false, value }
      return { met: true, value, nextAt: full + width + windowMs }
    },
    moments: ({ full }) => (full === null ? [] : [full]),
    idle: ({ full, seen }, at) => {
      const last = full ?? seen.starts.at(-1)
      return last === undefined || last + width + windowMs <= at
    },
    describe: (value) => `a new ${field}: ${plural(value, "line")} in ${spec.window}, threshold ${count}`,
    pack: ({ full, seen }) => [...Buckets.pack(seen, width), full],
    unpack: (kept) => ({ seen: Buckets.unpack(kept, width), full: (kept as ReadonlyArray<number | null>)[2] ?? null })
  }
}
