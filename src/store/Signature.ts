/**
 * The signature of a block of lines: a bit array that says for a piece of text or a value whether the block can hold it.
 * Pure. Promises never to deny what is there (soundness; BlockPrune.ts relies on it), and that a signature is as small as
 * what it holds: a third of a kilobyte for a few lines, one page of Postgres at most. What is asked of it is left to others.
 *
 * In it stand every stretch of four characters of the folded messages, two bits each, and whole values (service, attributes,
 * trace, span and template ids), four bits each: a word has many stretches to be denied by, a value is alone. A signature of half the size is the two halves laid over each other, so a bit's
 * place in any size is its place in the largest, modulo that size.
 */
/** Bits of the largest signature. With the rest of the row it fits into a page of 8 KB, so it is never stored apart. */
export const maxBits = 61_440
/** Bits of the smallest. */
const minBits = 480
/** A block is closed when this many bits of the largest signature are set: beyond it too many questions are answered "maybe". */
export const fullBits = 15_360
/** Characters of one stretch. */
export const gramLength = 4

const maxWords = maxBits / 32
/** Where İ lowers to i and a dot above in JavaScript, some servers leave the dot out: it counts for nothing. */
const dotAbove = 0x307
const finalSigma = 0x3c2
const sigma = 0x3c3

/** Text as it stands in signatures: lower case, where no two servers differ. */
export const canonical = (text: string): string =>
  text.toLowerCase().replaceAll("\u0307", "").replaceAll("\u03c2", "\u03c3")

const mix = (key: number): number => {
  let h = Math.imul(key ^ (key >>> 15), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** A hash's two places in the largest signature. */
const placeA = (hash: number): number => ((hash & 0xffff) * 15) >> 4
const placeB = (hash: number): number => ((hash >>> 16) * 15) >> 4
/** The places that are set for a stretch. */
export const gramPlaces = (hash: number): ReadonlyArray<number> => [placeA(hash), placeB(hash)]
const second = (hash: number): number => mix(hash ^ 0x5bd1e995)
/** The places that are set for a whole value. */
export const valuePlaces = (hash: number): ReadonlyArray<number> => [hash, second(hash)].flatMap(gramPlaces)

/** One more character of a stretch; four of them fill the key. Characters beyond Latin-1 are folded to eight bits. */
const shift = (key: number, unit: number): number =>
  (key << 8) | ((unit > 0xff ? unit ^ Math.imul(unit >> 8, 0x6d) : unit) & 0xff)

/** The hashes of every stretch of text that is canonical; none where it is shorter than one. */
export const gramHashes = (text: string): ReadonlyArray<number> => {
  const hashes: Array<number> = []
  let key = 0
  for (let i = 0; i < text.length; i++) {
    key = shift(key, text.charCodeAt(i))
    if (i >= gramLength - 1) hashes.push(mix(key))
  }
  return hashes
}

const textHash = (seed: number, text: string): number => {
  let h = seed
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h
}

/** Hashes of whole values. */
export const serviceHash = (service: string): number => mix(textHash(0x2545f491, canonical(service)))
export const traceHash = (field: "trace_id" | "span_id", id: string): number =>
  mix(textHash(field === "trace_id" ? 0x1b873593 : 0x38b34ae5, id))
export const templateHash = (id: string): number => mix(textHash(0x6a09e667, id))
/** Of the attribute `path`, dotted: the seed of its values' hashes; mixed, it says that the attribute is there. */
export const pathSeed = (path: string): number => textHash(0x3c6ef372, path)
export const existsHash = (seed: number): number => mix(seed)
export const valueHash = (seed: number, value: string): number => mix(textHash(seed ^ 0x510e527f, canonical(value)))

/** Collects a block's items; `take` gives the signature and begins anew. */
export class SignatureBuilder {
  readonly #words = new Int32Array(maxWords)
  /** Bits set in the largest signature. */
  set = 0

  #put(place: number): void {
    const bit = 1 << (place & 31)
    const word = this.#words[place >> 5]!
    if ((word & bit) !== 0) return
    this.#words[place >> 5] = word | bit
    this.set++
  }

  /** Adds a whole value. */
  add(hash: number): void {
    this.#put(placeA(hash))
    this.#put(placeB(hash))
    const other = second(hash)
    this.#put(placeA(other))
    this.#put(placeB(other))
  }

  /** Adds every stretch of a message. */
  addMessage(message: string): void {
    const text = message.toLowerCase()
    let key = 0
    let have = 0
    for (let i = 0; i < text.length; i++) {
      let unit = text.charCodeAt(i)
      if (unit > 0xff) {
        if (unit === dotAbove) continue
        if (unit === finalSigma) unit = sigma
      }
      key = shift(key, unit)
      if (++have < gramLength) continue
      const hash = mix(key)
      this.#put(placeA(hash))
      this.#put(placeB(hash))
    }
  }

  /** The signature, halved as often as it stays clear enough. */
  take(): Uint8Array {
    let words = this.#words.slice()
    let bits = maxBits
    while (bits > minBits) {
      const half = halved(words)
      if (popcount(half) > (bits / 2) * 0.25) break
      words = half
      bits /= 2
    }
    this.#words.fill(0)
    this.set = 0
    // The order of bytes in memory is Postgres' order of bits only where the low byte comes first.
    const bytes = new Uint8Array(bits / 8)
    for (let i = 0; i < bytes.length; i++) bytes[i] = (words[i >> 2]! >>> ((i & 3) * 8)) & 0xff
    return bytes
  }
}

/** The lower half with the upper half laid over it. */
const halved = (words: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
  const half = words.length / 2
  const out = words.slice(0, half)
  for (let i = 0; i < half; i++) out[i]! |= words[half + i]!
  return out
}

const popcount = (words: Int32Array): number => {
  let count = 0
  for (let word of words) {
    word -= (word >>> 1) & 0x55555555
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333)
    count += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
  }
  return count
}
