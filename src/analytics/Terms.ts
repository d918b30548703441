/**
 * What a template says and what a question asks, as weighted terms: words, phrases, halves of compounds, and for a question
 * whatever means about the same. Pure; ranking is left to SemanticIndex.ts.
 */
import { halves, near, phrasesAt } from "./Lexicon.ts"
import { type Tuning, tuning } from "./Tuning.ts"
import { isStopWord, split, stem } from "./Words.ts"

export interface Entry {
  readonly text: string
  /** Component or service that says it; counts less than the text. */
  readonly service?: string | undefined
}

/** Terms of an entry with their weight: own words and phrases 1, halves of compounds and words of the service less. */
export type Terms = ReadonlyMap<string, number>

/** Reads an entry: most of the work of an index, so that those who index again and again keep it. */
export const termsOf = (entry: Entry, t: Tuning = tuning): Terms => {
  const terms = new Map<string, number>()
  const enter = (term: string, weight: number) => terms.set(term, Math.max(weight, terms.get(term) ?? 0))
  const take = (text: string, weight: number) => {
    const { joined, words } = split(text)
    const stems = words.map(stem)
    for (const [at, word] of words.entries()) {
      for (const phrase of phrasesAt(stems, at)) enter(phrase.join("_"), weight)
      if (isStopWord(word) && !keptInTemplates.has(word)) continue
      enter(stems[at]!, weight)
      for (const half of halves(word) ?? []) enter(half, weight * t.half)
    }
    for (const word of joined) enter(stem(word), weight)
  }
  if (entry.service !== undefined) take(entry.service, t.service)
  take(entry.text, 1)
  return terms
}
/** Stop words of questions that mean something in a template. */
const keptInTemplates = new Set(["log", "list", "find", "up", "get", "line", "off", "out"])

/** One part of a question: a word or a phrase, with every term that answers it. */
export interface Part {
  readonly said: string
  readonly terms: ReadonlyMap<string, number>
}

/** The longest phrase that begins here, unless a longer one begins inside it. */
const phraseAt = (stems: ReadonlyArray<string>, at: number): ReadonlyArray<string> | undefined => {
  const phrase = phrasesAt(stems, at)[0]
  for (let inside = at + 1; inside < at + (phrase?.length ?? 0); inside++) {
    if ((phrasesAt(stems, inside)[0]?.length ?? 0) > phrase!.length) return undefined
  }
  return phrase
}

/** The parts of a question. The longest phrase that is known is one part. */
export const partsOf = (question: string, t: Tuning = tuning): ReadonlyArray<Part> => {
  const { words } = split(question)
  const stems = words.map(stem)
  const parts: Array<Part> = []
  for (let at = 0; at < words.length; at++) {
    const phrase = phraseAt(stems, at)
    const length = phrase?.length ?? 1
    const terms = new Map<string, number>()
    const enter = (term: string, weight: number) => terms.set(term, Math.max(weight, terms.get(term) ?? 0))
    const said = words.slice(at, at + length).join(" ")
    if (phrase !== undefined) {
      enter(phrase.join("_"), 1)
      enter(phrase.join(""), 1)
      for (let i = at; i < at + length; i++) if (!isStopWord(words[i]!)) enter(stems[i]!, t.inner)
      for (const [term, weight] of near(phrase.join("_"))) enter(term, weight)
      at += length - 1
    } else if (!isStopWord(said)) {
      enter(stems[at]!, 1)
      for (const [term, weight] of near(stems[at]!)) enter(term, weight)
      for (const half of halves(said) ?? []) enter(half, t.half)
      const next = words[at + 1]
      if (next !== undefined) enter(stem(said + next), 1)
    }
    if (terms.size > 0 && !parts.some((part) => part.said === said)) parts.push({ said, terms })
  }
  return parts
}

const bad = new Set([
  "fail",
  "unabl",
  "cannot",
  "err",
  "error",
  "deni",
  "refus",
  "reject",
  "crash",
  "broken",
  "corrupt",
  "lost"
])
const good = new Set(["success", "successful", "succeed", "ok", "correct", "recov", "normal", "finish", "complet"])
export type Tone = -1 | 0 | 1
/** −1: tells of failure, 1: of success, 0: of neither or both. */
export const tone = (terms: Iterable<string>): Tone => {
  let found = 0
  for (const term of terms) {
    if (bad.has(term)) found |= 1
    else if (good.has(term)) found |= 2
  }
  return found === 1 ? -1 : found === 2 ? 1 : 0
}
