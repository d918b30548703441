/**
 * What the page needs to know of the query language: how the level chips join the typed query, how a click adds a term,
 * and which words to mark in a message. Parsing and judging stay with the server, so the two cannot disagree.
 */
import type { Level } from "../src/domain/Level.ts"

export const levels = [
  "unknown",
  "trace",
  "debug",
  "info",
  "warn",
  "error",
  "fatal"
] as const satisfies ReadonlyArray<Level>

const isLevel = (word: string): word is Level => (levels as ReadonlyArray<string>).includes(word)

/** Levels of a URL parameter such as `error,fatal`, in order of severity; unknown words are passed over. */
export const levelsOf = (parameter: string | undefined): ReadonlyArray<Level> => {
  const named = new Set((parameter ?? "").split(",").filter(isLevel))
  return levels.filter((level) => named.has(level))
}

/** The query that asks for both: the typed one and any of the chosen levels. No level chosen means all. */
export const compose = (typed: string, chosen: ReadonlyArray<Level>): string => {
  const query = typed.trim()
  if (chosen.length === 0 || chosen.length === levels.length) return query
  const terms = chosen.map((level) => `level:${level}`).join(" OR ")
  const anyOf = chosen.length === 1 ? terms : `(${terms})`
  if (query === "") return anyOf
  return /\bOR\b/u.test(query) ? `(${query}) ${anyOf}` : `${query} ${anyOf}`
}

/** A value as a term can hold it: bare where it may be, else quoted. */
const literal = (value: string): string =>
  /^[\w.@/-]+$/u.test(value) && !/^(?:OR|NOT)$/u.test(value) ? value : `"${value.replace(/["\\]/gu, "\\$&")}"`

/** The query with `field:value` added once. */
export const withTerm = (query: string, field: string, value: string): string => {
  const term = `${field}:${literal(value)}`
  if (query.split(/\s+/u).includes(term)) return query
  return `${query.trim()} ${term}`.trim()
}

/** Words and phrases of the query that a message must hold, lower-case: what is worth marking. */
export const wordsOf = (query: string): ReadonlyArray<string> => {
  const words: Array<string> = []
  for (const match of query.matchAll(
    /(?<not>-|NOT\s+)?(?<field>[\w.@-]+:)?(?:"(?<phrase>[^"]*)"|(?<word>[^\s()"]+))/gu
  )) {
    const { field, not, phrase, word } = match.groups ?? {}
    const text = phrase ?? word ?? ""
    if (not !== undefined || field !== undefined || text === "" || text === "OR" || text === "NOT") continue
    if (!text.includes(":")) words.push(text.toLowerCase())
  }
  return words
}

export interface Piece {
  /** Where it begins in the message. */
  readonly at: number
  readonly text: string
  readonly marked: boolean
}

/** The message cut into pieces, of which some are to be marked. */
export const cut = (message: string, words: ReadonlyArray<string>): ReadonlyArray<Piece> => {
  if (words.length === 0) return [{ at: 0, text: message, marked: false }]
  const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&"))
  let at = 0
  return message.split(new RegExp(`(${escaped.join("|")})`, "giu")).flatMap((text, index) => {
    const piece = { at, text, marked: index % 2 === 1 }
    at += text.length
    return text === "" ? [] : [piece]
  })
}
