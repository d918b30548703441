/**
 * What a rule has seen of a field, so that it can tell what is new: learns in silence first. Promises bounded memory: past
 * `valuesMax` values nothing is new any more, and `full` says so. Pure.
 */

/** Values that are remembered. */
export const valuesMax = 10_000

/** 53 bits of a text: two values are taken for one about once in 10⁸ full memories. */
export const hashOf = (text: string): number => {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 2_654_435_761)
    b = Math.imul(b ^ code, 1_597_334_677)
  }
  a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909)
  b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909)
  return 4_294_967_296 * (2_097_151 & b) + (a >>> 0)
}

export type News =
  /** Seen before. */
  | "known"
  /** New, while the rule learns: known from now on. */
  | "learnt"
  | "new"
  /** Not seen, but there is no room to remember it. */
  | "full"

export class Novelty {
  private readonly learnMs: number
  private readonly values: Set<number>
  /** When the first line came; undefined before. */
  private since: number | undefined
  /** Whether it knows more than was written. */
  changed = false

  constructor(learnMs: number, kept: string | undefined) {
    this.learnMs = learnMs
    const [since, values] = JSON.parse(kept ?? "[null,[]]") as readonly [number | null, ReadonlyArray<number>]
    this.since = since ?? undefined
    this.values = new Set(values)
  }

  get full(): boolean {
    return this.values.size >= valuesMax
  }

  /** As text, to be read back. */
  get kept(): string {
    return JSON.stringify([this.since ?? null, [...this.values]])
  }

  look(key: string, now: number): News {
    if (this.since === undefined) {
      this.since = now
      this.changed = true
    }
    const hash = hashOf(key)
    if (this.values.has(hash)) return "known"
    if (this.full) return "full"
    if (now - this.since >= this.learnMs) return "new"
    this.values.add(hash)
    this.changed = true
    return "learnt"
  }

  /** Remembers a value. */
  add(key: string): void {
    const hash = hashOf(key)
    if (this.full || this.values.has(hash)) return
    this.values.add(hash)
    this.changed = true
  }
}
