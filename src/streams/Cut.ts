/** Cuts work into parts for one script each, bounded in number and characters, so that no script holds Redis for long. */

/** Characters of payloads in one part; a single larger one goes alone. */
const charsMax = 262_144

/** Parts of at most `countMax` in their order; `charsOf`: what one brings along. */
export const cut = <A>(
  all: ReadonlyArray<A>,
  countMax: number,
  charsOf: (one: A) => number
): ReadonlyArray<ReadonlyArray<A>> => {
  const parts: Array<Array<A>> = []
  let part: Array<A> = []
  let chars = 0
  for (const one of all) {
    const own = charsOf(one)
    if (part.length > 0 && (part.length >= countMax || chars + own > charsMax)) {
      parts.push(part)
      part = []
      chars = 0
    }
    part.push(one)
    chars += own
  }
  if (part.length > 0) parts.push(part)
  return parts
}
