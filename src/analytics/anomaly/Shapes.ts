/**
 * What the values themselves lead to expect, whatever the clock says: means and variances that follow fast and slowly, the
 * range so far, and how rare the last two values are together. Promises state of fixed size and distances without a unit.
 */

/** Plain JSON. `fast`, `slow`, `wide`: means; with `Var` their variances. */
export interface Shapes {
  seen: number
  fast: number
  fastVar: number
  slow: number
  slowVar: number
  mid: number
  midVar: number
  level: number
  smooth: number
  low: number
  high: number
  /** The bin of the value before, how often each pair of bins came, and the mean rarity of the last points and of long. */
  before: number
  pairs: Array<number>
  rarity: number
}

/** Points that each mean remembers. */
const points = { fast: 25, mid: 12, slow: 300, long: 1_000, level: 15, smooth: 20, rarity: 6 }
const bins = 24
/** Pairs of bins are halved past this many points: the far past fades. */
const pairsMax = 40_000
/** Points before anything is far. */
const seenMin = 10

export const startShapes = (): Shapes => ({
  seen: 0,
  fast: 0,
  fastVar: 0,
  slow: 0,
  slowVar: 0,
  mid: 0,
  midVar: 0,
  level: 0,
  smooth: 0,
  low: 0,
  high: 0,
  before: 0,
  pairs: Array.from({ length: bins * bins }, () => 0),
  rarity: 0
})

const rate = (memory: number, seen: number): number => Math.max(1 / memory, 1 / (seen + 1))

/** Sets the distances 0 to 4 of `far`; answers the value that was expected. */
export const stepShapes = (s: Shapes, value: number, far: Array<number>): number => {
  const ready = s.seen >= seenMin
  if (s.seen === 0) {
    s.fast = s.slow = s.mid = s.level = s.smooth = s.low = s.high = value
  }
  const expected = s.fast
  const tiny = 1e-9 * (1 + s.fast * s.fast)
  // jump
  let d = value - s.fast
  let a = rate(points.fast, s.seen)
  far[0] = ready ? Math.abs(d) / Math.sqrt(s.fastVar + tiny) : 0
  s.fast += a * d
  s.fastVar = (1 - a) * (s.fastVar + a * d * d)
  // level
  s.level += rate(points.level, s.seen) * (value - s.level)
  far[1] = ready ? Math.abs(s.level - s.slow) / Math.sqrt(s.slowVar + tiny) : 0
  // context, with the slow mean of before
  const bin = Math.min(
    bins - 1,
    Math.max(0, Math.floor(bins / 2 + ((value - s.slow) / Math.sqrt(s.slowVar + tiny)) * (bins / 6)))
  )
  const pair = s.before * bins + bin
  const rarity = Math.log((s.seen + 1) / (s.pairs[pair]! + 1))
  s.rarity += (rarity - s.rarity) / points.rarity
  far[4] = ready ? s.rarity : 0
  s.pairs[pair]! += 1
  s.before = bin
  // spread
  d = value - s.mid
  a = rate(points.mid, s.seen)
  s.mid += a * d
  s.midVar = (1 - a) * (s.midVar + a * d * d)
  d = value - s.slow
  a = rate(points.slow, s.seen)
  s.slow += a * d
  s.slowVar = (1 - a) * (s.slowVar + a * d * d)
  const floor = 1e-4 * s.slow * s.slow + 1e-9
  far[2] = ready ? Math.abs(Math.log((s.midVar + floor) / (s.slowVar + floor))) : 0
  // range
  s.smooth += rate(points.smooth, s.seen) * (value - s.smooth)
  far[3] = ready ? Math.max(0, s.smooth - s.high, s.low - s.smooth) / (s.high - s.low + tiny) : 0
  s.high = Math.max(s.high, s.smooth)
  s.low = Math.min(s.low, s.smooth)
  s.seen++
  if (s.seen % pairsMax === 0) for (let i = 0; i < s.pairs.length; i++) s.pairs[i] = Math.floor(s.pairs[i]! / 2)
  return expected
}
