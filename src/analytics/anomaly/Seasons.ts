/**
 * What a time of day (quarter hours) and of the week (hours) brings, in UTC, as means that follow slowly. Promises distances in
 * the unit of the values and state of fixed size.
 */

/** Plain JSON: the mean of each slot and how many points made it. */
export interface Seasons {
  day: Array<number>
  dayCount: Array<number>
  week: Array<number>
  weekCount: Array<number>
  drift: number
}

const quarterMs = 900_000
const hourMs = 3_600_000
const days = 96
const weeks = 168
/** Points of a slot that its mean remembers. */
const memory = 12
/** Points of a slot before it says anything. */
const known = 3
/** Points over which a drift is smoothed. */
const smooth = 6

const zeros = (length: number): Array<number> => Array.from({ length }, () => 0)

export const startSeasons = (): Seasons => ({
  day: zeros(days),
  dayCount: zeros(days),
  week: zeros(weeks),
  weekCount: zeros(weeks),
  drift: 0
})

const learn = (means: Array<number>, counts: Array<number>, slot: number, value: number): void => {
  const count = Math.min(memory, counts[slot]! + 1)
  counts[slot] = count
  means[slot]! += (value - means[slot]!) / count
}

/** Sets the distances `day`, `week` and `drift` (5 to 7) of `far`; answers what the time of day is expected to bring. */
export const stepSeasons = (seasons: Seasons, time: number, value: number, far: Array<number>): number | undefined => {
  const at = Number.isFinite(time) ? time : 0
  const slot = (((Math.floor(at / quarterMs) % days) + days) % days) | 0
  const hour = (((Math.floor(at / hourMs) % weeks) + weeks) % weeks) | 0
  const daily = seasons.dayCount[slot]! >= known
  const offset = daily ? value - seasons.day[slot]! : 0
  seasons.drift += (offset - seasons.drift) / smooth
  far[5] = Math.abs(offset)
  far[6] = seasons.weekCount[hour]! >= known ? Math.abs(value - seasons.week[hour]!) : 0
  far[7] = Math.abs(seasons.drift)
  const expected = daily ? seasons.day[slot]! : undefined
  learn(seasons.day, seasons.dayCount, slot, value)
  learn(seasons.week, seasons.weekCount, hour, value)
  return expected
}
