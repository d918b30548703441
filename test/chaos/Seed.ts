/** Chance that can be repeated: all that a run of chaos decides by lot comes from one number, which is printed. Pure. */

export interface Dice {
  /** In [0, 1). */
  readonly next: () => number
  /** A whole number from `from` to `to`, both included. */
  readonly int: (from: number, to: number) => number
  readonly pick: <A>(all: ReadonlyArray<A>) => A
  /** One of them, more often where its weight is greater. */
  readonly weighted: <A extends { readonly weight: number }>(all: ReadonlyArray<A>) => A
  /** Dice of their own for one purpose, so that asking more often here changes nothing there. */
  readonly fork: (purpose: string) => Dice
}

/** A seed nobody has chosen. */
export const anySeed = (): number => Math.floor(Math.random() * 1_000_000)

export const dice = (seed: number): Dice => {
  let state = seed | 0
  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const int = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1))
  return {
    next,
    int,
    pick: (all) => all[int(0, all.length - 1)] as (typeof all)[number],
    weighted: (all) => {
      let left = next() * all.reduce((sum, one) => sum + one.weight, 0)
      return all.find((one) => (left -= one.weight) < 0) ?? (all.at(-1) as (typeof all)[number])
    },
    fork: (purpose) => {
      let mixed = seed | 0
      for (const letter of purpose) mixed = Math.imul(mixed ^ (letter.codePointAt(0) ?? 0), 0x01000193)
      return dice(mixed)
    }
  }
}
