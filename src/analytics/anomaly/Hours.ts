/**
 * Odd stretches in counts per hour: the rate model over a history of hours, and a second look that lets only differences pass
 * that a person would call one. Pure; where the counts come from and how a finding is told is left to others.
 */
import { make } from "./Rate.ts"

export interface HourSeries {
  /** Start of the first hour, epoch ms. */
  readonly start: number
  /** One count per hour without a gap. */
  readonly counts: ReadonlyArray<number>
}

export interface OddHours {
  /** Epoch ms: from ≤ time < to. */
  readonly from: number
  readonly to: number
  readonly got: number
  readonly expected: number
  /** 0.5 to 1 */
  readonly score: number
  /** What the model says of the oddest hour. */
  readonly why: string
}

const hourMs = 3_600_000
/** Hours before anything is told, at least and at most. */
const learnMin = 48
const learnMax = 168
const scoreMin = 0.5
/** How far a count must be from what was expected: lines, standard deviations of chance, and times. */
const linesMin = 10
const deviationsMin = 6
const timesMin = 2
/** Hours between two odd ones that still are one stretch. */
const joinHours = 2

/** Whether a person would call this a difference. */
export const material = (got: number, expected: number): boolean => {
  const usual = Math.max(0, expected)
  const apart = Math.abs(got - usual)
  if (apart < linesMin || apart < deviationsMin * Math.sqrt(usual + 1)) return false
  return got > usual ? got >= timesMin * usual : usual >= timesMin * got
}

/** Counts of hours from `[start of hour, count]` pairs, zeros between. */
export const series = (pairs: ReadonlyArray<readonly [number, number]>, from: number, to: number): HourSeries => {
  const start = Math.floor(from / hourMs) * hourMs
  const counts = Array.from({ length: Math.max(0, Math.floor(to / hourMs) - start / hourMs) }, () => 0)
  for (const [hour, count] of pairs) {
    const at = Math.floor((hour - start) / hourMs)
    if (at >= 0 && at < counts.length) counts[at]! += count
  }
  return { start, counts }
}

/** The odd stretches that end after `since`, epoch ms. */
export const oddHours = ({ counts, start }: HourSeries, since: number): ReadonlyArray<OddHours> => {
  if (counts.length <= learnMin) return []
  const learn = Math.min(learnMax, Math.max(learnMin, Math.floor(counts.length / 4)))
  const model = make({ learn, rest: 0 })
  const found: Array<{ -readonly [K in keyof OddHours]: OddHours[K] }> = []
  for (const [i, got] of counts.entries()) {
    const from = start + i * hourMs
    const { expected, raw, why } = model.push(from, got)
    if (raw < scoreMin || from + hourMs <= since || !material(got, expected)) continue
    const last = found.at(-1)
    if (last !== undefined && from - last.to <= joinHours * hourMs && last.got > last.expected === got > expected) {
      last.to = from + hourMs
      last.got += got
      last.expected += Math.max(0, expected)
      if (raw > last.score) {
        last.score = raw
        last.why = why
      }
    } else found.push({ from, to: from + hourMs, got, expected: Math.max(0, expected), score: raw, why })
  }
  return found
}
