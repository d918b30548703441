/**
 * Finds the templates that answer a question asked in other words. Promises a ranking by three voices: how much of the question
 * a template says (word, phrase or near meaning, the best match of each part of the question counts once), how much of the
 * template is asked for, and the nearness of two vectors. Pure; memory grows with the templates' words, time of a search with
 * the templates that share a meaning with the question. Vectors come from Embeddings.ts or from a provider.
 */
import { groups, groupsWith } from "./Lexicon.ts"
import { type Part, partsOf, type Terms, type Tone, tone } from "./Terms.ts"
import { type Tuning, tuning } from "./Tuning.ts"

export interface Match {
  /** Number of the entry. */
  readonly index: number
  /** 0 to about 1; comparable within one answer only. */
  readonly score: number
  /** What of the question was found as what in the template, best first. */
  readonly why: ReadonlyArray<Reason>
}
export interface Reason {
  readonly asked: string
  readonly found: string
  /** The meaning both share; undefined where the word itself was found. */
  readonly concept: string | undefined
}

interface Posting {
  readonly index: number
  readonly weight: number
}

/** Nearness of every entry to the question as vectors. */
export type Nearness = ArrayLike<number>

const conceptOf = (asked: ReadonlyArray<string>, found: string): string | undefined => {
  const mine = new Set(groupsWith(found).map(({ group }) => group))
  for (const term of asked) {
    const shared = groupsWith(term).find(({ group }) => mine.has(group))
    if (shared !== undefined) return groups[shared.group]?.name
  }
  return undefined
}

export class SemanticIndex {
  readonly size: number
  readonly #postings = new Map<string, Array<Posting>>()
  readonly #tones: ReadonlyArray<Tone>
  /** Sum of the rarities of an entry's terms. */
  readonly #totals: Float32Array
  readonly #norms: Float32Array
  readonly #tuning: Tuning

  constructor(all: ReadonlyArray<Terms>, t: Tuning = tuning) {
    this.size = all.length
    this.#tuning = t
    for (const [index, terms] of all.entries()) {
      for (const [term, weight] of terms) {
        const list = this.#postings.get(term)
        if (list === undefined) this.#postings.set(term, [{ index, weight }])
        else list.push({ index, weight })
      }
    }
    this.#tones = all.map((terms) => tone(terms.keys()))
    const mean = all.reduce((sum, terms) => sum + terms.size, 0) / Math.max(1, all.length)
    this.#norms = Float32Array.from(all, (terms) => 1 / (1 - t.length + t.length * Math.min(4, terms.size / mean)))
    this.#totals = Float32Array.from(all, (terms) => {
      let sum = 0
      for (const [term, weight] of terms) sum += weight * this.#rarity(this.#postings.get(term)?.length ?? 0)
      return sum
    })
  }

  #rarity(count: number): number {
    return Math.log(1 + (this.size - count + 0.5) / (count + 0.5))
  }

  /**
   * The best `limit` entries, best first; entries that nothing speaks for are left out. Each of `voices` counts the same;
   * `wanted` leaves out entries by their number.
   */
  search(
    question: string,
    limit: number,
    voices: ReadonlyArray<Nearness> = [],
    wanted?: (index: number) => boolean
  ): ReadonlyArray<Match> {
    const parts = partsOf(question, this.#tuning)
    const scores = this.#lexical(parts)
    const asked = tone(parts.flatMap(({ terms }) => [...terms].filter(([, w]) => w >= 0.7).map(([term]) => term)))
    for (let i = 0; i < this.size; i++) {
      if (asked !== 0 && this.#tones[i] === -asked) scores[i]! *= this.#tuning.against
    }
    this.#addVoices(scores, voices)
    if (wanted !== undefined) for (let i = 0; i < this.size; i++) if (!wanted(i)) scores[i] = 0
    return top(scores, limit).map((index) => ({
      index,
      score: Math.round(scores[index]! * 1e4) / 1e4,
      why: this.#why(parts, index)
    }))
  }

  /** Share of the question answered by each entry, and share of the entry asked for; 0 to about 1. */
  #lexical(parts: ReadonlyArray<Part>): Float64Array {
    const { cover, ownRarity } = this.#tuning
    const answered = new Float64Array(this.size)
    const covered = new Float64Array(this.size)
    const best = new Float64Array(this.size)
    const strength = new Float64Array(this.size)
    const merged = new Map<string, number>()
    let possible = 0
    for (const { terms } of parts) {
      const touched: Array<number> = []
      for (const [term, weight] of terms) {
        const list = this.#postings.get(term)
        if (list === undefined) continue
        merged.set(term, Math.max(weight, merged.get(term) ?? 0))
        const own = this.#rarity(list.length)
        for (const { index, weight: inEntry } of list) {
          const w = weight * inEntry
          if (strength[index] === 0) touched.push(index)
          if (w > strength[index]!) strength[index] = w
          if (w * own > best[index]!) best[index] = w * own
        }
      }
      let soft = 0
      for (const index of touched) soft += strength[index]!
      const rarity = this.#rarity(Math.min(this.size, soft))
      possible += rarity
      for (const index of touched) {
        answered[index]! += (1 - ownRarity) * rarity * strength[index]! + ownRarity * best[index]!
        best[index] = 0
        strength[index] = 0
      }
    }
    for (const [term, weight] of merged) {
      const list = this.#postings.get(term)!
      const own = this.#rarity(list.length)
      for (const { index, weight: inEntry } of list) covered[index]! += weight * inEntry * own
    }
    for (let i = 0; i < this.size; i++) {
      if (answered[i] === 0) continue
      answered[i] = (answered[i]! * this.#norms[i]!) / possible
      if (this.#totals[i]! > 0) answered[i]! *= 1 + cover * (covered[i]! / this.#totals[i]!)
    }
    return answered
  }

  /** Adds each voice, measured against its own mean and best for this question, so that any model's scale will do. */
  #addVoices(scores: Float64Array, voices: ReadonlyArray<Nearness>): void {
    let highest = 0
    for (const score of scores) highest = Math.max(highest, score)
    const scale = (highest === 0 ? 1 : highest) * this.#tuning.vector
    for (const nearness of voices) {
      let sum = 0
      let most = -Infinity
      for (let i = 0; i < this.size; i++) {
        sum += nearness[i]!
        most = Math.max(most, nearness[i]!)
      }
      const mean = sum / this.size
      const span = most - mean
      if (!(span > 1e-9)) continue
      for (let i = 0; i < this.size; i++) scores[i]! += scale * Math.max(0, (nearness[i]! - mean) / span)
    }
  }

  #why(parts: ReadonlyArray<Part>, index: number): ReadonlyArray<Reason> {
    const reasons: Array<Reason & { readonly weight: number }> = []
    for (const { said, terms } of parts) {
      let found: string | undefined
      let weight = 0
      for (const [term, w] of terms) {
        if (w <= weight) continue
        const posting = this.#postings.get(term)
        const inEntry = posting === undefined ? undefined : at(posting, index)
        if (inEntry !== undefined && w * inEntry.weight > weight) {
          found = term
          weight = w * inEntry.weight
        }
      }
      if (found === undefined) continue
      const own = [...terms].filter(([, w]) => w === 1).map(([term]) => term)
      const concept = own.includes(found) ? undefined : conceptOf(own, found)
      reasons.push({ asked: said, found: found.replaceAll("_", " "), concept, weight })
    }
    return reasons
      .toSorted((a, b) => b.weight - a.weight)
      .map(({ asked, concept, found }) => ({ asked, found, concept }))
  }
}

/** Postings are in the order of the entries. */
const at = (list: ReadonlyArray<Posting>, index: number): Posting | undefined => {
  let low = 0
  let high = list.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const found = list[middle]!
    if (found.index === index) return found
    if (found.index < index) low = middle + 1
    else high = middle - 1
  }
  return undefined
}

/** Numbers of the `limit` best scores above 0, best first; the same question gives the same order. */
const top = (scores: Float64Array, limit: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let i = 0; i < scores.length; i++) {
    if (!(scores[i]! > 0)) continue
    if (found.length === limit && scores[i]! <= scores[found[limit - 1]!]!) continue
    let low = 0
    let high = found.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (scores[found[middle]!]! >= scores[i]!) low = middle + 1
      else high = middle
    }
    found.splice(low, 0, i)
    if (found.length > limit) found.pop()
  }
  return found
}
