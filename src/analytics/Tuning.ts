/** What a ranking weighs how, in one place: chosen by the questions of bench/semantic.ts, coarse on purpose. */

export const tuning = {
  /** Weight of a phrase's own words beside the phrase. */
  inner: 0.5,
  /** Weight of half a compound word, of a word of the service. */
  half: 0.8,
  service: 0.5,
  /** 0: each match counts as the rarity of what was asked; 1: as the rarity of the word that matched. */
  ownRarity: 0.2,
  /** How strongly long templates are held back. */
  length: 0.08,
  /** Share of the template that is asked for, beside the share of the question that is answered. */
  cover: 0.4,
  /** A failure is asked for and the template tells of success, or the other way round. */
  against: 0.75,
  vector: 0.25
}
export type Tuning = typeof tuning
