/**
 * The score of the Numenta Anomaly Benchmark as published (standard profile): the first 15 % of a series is for learning, the
 * earliest detection in a labelled window earns by its place in it, each detection outside costs, a missed window costs, and the sum is put
 * between a detector that never speaks (0) and a perfect one (100). Reading files and running detectors is left to nab.ts.
 */

/** A labelled series: times in ms, values, and windows as inclusive index ranges. */
export interface Series {
  readonly name: string
  readonly times: ReadonlyArray<number>
  readonly values: ReadonlyArray<number>
  readonly windows: ReadonlyArray<readonly [number, number]>
}

const weights = { hit: 1, miss: 1, alarm: 0.11 }

/** 1 at the start of a window, 0 at its end, towards −1 after it. */
const sigmoid = (x: number): number => (x > 3 ? -1 : 2 / (1 + Math.exp(5 * x)) - 1)

/** Points at the start of a series of this length that are not judged. */
export const probation = (length: number): number => Math.floor(Math.min(0.15 * length, 0.15 * 5000))

/** What each judged point would bring if it were told: its window (or −1) and its worth. */
const worths = (series: Series): { readonly window: Int32Array; readonly worth: Float64Array } => {
  const n = series.times.length
  const window = new Int32Array(n).fill(-1)
  const worth = new Float64Array(n)
  let last: readonly [number, number] | undefined
  let next = 0
  for (let i = 0; i < n; i++) {
    const at = series.windows[next]
    if (at !== undefined && i >= at[0]) {
      const width = at[1] - at[0] + 1
      window[i] = next
      worth[i] = (sigmoid(-(at[1] - i + 1) / width) * weights.hit) / sigmoid(-1)
      if (i === at[1]) {
        last = at
        next++
      }
    } else {
      worth[i] = weights.alarm * (last === undefined ? -1 : sigmoid((i - last[1]) / (last[1] - last[0])))
    }
  }
  return { window, worth }
}

interface Step {
  readonly score: number
  readonly series: number
  readonly window: number
  readonly worth: number
}

/** The judged points of all series, highest score first. */
const stepsOf = (all: ReadonlyArray<Series>, scores: ReadonlyArray<ArrayLike<number>>): Array<Step> => {
  const steps: Array<Step> = []
  for (const [s, series] of all.entries()) {
    const { window, worth } = worths(series)
    const own = scores[s] ?? []
    for (let i = probation(series.times.length); i < series.times.length; i++) {
      const score = own[i] ?? 0
      if (score > 0) steps.push({ score, series: s, window: window[i] ?? -1, worth: worth[i] ?? 0 })
    }
  }
  return steps.sort((a, b) => b.score - a.score)
}

const windowsOf = (all: ReadonlyArray<Series>): number => all.reduce((sum, one) => sum + one.windows.length, 0)

const normal = (raw: number, windows: number): number =>
  windows === 0 ? raw : (100 * (raw + weights.miss * windows)) / ((weights.hit + weights.miss) * windows)

/** The best threshold for these series together, and the score it brings. */
export const best = (
  all: ReadonlyArray<Series>,
  scores: ReadonlyArray<ArrayLike<number>>
): { readonly threshold: number; readonly score: number } => {
  const windows = windowsOf(all)
  let raw = -weights.miss * windows
  let top = { threshold: Number.POSITIVE_INFINITY, raw }
  const got = new Map<number, number>()
  const steps = stepsOf(all, scores)
  for (const [i, step] of steps.entries()) {
    if (step.window < 0) raw += step.worth
    else {
      const key = step.series * 1000 + step.window
      const before = got.get(key) ?? -weights.miss
      if (step.worth > before) {
        raw += step.worth - before
        got.set(key, step.worth)
      }
    }
    if (steps[i + 1]?.score !== step.score && raw > top.raw) top = { threshold: step.score, raw }
  }
  return { threshold: top.threshold, score: normal(top.raw, windows) }
}

/** What a series' detections at this threshold came to. */
export interface Outcome {
  readonly raw: number
  readonly windows: number
  readonly found: number
  readonly alarms: number
}

/** The outcome of one series with a threshold given. */
export const judge = (series: Series, scores: ArrayLike<number>, threshold: number): Outcome => {
  let alarms = 0
  let raw = 0
  const got = new Map<number, number>()
  for (const step of stepsOf([series], [scores])) {
    if (step.score < threshold) break
    if (step.window < 0) {
      alarms++
      raw += step.worth
    } else got.set(step.window, Math.max(got.get(step.window) ?? -weights.miss, step.worth))
  }
  for (const [w] of series.windows.entries()) raw += got.get(w) ?? -weights.miss
  return { raw, windows: series.windows.length, found: got.size, alarms }
}

/** The score of many series at one threshold, 0 to 100 (negative where worse than silence). */
export const total = (outcomes: ReadonlyArray<Outcome>): number =>
  normal(
    outcomes.reduce((sum, one) => sum + one.raw, 0),
    outcomes.reduce((sum, one) => sum + one.windows, 0)
  )
