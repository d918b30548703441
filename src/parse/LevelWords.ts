/**
 * Finds the level of a text where loggers put it: a word in brackets or between bars, an upper-case word of the header, a
 * first word before a colon, `level=…`. Words of running text ("no error found") are no level. The words themselves are
 * domain/Level's; here are only the abbreviations that some loggers print.
 */
import { type Level, fromName } from "../domain/Level.ts"

const abbreviations: Readonly<Record<string, Level>> = {
  trc: "trace",
  trce: "trace",
  vrb: "trace",
  verb: "trace",
  finest: "trace",
  silly: "trace",
  dbug: "debug",
  deb: "debug",
  debug1: "debug",
  debug2: "debug",
  debug3: "debug",
  debug4: "debug",
  debug5: "debug",
  inf: "info",
  note: "info",
  noti: "info",
  success: "info",
  http: "info",
  hint: "info",
  statement: "info",
  detail: "info",
  wrn: "warn",
  warnings: "warn",
  errors: "error",
  exception: "error",
  failed: "error",
  eror: "error",
  fehler: "error",
  ftl: "fatal",
  fatl: "fatal",
  crt: "fatal",
  critic: "fatal",
  emrg: "fatal"
}

/** A level as a field's value names it: any word that loggers print, in any case. */
export const levelOfWord = (word: string): Level | undefined => {
  const lower = word.trim().toLowerCase()
  if (lower.length === 0 || lower.length > 16) return undefined
  return (Object.hasOwn(abbreviations, lower) ? abbreviations[lower] : undefined) ?? fromNameOwn(lower)
}

const letters: Readonly<Record<string, Level>> = {
  T: "trace",
  V: "trace",
  D: "debug",
  I: "info",
  W: "warn",
  E: "error",
  F: "fatal"
}

/** The level that a logger abbreviates to one letter, in capitals. */
export const levelOfLetter = (letter: string): Level | undefined => letters[letter]

// fromName looks into a plain object: "constructor" must not be a level.
const fromNameOwn = (lower: string): Level | undefined => {
  const level = fromName(lower)
  return typeof level === "string" ? level : undefined
}

/** Upper-case words that are a level wherever they stand in a header. */
const upper = new Map<string, Level>(
  (
    "TRACE VERBOSE FINEST FINER DEBUG FINE INFO NOTICE WARN WARNING ERROR ERR SEVERE FATAL CRITICAL CRIT EMERG EMERGENCY " +
    "PANIC FAILURE TRC DBG INF WRN FTL DBUG"
  )
    .split(" ")
    .map((word) => [word, levelOfWord(word)!])
)
/** Words in brackets, bars or before a colon, in any case; the ambiguous ones of domain/Level are left out. */
const marked = new Map<string, Level>(
  (
    "trace verbose finest finer debug fine info information informational notice note log config warn warning error err " +
    "severe fail fatal critical crit alert emerg emergency panic failure trc trce dbg dbug inf wrn ftl statement hint detail"
  )
    .split(" ")
    .map((word) => [word, levelOfWord(word)!])
)

/** Position, end and level of the word found last. */
export const word = { level: "unknown" as Level, start: 0, end: 0 }
const accept = (level: Level, start: number, end: number): true => {
  word.level = level
  word.start = start
  word.end = end
  return true
}

const isLetter = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
const isUpper = (code: number): boolean => code >= 65 && code <= 90
/** What may stand before a level word: blank, tab, and any of `.[(|*:,-<`. */
const opens = (code: number): boolean => code === 32 || code === 9 || opening.has(code)
const opening = new Set(Array.from(".[(|*:,-<", (char) => char.charCodeAt(0)))
/** What may stand behind one: blank, tab, the end, and any of `:,])|[->`. */
const closes = (code: number): boolean => code === 32 || code === 9 || Number.isNaN(code) || ending.has(code)
const ending = new Set(Array.from(":,])|[->", (char) => char.charCodeAt(0)))
const closing = (open: number): number =>
  open === 91 ? 93 : open === 40 ? 41 : open === 60 ? 62 : open === 123 ? 125 : open === 124 ? 124 : 0
const maxWords = 10
const maxHeader = 200

/** Gitea and others print `[W]` behind the time. */
const single = new Map(Array.from("TDIWEF", (char) => [char.charCodeAt(0), levelOfLetter(char)!]))

/** Whether a stretch `[` … `]` beginning at `i` holds a level alone, or after a module's name (`[core:error]`). */
const bracketed = (text: string, i: number, close: number, limit: number, loose: boolean): boolean => {
  let end = i + 1
  while (end < limit && end - i <= 40 && text.charCodeAt(end) !== close) end++
  if (text.charCodeAt(end) !== close) return false
  if (end === i + 2) {
    const letter = loose && close === 93 ? single.get(text.charCodeAt(i + 1)) : undefined
    return letter !== undefined && accept(letter, i, end + 1)
  }
  const content = text.slice(i + 1, end).trim()
  const level = marked.get((content.length > 16 ? content.slice(content.lastIndexOf(":") + 1) : content).toLowerCase())
  if (level !== undefined) return accept(level, i, end + 1)
  const colon = content.lastIndexOf(":")
  const after = colon === -1 ? undefined : marked.get(content.slice(colon + 1).toLowerCase())
  return after !== undefined && accept(after, i, end + 1)
}

/**
 * The level in the header of `text` from `from` on. `loose`: `from` stands right behind a time, so a first word counts in
 * any case. On success `word` holds it.
 */
export const levelInHeader = (text: string, from: number, loose: boolean): boolean => {
  const limit = Math.min(text.length, from + maxHeader)
  let first = true
  // Whether only words with a colon came so far: "security: error: …".
  let chain = true
  let words = 0
  let i = from
  while (i < limit && words < maxWords) {
    const code = text.charCodeAt(i)
    if (!isLetter(code)) {
      const close = closing(code)
      if (close !== 0 && bracketed(text, i, close, limit, loose)) return true
      if (code === 32 && !first) words++
      i++
      continue
    }
    let end = i + 1
    let next = text.charCodeAt(end)
    let capitals = isUpper(code)
    while (isLetter(next) || (next >= 48 && next <= 57) || next === 95) {
      if (!isUpper(next)) capitals = false
      next = text.charCodeAt(++end)
    }
    const before = i === 0 ? 32 : text.charCodeAt(i - 1)
    if (end - i > 2 && end - i < 14 && opens(before) && closes(next)) {
      // A word in capitals counts anywhere in the header, another only as its first.
      const leads = first ? loose || next === 58 : chain && next === 58
      if (capitals ? before !== 45 : leads) {
        const name = text.slice(i, end)
        const level = capitals && !leads ? upper.get(name) : marked.get(name.toLowerCase())
        if (level !== undefined) return accept(level, i, end)
      }
    }
    // Behind ": " the message has begun.
    if (next === 58 && text.charCodeAt(end + 1) === 32 && words > 2) return false
    first = false
    if (next !== 58 && next !== 45) chain = false
    i = end
  }
  return false
}

const pair = /\b(?:level|severity|lvl|loglevel|log_level)["']?[=:][ ]?["']?([A-Za-z]{3,13})\b/iu

/** The level that a `level=…` pair names, within the first two thousand characters. */
export const levelInPair = (text: string): Level | undefined => {
  const head = text.length > 2000 ? text.slice(0, 2000) : text
  if (!/lev|lvl|sev/iu.test(head)) return undefined
  const found = pair.exec(head)
  return found === null ? undefined : marked.get(found[1]!.toLowerCase())
}

/** A line that opens with an exception's name: what a runtime prints when nothing caught it. */
const exception =
  /^(?:Traceback \(most recent call last\)|Exception in thread |Caused by: |Unhandled (?:exception|rejection)|Uncaught |(?:[\w$]{1,60}\.){0,12}[A-Z][\w$]{0,80}(?:Exception|Error)(?::|$))/u
export const isException = (text: string): boolean => exception.test(text)

/** The level that the message of a format without level of its own shows. */
export const levelOfMessage = (message: string): Level | undefined => {
  if (levelInHeader(message.length > 80 ? message.slice(0, 80) : message, 0, false)) return word.level
  return levelInPair(message)
}
