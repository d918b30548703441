/**
 * Finds which of many words occur in a text, all in one pass over it (Aho and Corasick, 1975). Promises time linear in the text
 * and in what is found, whatever the words are. Pure.
 */
export interface Words {
  /** Calls `found` with the index of each word that occurs in `text`, once for each place where one ends. */
  readonly each: (text: string, found: (word: number) => void) => void
}

/** Characters that have a column of their own; what no word contains shares column 0. */
const columnsOf = (words: ReadonlyArray<string>): Uint16Array => {
  const columns = new Uint16Array(65_536)
  let next = 1
  for (const word of words) {
    for (let i = 0; i < word.length; i++) {
      const code = word.charCodeAt(i)
      if (columns[code] === 0) columns[code] = next++
    }
  }
  return columns
}

/** None of the words may be empty. */
export const makeWords = (words: ReadonlyArray<string>): Words => {
  const columns = columnsOf(words)
  const width = columns.reduce((most, column) => Math.max(most, column), 0) + 1
  const states = words.reduce((total, word) => total + word.length, 1)
  const next = new Int32Array(states * width)
  /** The word that ends in a state, plus one; and the next shorter state in which one ends. */
  const ends = new Int32Array(states)
  const shorter = new Int32Array(states)
  let size = 1
  for (const [index, word] of words.entries()) {
    let state = 0
    for (let i = 0; i < word.length; i++) {
      const at = state * width + columns[word.charCodeAt(i)]!
      if (next[at] === 0) next[at] = size++
      state = next[at]!
    }
    ends[state] = index + 1
  }
  const fail = new Int32Array(size)
  const queue: Array<number> = [0]
  for (const state of queue) {
    for (let column = 1; column < width; column++) {
      const at = state * width + column
      const child = next[at]!
      const other = state === 0 ? 0 : next[fail[state]! * width + column]!
      if (child === 0) {
        next[at] = other
        continue
      }
      fail[child] = other
      shorter[child] = ends[other] === 0 ? shorter[other]! : other
      queue.push(child)
    }
  }
  return {
    each: (text, found) => {
      let state = 0
      for (let i = 0; i < text.length; i++) {
        state = next[state * width + columns[text.charCodeAt(i)]!]!
        if (state === 0) continue
        for (let end = ends[state] === 0 ? shorter[state]! : state; end !== 0; end = shorter[end]!)
          found(ends[end]! - 1)
      }
    }
  }
}
