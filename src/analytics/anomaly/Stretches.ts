/**
 * Odd stretches in counts per step of time: the rate model over a history of steps, and a second look that lets only differences
 * pass that a person would call one. Pure; where the counts come from and how a finding is told is left to others.
 */
import { make } from "./Rate.ts"

export interface Counts {
  /** Start of the first step, epoch ms. */
  readonly start: number
  readonly stepMs: number
  /** One count per step without a gap. */
  readonly counts: ReadonlyArray<number>
}

export interface Stretch {
  /** Epoch ms: from ≤ time < to. */
  readonly from: number
  readonly to: number
  readonly got: number
  readonly expected: number
  /** 0.5 to 1 */
  readonly score: number
  /** What the model says of the oddest step. */
  readonly why: string
}

export interface LookSettings {
  /** Steps before anything is told: this part of them all, at least and at most. */
  readonly learnPart: number
  readonly learnMin: number
  readonly learnMax: number
  /** The model's score that a step must have: with a short past even the oddest has no high one. */
  readonly scoreMin: number
  /** Standard deviations of chance that each step of a stretch must be apart; all of it must be `material`. */
  readonly deviations: number
  /** Whether hours of the day and week are told apart. */
  readonly season: boolean
  /** Steps for which a stretch goes on while counts stay as far off as where it began. */
  readonly followMax: number
}

const hourMs = 3_600_000
/** Weeks of hours. */
export const hourly: LookSettings = {
  learnPart: 1 / 4,
  learnMin: 48,
  learnMax: 168,
  scoreMin: 0.5,
  deviations: 6,
  season: true,
  followMax: 0
}
/** Hours of minutes. */
export const fine: LookSettings = {
  learnPart: 1 / 8,
  learnMin: 24,
  learnMax: 72,
  scoreMin: 0.45,
  deviations: 3,
  season: false,
  followMax: 60
}

/** The score of whatever is told, at least. */
const told = 0.5
/** How far a count must be from what was expected: lines, standard deviations of chance, and times. */
const linesMin = 10
const deviationsMin = 6
const timesMin = 2
/** Steps between two odd ones that still are one stretch. */
const joinSteps = 2

/** Whether these are so many standard deviations of chance, and a factor, from each other. */
const differs = (got: number, usual: number, deviations: number): boolean =>
  Math.abs(got - usual) >= deviations * Math.sqrt(usual + 1) &&
  (got > usual ? got >= timesMin * usual : usual >= timesMin * got)

/** Whether a person would call this a difference. */
export const material = (got: number, expected: number): boolean => {
  const usual = Math.max(0, expected)
  return Math.abs(got - usual) >= linesMin && differs(got, usual, deviationsMin)
}

/** Counts of steps from `[time, count]` pairs, zeros between. */
export const series = (
  pairs: ReadonlyArray<readonly [number, number]>,
  from: number,
  to: number,
  stepMs = hourMs
): Counts => {
  const start = Math.floor(from / stepMs) * stepMs
  const length = Math.max(0, Math.floor(to / stepMs) - start / stepMs)
  const counts = Array.from({ length }, () => 0)
  for (const [time, count] of pairs) {
    const at = Math.floor((time - start) / stepMs)
    if (at >= 0 && at < length) counts[at]! += count
  }
  return { start, stepMs, counts }
}

type Open = { -readonly [K in keyof Stretch]: Stretch[K] }

/** The odd stretches that end after `since`, epoch ms. */
export const oddStretches = (
  { counts, start, stepMs }: Counts,
  since: number,
  { deviations, followMax, learnMax, learnMin, learnPart, scoreMin, season }: LookSettings = hourly
): ReadonlyArray<Stretch> => {
  if (counts.length <= learnMin) return []
  const learn = Math.min(learnMax, Math.max(learnMin, Math.floor(counts.length * learnPart)))
  const model = make({ learn, rest: 0, season })
  const found: Array<Open> = []
  /** What was expected where the last stretch began, and the steps that it may still go on. */
  let usual = 0
  let follow = 0
  for (const [i, got] of counts.entries()) {
    const from = start + i * stepMs
    const { expected: about, raw, why } = model.push(from, got)
    const expected = Math.max(0, about)
    const last = found.at(-1)
    const more = got > expected
    const joins = last !== undefined && from - last.to <= joinSteps * stepMs && last.got > last.expected === got > usual
    const odd = raw >= scoreMin && differs(got, expected, deviations)
    const goesOn = joins && follow > 0 && last.to === from && differs(got, usual, deviations)
    follow--
    if (from + stepMs <= since || !(odd || goesOn)) continue
    if (joins && (goesOn || last.got > last.expected === more)) {
      last.to = from + stepMs
      last.got += got
      last.expected += followMax > 0 ? usual : expected
      if (raw > last.score) {
        last.score = raw
        last.why = why
      }
    } else if (odd) {
      found.push({ from, to: from + stepMs, got, expected, score: Math.max(told, raw), why })
      usual = expected
      follow = followMax
    }
  }
  return found.filter((one) => material(one.got, one.expected))
}

/** Whether such a stretch comes at this hour of most days, or of the same day of the week before. `hours`: counts by the hour. */
export const isDaily = (hours: ReadonlyArray<readonly [number, number]>, { expected, from, got }: Stretch): boolean => {
  const hour = Math.floor(from / hourMs) * hourMs
  const counts = new Map(hours)
  const first = Math.min(...counts.keys())
  const apart = got - expected
  const usual = (counts.get(hour) ?? 0) - apart
  const alike = [1, 2, 3, 7].flatMap((days) => {
    const at = hour - days * 24 * hourMs
    if (at < first) return []
    const there = (counts.get(at) ?? 0) - usual
    return [apart > 0 ? there >= apart / 2 : there <= apart / 2]
  })
  return alike.filter(Boolean).length * 2 > alike.length
}
