/**
 * A query's AST as an SQL condition on `logs`. Pure. Promises that the condition is true for exactly the events that
 * `Query.matches` accepts, never null, and that everything a person wrote travels as a parameter. The nodes' meaning is
 * written in domain/Query.ts; folding case is the database function `fold`.
 */
import { type Level, levels, severity } from "../domain/Level.ts"
import { type Pattern, type Query, anyPattern, decimal, matches } from "../domain/Query.ts"

/** Collects parameters while SQL text is put together. */
export class Params {
  readonly values: Array<string> = []
  /** The place of `value`, cast to `type`. */
  add(value: string | number, type: string): string {
    this.values.push(String(value))
    return `$${this.values.length}::${type}`
  }
}

const fold = (text: string): string => text.toLowerCase()
/** Stored text is well-formed and has no NUL: what is not, is nowhere. */
const storable = (text: string): boolean => text.isWellFormed() && !text.includes("\0")
const escapeLike = (piece: string): string => piece.replace(/[\\%_]/gu, "\\$&")

const patternSql = (value: string, pattern: Pattern, params: Params): string => {
  if (!pattern.every(storable)) return "false"
  if (anyPattern(pattern)) return "true"
  const pieces = pattern.map(fold)
  if (pieces.length === 1) return `fold(${value}) = ${params.add(pieces[0]!, "text")}`
  return `fold(${value}) like ${params.add(pieces.map(escapeLike).join("%"), "text")}`
}

const scalar = "('string', 'number', 'boolean')"

/** The condition `one` of either value that `path` can mean, each given as jsonb and as text. */
const atPath = (path: ReadonlyArray<string>, params: Params, one: (node: string, text: string) => string): string => {
  if (!path.every(storable)) return "false"
  const dotted = params.add(path.join("."), "text")
  const flat = one(`(attributes -> ${dotted})`, `(attributes ->> ${dotted})`)
  if (path.length === 1) return flat
  const steps = `array[${path.map((step) => params.add(step, "text")).join(", ")}]`
  return `(${one(`(attributes #> ${steps})`, `(attributes #>> ${steps})`)} or ${flat})`
}

const attributeSql = (path: ReadonlyArray<string>, pattern: Pattern, params: Params): string =>
  atPath(path, params, (node, text) =>
    anyPattern(pattern)
      ? `coalesce(jsonb_typeof(${node}) <> 'null', false)`
      : `coalesce(jsonb_typeof(${node}) in ${scalar} and ${patternSql(text, pattern, params)}, false)`
  )

const compareSql = (query: Extract<Query, { readonly _tag: "Compare" }>, params: Params): string =>
  atPath(
    query.path,
    params,
    (node, text) =>
      `coalesce(case when jsonb_typeof(${node}) = 'number' or (jsonb_typeof(${node}) = 'string' ` +
      `and ${text} ~ '${decimal.source}') ` +
      `then (${text})::float8 ${query.op} ${params.add(query.value, "float8")} else false end, false)`
  )

/** Longer words are looked for by themselves: `like` slows down with the length of what nearly matches. */
const wordTogetherMax = 64

/** The text of a word that is looked for together with others. */
const shortWord = (part: Query): string | undefined =>
  part._tag === "Word" && part.text.length <= wordTogetherMax && storable(part.text) ? part.text : undefined

/**
 * The parts of an And (`every`) or an Or. Their words, and those that are negated, are looked for together, so that a
 * message is folded once for all of them: a thousand words in a line of a megabyte would otherwise take a minute, in which
 * Postgres does not look at its clock.
 */
const partsSql = (parts: ReadonlyArray<Query>, every: boolean, params: Params): string => {
  const words: Array<string> = []
  const negated: Array<string> = []
  const others: Array<Query> = []
  for (const part of parts) {
    const word = shortWord(part)
    const without = part._tag === "Not" ? shortWord(part.part) : undefined
    if (word !== undefined) words.push(word)
    else if (without !== undefined) negated.push(without)
    else others.push(part)
  }
  const together = (texts: ReadonlyArray<string>, like: string): ReadonlyArray<string> => {
    if (texts.length === 0) return []
    const patterns = [...new Set(texts.map(fold))].map((text) => params.add(`%${escapeLike(text)}%`, "text"))
    return [`fold(message) ${like} ${every ? "all" : "any"} (array[${patterns.join(", ")}])`]
  }
  return `(${[
    ...others.map((part) => conditionSql(part, params)),
    ...together(words, "like"),
    ...together(negated, "not like")
  ].join(every ? " and " : " or ")})`
}

/** The condition of `query`, its parameters added to `params`. */
export const conditionSql = (query: Query, params: Params): string => {
  switch (query._tag) {
    case "All":
      return "true"
    case "And":
      return partsSql(query.parts, true, params)
    case "Or":
      return partsSql(query.parts, false, params)
    case "Not":
      return `not ${conditionSql(query.part, params)}`
    case "Word":
      return storable(query.text) ? `strpos(fold(message), ${params.add(fold(query.text), "text")}) > 0` : "false"
    case "Level":
      return `level ${query.op} ${params.add(severity[query.level], "smallint")}`
    case "Service":
      return patternSql("service", query.pattern, params)
    case "Trace":
      return storable(query.id) ? `coalesce(${query.field} = ${params.add(query.id, "text")}, false)` : "false"
    case "Attribute":
      return attributeSql(query.path, query.pattern, params)
    case "Compare":
      return compareSql(query, params)
    case "Template":
      return `coalesce(template = ${params.add(query.id, "bigint")}, false)`
  }
}

const usesLevelOnly = (query: Query): boolean => {
  switch (query._tag) {
    case "All":
    case "Level":
      return true
    case "And":
    case "Or":
      return query.parts.every(usesLevelOnly)
    case "Not":
      return usesLevelOnly(query.part)
    default:
      return false
  }
}

/** The levels that a query accepts when it looks at nothing but the level: such lines are counted without reading them. */
export const levelsOf = (query: Query): ReadonlyArray<Level> | undefined =>
  usesLevelOnly(query)
    ? levels.filter((level) => matches(query, { level, time: 0, service: "", message: "", attributes: {} }))
    : undefined
