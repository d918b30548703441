/**
 * The vector of a text, made without a model and without a network: its words, their meanings (Lexicon.ts) and their
 * letter n-grams, each a few signs at hashed places of 256 numbers. Promises that a text has one vector whatever else is
 * stored, so that only new texts need one. What comes from a provider is left to ingest.
 */
import { groupsWith, phrasesAt } from "./Lexicon.ts"
import { isStopWord, split, stem } from "./Words.ts"

/** Numbers of an offline vector. */
export const dimensions = 256
/** Told with every offline vector; another name makes them all anew. */
export const offlineModel = "offline:1"

const shares = { word: 1, member: 0.8, related: 0.3, letters: 0.25 }
/** Places that one feature writes to. */
const places = 4

/** FNV-1a, then mixed so that neighbours differ in all bits. */
const hash = (text: string): number => {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const write = (vector: Float32Array, feature: string, weight: number): void => {
  let h = hash(feature)
  for (let i = 0; i < places; i++) {
    vector[h & (dimensions - 1)]! += (h & 0x10000) === 0 ? weight : -weight
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) >>> 0
  }
}

/** The unit vector of a text; all zeros where it holds no word. */
export const embed = (text: string): Float32Array => {
  const vector = new Float32Array(dimensions)
  const words = split(text).words
  const stems = words.map(stem)
  const seen = new Set<string>()
  const term = (name: string) => {
    if (seen.has(name)) return
    seen.add(name)
    const memberships = groupsWith(name)
    // A word of many meanings says less of each.
    const weight = 1 / Math.sqrt(1 + memberships.length / 4)
    write(vector, `w ${name}`, shares.word * weight)
    for (const { group, member } of memberships) {
      write(vector, `g ${group}`, (member ? shares.member : shares.related) * weight)
    }
  }
  for (const [i, word] of words.entries()) {
    for (const phrase of phrasesAt(stems, i)) term(phrase.join("_"))
    if (isStopWord(word)) continue
    term(stems[i]!)
    const padded = `^${word}$`
    for (let n = 3; n <= 4; n++) {
      for (let at = 0; at + n <= padded.length; at++) write(vector, `l ${padded.slice(at, at + n)}`, shares.letters / n)
    }
  }
  return normalise(vector)
}

/** The vector at length 1, in place; all zeros stay. */
export const normalise = (vector: Float32Array): Float32Array => {
  let sum = 0
  for (const value of vector) sum += value * value
  if (sum > 0) {
    const by = 1 / Math.sqrt(sum)
    for (let i = 0; i < vector.length; i++) vector[i]! *= by
  }
  return vector
}

/**
 * Vectors of many entries side by side, for asking all of them at once. What all have in common (their mean) is taken off, since
 * it tells nothing apart.
 */
export class Matrix {
  readonly #rows: Float32Array
  readonly #mean: Float32Array
  /** Too few have nothing but what they have in common: then nothing is taken off. */
  readonly #centres: boolean
  readonly dims: number
  readonly size: number

  /** Every vector has length 1 and `dims` numbers; undefined or of another size counts as nothing known. */
  constructor(vectors: ReadonlyArray<Float32Array | undefined>, dims: number) {
    this.size = vectors.length
    this.dims = dims
    this.#rows = new Float32Array(dims * vectors.length)
    this.#mean = new Float32Array(dims)
    let known = 0
    for (const vector of vectors) {
      if (vector?.length !== dims) continue
      known++
      for (let i = 0; i < dims; i++) this.#mean[i]! += vector[i]!
    }
    for (let i = 0; i < dims; i++) this.#mean[i]! /= Math.max(1, known)
    this.#centres = known > 2
    for (const [row, vector] of vectors.entries()) {
      if (vector?.length === dims) this.#rows.set(this.#centred(vector), row * dims)
    }
  }

  get bytes(): number {
    return this.#rows.byteLength
  }

  #centred(vector: Float32Array): Float32Array {
    return normalise(this.#centres ? vector.map((value, i) => value - this.#mean[i]!) : Float32Array.from(vector))
  }

  /** Cosine of each entry to the question, −1 to 1. */
  nearness(question: Float32Array): Float32Array {
    const out = new Float32Array(this.size)
    if (question.length !== this.dims) return out
    const q = this.#centred(question)
    for (let row = 0; row < this.size; row++) {
      let sum = 0
      const from = row * this.dims
      for (let i = 0; i < this.dims; i++) sum += q[i]! * this.#rows[from + i]!
      out[row] = sum
    }
    return out
  }
}
