/**
 * How rare a distance is among those before it: a histogram of logarithms that never grows. Promises a surprise of at least 0;
 * what a distance is of is left to the views.
 */

/** Plain JSON: counts per step of the logarithm of a distance. */
export interface Odds {
  total: number
  counts: Array<number>
}

const bins = 256
/** Steps per factor e; 256 of them reach from 1e-9 to 1e9 or so. */
const resolution = 6
const lowest = -21
/** Past this many points all counts are halved: the far past fades. */
const totalMax = 40_000
/** Points before anything can surprise. */
const totalMin = 10

export const startOdds = (): Odds => ({ total: 0, counts: Array.from({ length: bins }, () => 0) })

const binOf = (distance: number): number =>
  distance > 1e-9 ? Math.min(bins - 1, Math.max(0, Math.floor((Math.log(distance) - lowest) * resolution))) : 0

/** −log10 of the part of all points so far that were at least as far out. */
export const oddsOf = ({ counts, total }: Odds, distance: number): number => {
  let above = 0
  for (let i = binOf(distance); i < bins; i++) above += counts[i]!
  return total < totalMin ? 0 : Math.max(0, -Math.log10((above + 0.5) / (total + 1)))
}

/** What `oddsOf` says of a distance, which counts from then on. */
export const observeOdds = (odds: Odds, distance: number): number => {
  const surprise = oddsOf(odds, distance)
  const { counts } = odds
  counts[binOf(distance)]! += 1
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
