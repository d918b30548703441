/**
 * The one query language of search, rules and live tail: text → AST (`parse`), AST → text (`toText`), AST → predicate
 * (`compile`, `matches`). The store turns the same AST into SQL; what "matches" means is written at each node here, and
 * both must agree. It knows nothing of projects, times or pages: those stand beside a query, not in it.
 *
 *     timeout "connection reset" -retry level:>=warn service:api-* http.status:503 (GET OR POST)
 */
import type { LogEvent } from "./LogEvent.ts"
import { type Level, fromName, severity } from "./Level.ts"

/** Compared by severity number: `unknown` is below all others. */
export type LevelOp = "=" | ">" | ">=" | "<" | "<="

/**
 * The literal pieces between `*`s: `["api"]` is exactly "api", `["api-", ""]` is "api-" and anything after it, `["", ""]`
 * is anything. Compared with the whole value, case-insensitively. In SQL: escape each piece for LIKE, join with `%`.
 */
export type Pattern = ReadonlyArray<string>

export type Query =
  /** Every event. */
  | { readonly _tag: "All" }
  /** Two parts or more. */
  | { readonly _tag: "And"; readonly parts: ReadonlyArray<Query> }
  /** Two parts or more. */
  | { readonly _tag: "Or"; readonly parts: ReadonlyArray<Query> }
  | { readonly _tag: "Not"; readonly part: Query }
  /** `text` is a case-insensitive substring of the message. Never empty. */
  | { readonly _tag: "Word"; readonly text: string }
  | { readonly _tag: "Level"; readonly op: LevelOp; readonly level: Level }
  | { readonly _tag: "Service"; readonly pattern: Pattern }
  /** The event's trace or span id is `id` (lower-case). */
  | { readonly _tag: "Trace"; readonly field: "trace_id" | "span_id"; readonly id: string }
  /**
   * The attribute at `path` matches: the nested value (`attributes #>> path`), or, where the path has several steps, a
   * top-level key that is the dotted name itself (`attributes ->> 'http.status'`). Strings are compared as they are,
   * numbers and booleans by their JSON text (numbers as Postgres' jsonb writes them, without exponent). Objects and
   * arrays match only the pattern `*`; null and missing match nothing (so `-a:x` matches events without `a`).
   */
  | { readonly _tag: "Attribute"; readonly path: ReadonlyArray<string>; readonly pattern: Pattern }

export type Parsed =
  | { readonly ok: true; readonly query: Query }
  | {
      readonly ok: false
      /** Zero-based index into the text, in UTF-16 units. */
      readonly position: number
      readonly expected: string
      readonly got: string
    }

export const all: Query = { _tag: "All" }
/** `*` alone: any value. */
export const anyPattern = (pattern: Pattern): boolean => pattern.length > 1 && pattern.every((piece) => piece === "")

const maxLength = 4096
const maxDepth = 64
const blank = /\s/u
const fieldName = /^[A-Za-z_@$][\w@$/-]*(?:\.[\w@$/-]+)*$/u

class Fault {
  readonly position: number
  readonly expected: string
  readonly got: string
  constructor(position: number, expected: string, got: string) {
    this.position = position
    this.expected = expected
    this.got = got
  }
}

/** One pass over the text; each method reads one rung of the grammar and leaves the position behind what it read. */
class Reader {
  readonly text: string
  at = 0
  depth = 0
  constructor(text: string) {
    this.text = text
  }

  got(position = this.at): string {
    if (position >= this.text.length) return "the end"
    const rest = this.text.slice(position, position + 24)
    return JSON.stringify(rest.split(/\s/u)[0] || rest[0])
  }

  fault(expected: string, position = this.at): Fault {
    return new Fault(position, expected, this.got(position))
  }

  blanks(): void {
    while (this.at < this.text.length && blank.test(this.text[this.at]!)) this.at++
  }

  /** Whether the word `keyword` stands here, alone; steps over it. */
  keyword(keyword: string): boolean {
    const end = this.at + keyword.length
    if (!this.text.startsWith(keyword, this.at)) return false
    const next = this.text[end]
    if (next !== undefined && !blank.test(next) && next !== "(" && next !== '"') return false
    this.at = end
    return true
  }

  or(): Query {
    const parts = [this.and()]
    for (this.blanks(); this.keyword("OR"); this.blanks()) parts.push(this.and())
    return parts.length === 1 ? parts[0]! : { _tag: "Or", parts }
  }

  and(): Query {
    const parts = [this.not()]
    for (;;) {
      this.blanks()
      const mark = this.at
      if (this.at >= this.text.length || this.text[this.at] === ")") break
      if (this.keyword("OR")) {
        this.at = mark
        break
      }
      if (this.keyword("AND")) this.blanks()
      parts.push(this.not())
    }
    return parts.length === 1 ? parts[0]! : { _tag: "And", parts }
  }

  not(): Query {
    this.blanks()
    if (++this.depth > maxDepth) throw this.fault(`at most ${maxDepth} levels of parentheses and negations`)
    const next = this.text[this.at + 1]
    const minus = this.text[this.at] === "-" && next !== undefined && next !== ")" && !blank.test(next)
    if (minus) this.at++
    const query: Query = minus || this.keyword("NOT") ? { _tag: "Not", part: this.not() } : this.primary()
    this.depth--
    return query
  }

  primary(): Query {
    const char = this.text[this.at]
    const mark = this.at
    if (char === "(") {
      this.at++
      const query = this.or()
      this.blanks()
      if (this.text[this.at] !== ")") throw this.fault("`)` for the `(` at " + mark)
      this.at++
      return query
    }
    if (char === undefined || char === ")" || this.keyword("OR") || this.keyword("AND")) {
      throw this.fault("a word, \"a phrase\", field:value or `(`", mark)
    }
    if (char === '"') {
      const text = this.quoted()
      if (this.text[this.at] === ":" && this.valueFollows(this.at + 1)) {
        this.at++
        return { _tag: "Attribute", path: [text], pattern: this.pattern() }
      }
      if (text === "") throw this.fault("a phrase that is not empty", mark)
      return { _tag: "Word", text }
    }
    return this.term()
  }

  /** A bare word, or `field:value`. `12:30`, `http://host` and `Error:` are words: what is pasted from a line is found. */
  term(): Query {
    const mark = this.at
    const bare = this.bare()
    const colon = bare.indexOf(":")
    const name = colon === -1 ? "" : bare.slice(0, colon)
    if (!fieldName.test(name) || bare.startsWith("://", colon)) return bare === "*" ? all : { _tag: "Word", text: bare }
    const after = mark + colon + 1
    const key = name.toLowerCase()
    if (key !== "level" && key !== "service" && !this.valueFollows(after)) return { _tag: "Word", text: bare }
    this.at = after
    if (key === "level") return this.level()
    if (!this.valueFollows(after)) throw this.fault("a service name")
    if (key === "trace_id" || key === "span_id") {
      return { _tag: "Trace", field: key, id: this.pattern().join("*").toLowerCase() }
    }
    const pattern = this.pattern()
    return key === "service" ? { _tag: "Service", pattern } : { _tag: "Attribute", path: name.split("."), pattern }
  }

  level(): Query {
    const op = (/^(?:>=|<=|>|<|=)/u.exec(this.text.slice(this.at, this.at + 2))?.[0] ?? "") as LevelOp | ""
    this.at += op.length
    const mark = this.at
    const name = this.valueFollows(mark) ? this.pattern().join("*") : ""
    const level = name.toLowerCase() === "unknown" ? "unknown" : fromName(name)
    if (level === undefined) throw this.fault("a level: unknown, trace, debug, info, warn, error or fatal", mark)
    return { _tag: "Level", op: op === "" ? "=" : op, level }
  }

  valueFollows(position: number): boolean {
    const char = this.text[position]
    return char !== undefined && !blank.test(char) && char !== "(" && char !== ")"
  }

  bare(): string {
    const start = this.at
    for (; this.at < this.text.length; this.at++) {
      const char = this.text[this.at]!
      if (char === "(" || char === ")" || char === '"' || blank.test(char)) break
    }
    return this.text.slice(start, this.at)
  }

  /** Between double quotes; `\"` and `\\` stand for a quote and a backslash. */
  quoted(): string {
    const start = this.at++
    let text = ""
    for (; this.at < this.text.length; this.at++) {
      const char = this.text[this.at]!
      const next = this.text[this.at + 1]
      if (char === '"') {
        this.at++
        return text
      }
      if (char === "\\" && (next === '"' || next === "\\")) this.at++
      text += this.text[this.at]!
    }
    throw this.fault('`"` that ends the phrase begun at ' + start)
  }

  /** Bare and quoted stretches without blanks between them; only a bare `*` is a wildcard. */
  pattern(): Pattern {
    const pieces = [""]
    while (this.valueFollows(this.at)) {
      const quoted = this.text[this.at] === '"'
      const [first, ...rest] = quoted ? [this.quoted()] : this.bare().split("*")
      pieces[pieces.length - 1] += first!
      pieces.push(...rest)
    }
    return pieces
  }
}

/** Reads a query; empty text is every event. Never throws. */
export const parse = (text: string): Parsed => {
  if (text.length > maxLength) {
    return { ok: false, position: maxLength, expected: `at most ${maxLength} characters`, got: `${text.length} characters` }
  }
  const reader = new Reader(text)
  try {
    reader.blanks()
    if (reader.at >= text.length) return { ok: true, query: all }
    const query = reader.or()
    reader.blanks()
    if (reader.at < text.length) throw reader.fault("the end or another term")
    return { ok: true, query }
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault
    return { ok: false, position: fault.position, expected: fault.expected, got: fault.got }
  }
}

const quote = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`
/** Text that `bare` reads back as one stretch. */
const plain = /^[^\s()"*\\]+$/u
const pieceText = (piece: string): string => (piece === "" || plain.test(piece) ? piece : quote(piece))
const patternText = (pattern: Pattern): string =>
  pattern.length === 1 && pattern[0] === "" ? '""' : pattern.map(pieceText).join("*")
const keywords = new Set(["OR", "AND", "NOT"])
const reserved = new Set(["level", "service", "trace_id", "span_id"])

const wordText = (text: string): string =>
  plain.test(text) && !text.startsWith("-") && !text.includes(":") && !keywords.has(text) ? text : quote(text)

const pathText = (path: ReadonlyArray<string>): string => {
  const joined = path.join(".")
  const bare = fieldName.test(joined) && !reserved.has(joined.toLowerCase()) && joined.split(".").length === path.length
  return bare ? joined : quote(joined)
}

/** The query as text that `parse` reads back to the same AST. */
export const toText = (query: Query): string => {
  const inner = (part: Query): string => (part._tag === "And" || part._tag === "Or" ? `(${toText(part)})` : toText(part))
  switch (query._tag) {
    case "All":
      return "*"
    case "And":
      return query.parts.map(inner).join(" ")
    case "Or":
      return query.parts.map(inner).join(" OR ")
    case "Not":
      return `NOT ${inner(query.part)}`
    case "Word":
      return wordText(query.text)
    case "Level":
      return `level:${query.op === "=" ? "" : query.op}${query.level}`
    case "Service":
      return `service:${patternText(query.pattern)}`
    case "Trace":
      return `${query.field}:${patternText([query.id])}`
    case "Attribute":
      return `${pathText(query.path)}:${patternText(query.pattern)}`
  }
}

/** A number as jsonb prints it: shortest digits, no exponent. */
const numberText = (n: number): string => {
  const text = String(n)
  const [mantissa, exponent] = text.split("e")
  if (exponent === undefined) return text
  const sign = mantissa!.startsWith("-") ? "-" : ""
  const [whole, fraction = ""] = mantissa!.replace("-", "").split(".")
  const point = whole!.length + Number(exponent)
  const digits = whole! + fraction
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`
  return sign + digits.padEnd(point, "0")
}

const fold = (text: string): string => text.toLowerCase()

const step = (value: unknown, key: string): unknown => {
  if (Array.isArray(value)) return /^[+-]?\d{1,9}$/u.test(key) ? value.at(Number(key)) : undefined
  if (typeof value !== "object" || value === null) return undefined
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
}

const compilePattern = (pattern: Pattern): ((value: string) => boolean) => {
  const pieces = pattern.map(fold)
  if (anyPattern(pattern)) return () => true
  const first = pieces[0]!
  if (pieces.length === 1) return (value) => fold(value) === first
  const last = pieces[pieces.length - 1]!
  const middle = pieces.slice(1, -1).filter((piece) => piece !== "")
  return (value) => {
    const text = fold(value)
    const end = text.length - last.length
    if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false
    let at = first.length
    for (const piece of middle) {
      const found = text.indexOf(piece, at)
      if (found === -1 || found + piece.length > end) return false
      at = found + piece.length
    }
    return true
  }
}

const compileAttribute = (path: ReadonlyArray<string>, pattern: Pattern): ((event: LogEvent) => boolean) => {
  const test = compilePattern(pattern)
  const any = anyPattern(pattern)
  const value = (found: unknown): boolean => {
    if (typeof found === "string") return test(found)
    if (typeof found === "number") return test(numberText(found))
    if (typeof found === "boolean") return test(found ? "true" : "false")
    return any && typeof found === "object" && found !== null
  }
  const dotted = path.join(".")
  if (path.length === 1) return (event) => value(step(event.attributes, dotted))
  return (event) => value(path.reduce<unknown>(step, event.attributes)) || value(step(event.attributes, dotted))
}

const compileLevel = (op: LevelOp, level: Level): ((event: LogEvent) => boolean) => {
  const wanted = severity[level]
  switch (op) {
    case "=":
      return (event) => event.level === level
    case ">":
      return (event) => severity[event.level] > wanted
    case ">=":
      return (event) => severity[event.level] >= wanted
    case "<":
      return (event) => severity[event.level] < wanted
    case "<=":
      return (event) => severity[event.level] <= wanted
  }
}

// Twenty rules look at the same message one after the other: its folded form is made once.
let foldedOf = ""
let folded = ""
const foldedMessage = (message: string): string => {
  if (message !== foldedOf) {
    foldedOf = message
    folded = fold(message)
  }
  return folded
}

/** A predicate for many events: everything that depends on the query alone is done here, once. */
export const compile = (query: Query): ((event: LogEvent) => boolean) => {
  switch (query._tag) {
    case "All":
      return () => true
    case "And": {
      const tests = query.parts.map(compile)
      return (event) => tests.every((test) => test(event))
    }
    case "Or": {
      const tests = query.parts.map(compile)
      return (event) => tests.some((test) => test(event))
    }
    case "Not": {
      const test = compile(query.part)
      return (event) => !test(event)
    }
    case "Word": {
      const text = fold(query.text)
      return (event) => foldedMessage(event.message).includes(text)
    }
    case "Level":
      return compileLevel(query.op, query.level)
    case "Service": {
      const test = compilePattern(query.pattern)
      return (event) => test(event.service)
    }
    case "Trace": {
      const { field, id } = query
      return field === "trace_id" ? (event) => event.traceId === id : (event) => event.spanId === id
    }
    case "Attribute":
      return compileAttribute(query.path, query.pattern)
  }
}

/** Whether one event matches. For many events, `compile` once. */
export const matches = (query: Query, event: LogEvent): boolean => compile(query)(event)
