/**
 * How odd each value of a series is, one point at a time: values of any unit, at any cadence. Promises a score from 0 to 1 for
 * every point, a state of bounded size that is plain JSON (written out and read back it goes on with the same scores), and
 * that nothing that is pushed makes it throw or answer NaN. What is done about a score is left to others.
 *
 * Eight views measure how far a point is from what they expect; each is turned into surprise, −log10 of the part of its own
 * past that was as far out, so that views of any unit compare; what is told is the root of the sum of squares.
 */
import { type Odds, observeOdds, startOdds } from "./Odds.ts"
import { type Seasons, startSeasons, stepSeasons } from "./Seasons.ts"
import { type Shapes, startShapes, stepShapes } from "./Shapes.ts"

export interface RateSettings {
  /** Points at the start that are learnt from in silence, 20 to 100,000; 200 without it. */
  readonly learn?: number
  /** Points after one that was told in which only a higher one is told; 0.6 × `learn` without it. */
  readonly rest?: number
  /** Whether hours of the day and of the week are told apart (UTC); true without it. */
  readonly season?: boolean
}

/** Plain JSON of fixed size: about 12 KB as text, 6 KB without seasons. */
export interface RateState {
  /** Points so far. */
  seen: number
  /** Surprise that was told last, and the points since. */
  told: number
  since: number
  shapes: Shapes
  seasons: Seasons | null
  odds: Array<Odds>
}

export interface RateScore {
  /** 0 to 1; 0 while learning and in the rest after a point that was told. From 0.5 on it is worth telling. */
  readonly score: number
  /** The same without the rest: how odd the point is by itself. */
  readonly raw: number
  /** What was expected of the point. */
  readonly expected: number
  /** What is odd, in words; empty below a raw score of 0.4. */
  readonly why: string
}

export interface RateModel {
  readonly state: RateState
  /** `time`: epoch ms. A value that is no finite number is passed over. */
  readonly push: (time: number, value: number) => RateScore
}

/** A surprise of this is a score of one half. */
const half = 4.6
/** More surprise than was told last that breaks a rest. */
const margin = 0.4
/** From here on a point is explained. */
const explained = 0.4
const learnDefault = 200
/** Larger values are taken for this, so that no square overflows. */
const valueMax = 1e100

/** The views in the order of `RateState.odds`. */
export const views = ["jump", "level", "spread", "range", "context", "day", "week", "drift"] as const

const clamp = (n: number, min: number, max: number): number => Math.min(max, Math.max(min, n))

const start = (season: boolean): RateState => ({
  seen: 0,
  told: 0,
  since: 0,
  shapes: startShapes(),
  seasons: season ? startSeasons() : null,
  odds: views.map(startOdds)
})

const near = (n: number): string => String(Number(n.toPrecision(4)))

const reasons: Readonly<Record<(typeof views)[number], string>> = {
  jump: "far from the values just before",
  level: "the level has shifted",
  spread: "the values vary unlike before",
  range: "outside of all that was seen",
  context: "a rare order of values",
  day: "unlike this time of day",
  week: "unlike this hour of the week",
  drift: "off its daily course for a while"
}

const explain = (value: number, expected: number, surprises: ReadonlyArray<number>): string => {
  const most = Math.max(...surprises)
  const said = views.filter((_, i) => surprises[i]! >= 0.8 * most).map((view) => reasons[view])
  return `got ${near(value)}, expected about ${near(expected)}: ${said.slice(0, 3).join("; ")}`
}

/** A model that begins, or goes on with `state` (made with the same settings), which it changes in place. */
export const make = (settings: RateSettings = {}, state: RateState = start(settings.season ?? true)): RateModel => {
  const learn = clamp(Math.round(settings.learn ?? learnDefault), 20, 100_000)
  const rest = clamp(Math.round(settings.rest ?? 0.6 * learn), 0, 1_000_000)
  const far = views.map(() => 0)
  const surprises = views.map(() => 0)

  const push = (time: number, given: number): RateScore => {
    if (!Number.isFinite(given)) return { score: 0, raw: 0, expected: state.shapes.fast, why: "" }
    const value = clamp(given, -valueMax, valueMax)
    const seasonal = state.seasons === null ? undefined : stepSeasons(state.seasons, time, value, far)
    const local = stepShapes(state.shapes, value, far)
    const expected = seasonal ?? local
    let sum = 0
    for (let i = 0; i < views.length; i++) {
      const surprise = observeOdds(state.odds[i]!, far[i]!)
      surprises[i] = surprise
      sum += surprise * surprise
    }
    state.seen++
    state.since++
    if (state.since > rest) state.told = 0
    if (state.seen <= learn) return { score: 0, raw: 0, expected, why: "" }
    const surprise = Math.sqrt(sum)
    const raw = surprise / (surprise + half)
    const tell = surprise > state.told + margin
    if (tell) {
      state.told = surprise
      state.since = 0
    }
    return { score: tell ? raw : 0, raw, expected, why: raw < explained ? "" : explain(value, expected, surprises) }
  }
  return { state, push }
}
