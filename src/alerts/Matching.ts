/**
 * Which rules a line can matter to. Promises exactly the lines that each query selects, at a cost that hardly grows with the
 * number of queries: each is filed under something that a line must have (a word, a service, a value of an attribute, a template,
 * a level), and is tried only on lines that have it. Queries of the same text are tried once. Pure.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { type Level, levels, severity } from "../domain/Level.ts"
import * as Query from "../domain/Query.ts"
import { type Words, makeWords } from "./Words.ts"

/** What a line must have: any of these, for the query to select it. */
type Anchor =
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "service"; readonly name: string }
  | { readonly kind: "attribute"; readonly path: string; readonly value: string }
  | { readonly kind: "template"; readonly id: number }
  | { readonly kind: "level"; readonly level: Level }

/** The lower, the fewer lines have it, as a rule. */
const rank: Readonly<Record<Anchor["kind"], number>> = { attribute: 0, template: 0, word: 1, service: 2, level: 3 }
/** Alternatives that a query may be filed under. */
const anchorsMax = 50
/** Characters of a word that lines are searched for; the query looks at the rest. */
const wordMax = 32

const levelAnchors = (op: ">" | ">=" | "<" | "<=" | "=", level: Level): ReadonlyArray<Anchor> => {
  const wanted = severity[level]
  return levels
    .filter((one) => {
      const has = severity[one]
      return op === "="
        ? one === level
        : op === ">"
          ? has > wanted
          : op === ">="
            ? has >= wanted
            : op === "<"
              ? has < wanted
              : has <= wanted
    })
    .map((one) => ({ kind: "level", level: one }))
}

const worst = (anchors: ReadonlyArray<Anchor>): number =>
  anchors.length === 0 ? -1 : Math.max(...anchors.map(({ kind }) => rank[kind])) + anchors.length / 100

/** Anchors one of which every selected line has; undefined where the query has none. */
const anchorsOf = (query: Query.Query): ReadonlyArray<Anchor> | undefined => {
  switch (query._tag) {
    case "And": {
      const found = query.parts.map(anchorsOf).filter((anchors) => anchors !== undefined)
      return found.toSorted((a, b) => worst(a) - worst(b))[0]
    }
    case "Or": {
      const all: Array<Anchor> = []
      for (const part of query.parts) {
        const found = anchorsOf(part)
        if (found === undefined) return undefined
        all.push(...found)
      }
      return all.length > anchorsMax ? undefined : all
    }
    case "Word":
      return [{ kind: "word", text: query.text.toLowerCase().slice(0, wordMax) }]
    case "Service":
      return query.pattern.length === 1 ? [{ kind: "service", name: query.pattern[0]!.toLowerCase() }] : undefined
    case "Attribute":
      return query.path.length === 1 && query.pattern.length === 1 && query.pattern[0] !== ""
        ? [{ kind: "attribute", path: query.path[0]!, value: query.pattern[0]!.toLowerCase() }]
        : undefined
    case "Template":
      return [{ kind: "template", id: Number(query.id) }]
    case "Level":
      return levelAnchors(query.op, query.level)
    default:
      return undefined
  }
}

/** The one service whose lines alone a query selects, in lower case; undefined where it may be any. */
export const serviceOf = (query: Query.Query): string | undefined => {
  if (query._tag === "Service") return query.pattern.length === 1 ? query.pattern[0]!.toLowerCase() : undefined
  if (query._tag !== "And") return undefined
  for (const part of query.parts) {
    const found = serviceOf(part)
    if (found !== undefined) return found
  }
  return undefined
}

interface Filed {
  readonly selects: (event: LogEvent) => boolean
  readonly index: number
  /** The last line that it was tried on. */
  tried: number
}

export interface Matching {
  /**
   * Shows lines to all queries. Answers, for each query that selected any, its index and the indices of its lines; what is answered
   * is good until the next call.
   */
  readonly run: (
    events: ReadonlyArray<LogEvent>
  ) => ReadonlyArray<readonly [query: number, lines: ReadonlyArray<number>]>
}

const put = <K>(map: Map<K, Array<Filed>>, key: K, filed: Filed): void => {
  const list = map.get(key)
  if (list === undefined) map.set(key, [filed])
  else if (!list.includes(filed)) list.push(filed)
}

const valueText = (value: unknown): string | undefined => {
  if (typeof value === "string") return value.toLowerCase()
  if (typeof value === "number") return Query.numberText(value)
  return typeof value === "boolean" ? String(value) : undefined
}

/** An index over queries, which must be valid. */
export const make = (queries: ReadonlyArray<string>): Matching => {
  const always: Array<Filed> = []
  const byLevel = new Map<Level, Array<Filed>>()
  const byService = new Map<string, Array<Filed>>()
  const byTemplate = new Map<number, Array<Filed>>()
  const byPath = new Map<string, Map<string, Array<Filed>>>()
  const byWord = new Map<string, Array<Filed>>()

  for (const [index, text] of queries.entries()) {
    const parsed = Query.parse(text)
    if (!parsed.ok) continue
    const filed: Filed = { selects: Query.compile(parsed.query), index, tried: -1 }
    const anchors = anchorsOf(parsed.query)
    if (anchors === undefined) always.push(filed)
    for (const anchor of anchors ?? []) {
      if (anchor.kind === "level") put(byLevel, anchor.level, filed)
      else if (anchor.kind === "service") put(byService, anchor.name, filed)
      else if (anchor.kind === "template") put(byTemplate, anchor.id, filed)
      else if (anchor.kind === "word") put(byWord, anchor.text, filed)
      else {
        const values = byPath.get(anchor.path) ?? new Map<string, Array<Filed>>()
        byPath.set(anchor.path, values)
        put(values, anchor.value, filed)
      }
    }
  }
  const wordLists = [...byWord.values()]
  const words: Words | undefined = byWord.size === 0 ? undefined : makeWords([...byWord.keys()])
  const paths = [...byPath]
  const found: Array<Array<number>> = queries.map(() => [])
  let touched: Array<number> = []

  /** Counts lines over all batches, so that `tried` needs no clearing. */
  let serial = 0

  const tryAll = (list: ReadonlyArray<Filed> | undefined, event: LogEvent, line: number): void => {
    if (list === undefined) return
    for (const filed of list) {
      if (filed.tried === serial) continue
      filed.tried = serial
      if (!filed.selects(event)) continue
      const lines = found[filed.index]!
      if (lines.length === 0) touched.push(filed.index)
      lines.push(line)
    }
  }

  const attributes = (event: LogEvent, line: number): void => {
    for (const [path, values] of paths) {
      if (!Object.hasOwn(event.attributes, path)) continue
      const text = valueText(event.attributes[path])
      if (text !== undefined) tryAll(values.get(text), event, line)
    }
  }

  return {
    run: (events) => {
      for (const index of touched) found[index] = []
      touched = []
      for (let line = 0; line < events.length; line++) {
        const event = events[line]!
        serial++
        if (always.length > 0) tryAll(always, event, line)
        if (byLevel.size > 0) tryAll(byLevel.get(event.level), event, line)
        if (byService.size > 0) tryAll(byService.get(event.service.toLowerCase()), event, line)
        if (byTemplate.size > 0 && event.template !== undefined) tryAll(byTemplate.get(event.template), event, line)
        if (paths.length > 0) attributes(event, line)
        words?.each(event.message.toLowerCase(), (word) => tryAll(wordLists[word], event, line))
      }
      return touched.map((index) => [index, found[index]!] as const)
    }
  }
}
