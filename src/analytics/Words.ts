/**
 * Words of a template or a question: camelCase, snake_case and dotted names taken apart, placeholders left out, endings cut
 * off. Pure, never throws, linear in the text, of which it reads the first 4,000 characters and 400 words. What words mean is
 * left to Lexicon.ts.
 */

/** Characters of a text that are read. */
const textMax = 4_000
/** Words of a text that are kept. */
const wordsMax = 400

/** What a miner or a redaction put in place of something variable: `<*>`, `<ip>`, `[REDACTED]`, `{}`. */
const placeholders = /<[*\w:.-]{1,40}>|\[REDACTED[^\]\s]{0,40}\]/giu

const contractions: ReadonlyArray<readonly [RegExp, string]> = [
  [/\bcan['’]t\b/giu, "cannot"],
  [/\bwon['’]t\b/giu, "will not"],
  [/\b([a-z]{2,6})n['’]t\b/giu, "$1 not"],
  [/['’](?:s|re|ve|d|ll|m)\b/giu, ""]
]

const pieces = /[\p{L}\p{N}]+/gu
/** `HTTPServer2x` → HTTP Server2x, `addBlock` → add Block. */
const humps = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u

const plain = (text: string): string => {
  let out = text.slice(0, textMax).replaceAll(placeholders, " ")
  for (const [pattern, by] of contractions) out = out.replaceAll(pattern, by)
  return out
}

const isNumber = /^\p{N}+$/u

/**
 * Lower-case words in their order, numbers and single letters left out. `joined` are names of two or three parts written as
 * one (`NameNode` → "namenode"), for those who ask for them so.
 */
export const split = (
  text: string
): { readonly words: ReadonlyArray<string>; readonly joined: ReadonlyArray<string> } => {
  const words: Array<string> = []
  const joined: Array<string> = []
  for (const [piece] of plain(text).matchAll(pieces)) {
    if (words.length >= wordsMax) break
    const parts = piece.length > 64 ? [piece.slice(0, 64)] : piece.split(humps)
    if (parts.length > 1 && parts.length < 4) joined.push(piece.toLowerCase())
    for (const part of parts) {
      if (part.length > 1 && !isNumber.test(part)) words.push(part.toLowerCase())
    }
  }
  return { words, joined }
}

/** Words that say nothing about what is searched for. */
const stopWords = new Set(
  (
    "a an the this that these those it its he she they them their his her we our us you your my me i is are was were be been " +
    "being am do does did doing has have had having will would shall should may might must to of in on at by for with from as " +
    "into onto upon about against between during before after above under over out off then than so too very just also and or " +
    "but if because while where when why how what which who whom whose there here any some all each every other another such " +
    "own same via per show tell give list find me logs log lines line entries happen happened happens happening occur " +
    "occurred please did get got gets let make made put still yet ever once anyone anything something somebody someone up " +
    "due near like"
  ).split(" ")
)
export const isStopWord = (word: string): boolean => stopWords.has(word)

const vowel = /[aeiouy]/u
const doubled = /([^aeiouylsz])\1$/u

/** Steps that cut one ending each: the first that fits in a list is taken. The number is what must be left before it. */
const plural: ReadonlyArray<readonly [string, string, number]> = [
  ["sses", "ss", 1],
  ["ches", "ch", 2],
  ["shes", "sh", 2],
  ["xes", "x", 2],
  ["ies", "y", 2],
  ["ss", "ss", 1],
  ["us", "us", 1],
  ["is", "is", 1],
  ["s", "", 2]
]
const derived: ReadonlyArray<readonly [string, string, number]> = [
  ["ization", "iz", 2],
  ["isation", "iz", 2],
  ["ational", "at", 3],
  ["fulness", "ful", 3],
  ["iveness", "iv", 3],
  ["ation", "at", 3],
  ["ssion", "ss", 2],
  ["sion", "s", 3],
  ["tion", "t", 3],
  ["ment", "", 5],
  ["ness", "", 4],
  ["fully", "ful", 3],
  ["ally", "al", 3],
  ["ly", "", 4],
  ["ise", "iz", 4],
  ["ize", "iz", 3]
]

const cut = (word: string, list: ReadonlyArray<readonly [string, string, number]>): string => {
  for (const [ending, by, least] of list) {
    if (word.endsWith(ending) && word.length - ending.length >= least) return word.slice(0, -ending.length) + by
  }
  return word
}

const participle = (word: string): string => {
  const ending = word.endsWith("ing") ? "ing" : word.endsWith("ied") ? "ied" : word.endsWith("ed") ? "ed" : ""
  const left = word.slice(0, word.length - ending.length)
  if (ending === "" || left.length < 3 || !vowel.test(left)) return word
  if (ending === "ied") return `${left}y`
  return doubled.test(left) ? left.slice(0, -1) : left
}

const stems = new Map<string, string>()
/** Words whose stem is remembered. */
const stemsMax = 20_000

/** The word without its ending: "connections", "connecting" → "connect". Meant for comparing, not for reading. */
export const stem = (word: string): string => {
  const known = stems.get(word)
  if (known !== undefined) return known
  let out = word
  if (word.length > 3) {
    out = cut(participle(cut(word, plural)), derived)
    if (out.length > 3 && out.endsWith("e")) out = out.slice(0, -1)
    if (out.length > 3 && out.endsWith("y")) out = `${out.slice(0, -1)}i`
  }
  if (stems.size >= stemsMax) stems.clear()
  stems.set(word, out)
  return out
}
