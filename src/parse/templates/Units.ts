/** What a message is cut into: units, each of a kind. Shared by those who cut (Tokens.ts) and those who compare. */

/** Stands for a variable in a signature. A message holds no such character: the formats clean it away, and scan skips it. */
export const hole = "\u0001"

export const gap = 0
export const word = 1
/** A word that looks like a name: dotted, or with `_`, `/`, `\`, `$`, or upper case inside. */
export const name = 2
/** Variable, but its text is told in the template as long as it stays the same. */
export const weak = 3
export const variable = 4
/** A word that has turned out to vary: set by the miner. */
export const opened = 5

/** The units of the message scanned last: used again for each message, so that a line makes no arrays. */
export interface Units {
  /** How many there are. */
  size: number
  readonly kinds: Array<number>
  readonly texts: Array<string>
}

export const makeUnits = (): Units => ({ size: 0, kinds: [], texts: [] })
