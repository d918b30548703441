/** Walks the lines of a body that is all there, without cutting it up first. */

const isBlank = (bytes: Buffer, from: number, to: number): boolean => {
  for (let i = from; i < to; i++) if (bytes[i]! > 32) return false
  return true
}

/** Start and end of each line that is not blank, with neither `\n` nor `\r` at its end. */
export const eachLine = function* (bytes: Buffer): Generator<readonly [start: number, end: number]> {
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(10, start)
    const stop = found < 0 ? bytes.length : found
    const end = stop > start && bytes[stop - 1] === 13 ? stop - 1 : stop
    if (!isBlank(bytes, start, end)) yield [start, end]
    start = stop + 1
  }
}
