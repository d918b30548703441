/**
 * How rare a distance is among those before it: a histogram of logarithms that never grows. Promises a surprise of at least 0;
 * what a distance is of is left to the views.
 */

/** Plain JSON: counts per step of the logarithm of a distance. */
export interface Odds {
  total: number
  counts: Array<number>
  /** Logarithm at the lower edge: far below the first distance, in whatever unit it is; null before that. */
  low?: number | null
}

const bins = 256
/** Steps per factor e; 256 of them reach from a billionth of the first distance to a billion times as much. */
const resolution = 6
const reach = 21
/** Of states that were written without one. */
const lowDefault = -reach
/** Past this many points all counts are halved: the far past fades. */
const totalMax = 40_000
/** Points before anything can surprise. */
const totalMin = 10

export const startOdds = (): Odds => ({ total: 0, counts: Array.from({ length: bins }, () => 0), low: null })

const binOf = ({ low = lowDefault }: Odds, distance: number): number =>
  low !== null && distance > 0
    ? Math.min(bins - 1, Math.max(0, Math.floor((Math.log(distance) - low) * resolution)))
    : 0

/** −log10 of the part of all points so far that were at least as far out. */
export const oddsOf = (odds: Odds, distance: number): number => {
  const { counts, low, total } = odds
  let above = 0
  // The first that is no nothing at all is further out than all before.
  for (let i = low === null && distance > 0 ? bins : binOf(odds, distance); i < bins; i++) above += counts[i]!
  return total < totalMin ? 0 : Math.max(0, -Math.log10((above + 0.5) / (total + 1)))
}

/** What `oddsOf` says of a distance, which counts from then on. */
export const observeOdds = (odds: Odds, distance: number): number => {
  // Whole numbers, so that steps of all units have the same edges.
  if (odds.low === null && distance > 0) odds.low = Math.round(Math.log(distance)) - reach
  const surprise = oddsOf(odds, distance)
  const { counts } = odds
  counts[binOf(odds, distance)]! += 1
  odds.total++
  if (odds.total > totalMax) {
    odds.total = 0
    for (let i = 0; i < bins; i++) {
      counts[i] = Math.floor(counts[i]! / 2)
      odds.total += counts[i]!
    }
  }
  return surprise
}
