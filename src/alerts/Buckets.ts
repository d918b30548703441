/**
 * Lines counted in buckets of event time, as rule types remember them. Promises bounded size: empty buckets are not there, and
 * of more than `bucketsMax` the older half is joined two by two, so that what is long past is known more coarsely. Pure; what
 * is changed is changed in place.
 */

/** Starts of buckets (epoch ms, ascending) and what was counted in each. */
export interface Buckets {
  readonly starts: Array<number>
  readonly counts: Array<number>
}

/** Buckets that a window is kept in, and all buckets together, at most. */
export const windowBuckets = 120
export const bucketsMax = 300

export const empty = (): Buckets => ({ starts: [], counts: [] })

/** Length of a bucket, ms: so long that a window touches at most `windowBuckets` of them. */
export const bucketMs = (windowMs: number): number => Math.max(1, Math.ceil(windowMs / (windowBuckets - 1)))

/** Joins the older half two by two. */
const coarsen = ({ counts, starts }: Buckets): void => {
  const half = starts.length >> 1
  let to = 0
  for (let from = 0; from < half; from += 2, to++) {
    starts[to] = starts[from]!
    counts[to] = counts[from]! + (from + 1 < half ? counts[from + 1]! : 0)
  }
  starts.splice(to, half - to)
  counts.splice(to, half - to)
}

/** Counts `n` at `time`. */
export const add = (buckets: Buckets, width: number, time: number, n = 1): void => {
  const { counts, starts } = buckets
  const start = Math.floor(time / width) * width
  // Most lines are the latest: their bucket is found from the end.
  let index = starts.length
  while (index > 0 && starts[index - 1]! > start) index--
  if (starts[index - 1] === start) counts[index - 1]! += n
  else {
    starts.splice(index, 0, start)
    counts.splice(index, 0, n)
    if (starts.length > bucketsMax) coarsen(buckets)
  }
}

/** Forgets what began before `time`. */
export const forget = ({ counts, starts }: Buckets, time: number): void => {
  let old = 0
  while (old < starts.length && starts[old]! < time) old++
  if (old > 0) {
    starts.splice(0, old)
    counts.splice(0, old)
  }
}

/** What was counted in buckets that began after `from`, up to `to`. */
export const sum = ({ counts, starts }: Buckets, from: number, to: number): number => {
  let total = 0
  for (let i = starts.length - 1; i >= 0 && starts[i]! > from; i--) if (starts[i]! <= to) total += counts[i]!
  return total
}

/** At most this many moments of the past are looked at for lines that came late. */
const momentsMax = 64

/** Starts of buckets in `from` … `to`, evenly thinned where there are many. */
export const momentsOf = ({ starts }: Buckets, from: number, to: number): ReadonlyArray<number> => {
  const found = starts.filter((start) => start >= from && start <= to)
  if (found.length <= momentsMax) return found
  return Array.from({ length: momentsMax }, (_, i) => found[Math.floor((i * (found.length - 1)) / (momentsMax - 1))]!)
}

/** As text it is short: the first start, then steps in buckets. */
export const pack = ({ counts, starts }: Buckets, width: number): ReadonlyArray<ReadonlyArray<number>> => [
  starts.map((start, i) => (i === 0 ? start : (start - starts[i - 1]!) / width)),
  counts
]

export const unpack = (kept: unknown, width: number): Buckets => {
  const [steps = [], counts = []] = kept as ReadonlyArray<Array<number>>
  let start = 0
  return { starts: steps.map((step, i) => (start = i === 0 ? step : start + step * width)), counts: [...counts] }
}
