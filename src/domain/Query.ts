/**
 * The one query language of search, rules and live tail: text → AST (`parse`), AST → text (`toText`), AST → predicate
 * (`compile`, `matches`). The store turns the same AST into SQL; what "matches" means is written at each node of QueryAst,
 * and both must agree. It knows nothing of projects, times or pages: those stand beside a query, not in it.
 *
 *     timeout "connection reset" -retry level:>=warn service:api-* http.status:503 duration_ms:>500 (GET OR POST)
 */
import type { LogEvent } from "./LogEvent.ts"
import { type Level, severity } from "./Level.ts"
import { type CompareOp, type LevelOp, type Pattern, type Query, anyPattern, decimal } from "./QueryAst.ts"
import { fieldName } from "./QueryReader.ts"

export { type Pattern, type Query, all, anyPattern, decimal } from "./QueryAst.ts"
export { parse } from "./QueryReader.ts"

const quote = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`
/** Text that `bare` reads back as one stretch. */
const plain = /^[^\s()"*\\]+$/u
const pieceText = (piece: string): string => (piece === "" || plain.test(piece) ? piece : quote(piece))
const patternText = (pattern: Pattern): string => {
  const text = pattern.length === 1 && pattern[0] === "" ? '""' : pattern.map(pieceText).join("*")
  // A bare `>5` would be read as a comparison.
  return /^[<>]/u.test(text) ? [quote(pattern[0]!), ...pattern.slice(1).map(pieceText)].join("*") : text
}
const keywords = new Set(["OR", "AND", "NOT"])
const reserved = new Set(["level", "service", "message", "trace_id", "span_id", "template"])

const wordText = (text: string): string =>
  plain.test(text) && !text.startsWith("-") && !text.includes(":") && !keywords.has(text) ? text : quote(text)

const pathText = (path: ReadonlyArray<string>): string => {
  const joined = path.join(".")
  const bare = fieldName.test(joined) && !reserved.has(joined.toLowerCase()) && joined.split(".").length === path.length
  return bare ? joined : quote(joined)
}

/** The query as text that `parse` reads back to the same AST. */
export const toText = (query: Query): string => {
  const inner = (part: Query): string =>
    part._tag === "And" || part._tag === "Or" ? `(${toText(part)})` : toText(part)
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
    case "Compare":
      return `${pathText(query.path)}:${query.op}${query.value}`
    case "Template":
      return `template:${query.id}`
  }
}

/** A number as jsonb prints it: shortest digits, no exponent. */
export const numberText = (n: number): string => {
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

/** Whether one of the two values that `path` can mean passes. */
const atPath = (path: ReadonlyArray<string>, passes: (value: unknown) => boolean): ((event: LogEvent) => boolean) => {
  const dotted = path.join(".")
  if (path.length === 1) return (event) => passes(step(event.attributes, dotted))
  return (event) => passes(path.reduce<unknown>(step, event.attributes)) || passes(step(event.attributes, dotted))
}

const compare = (op: CompareOp, a: number, b: number): boolean => {
  switch (op) {
    case ">":
      return a > b
    case ">=":
      return a >= b
    case "<":
      return a < b
    case "<=":
      return a <= b
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
  return atPath(path, value)
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
    case "Compare": {
      const { op, value } = query
      return atPath(query.path, (found) => {
        if (typeof found === "number") return compare(op, found, value)
        return typeof found === "string" && decimal.test(found) && compare(op, Number(found), value)
      })
    }
    case "Template": {
      const id = Number(query.id)
      return (event) => event.template === id
    }
  }
}

/** Whether one event matches. For many events, `compile` once. */
export const matches = (query: Query, event: LogEvent): boolean => compile(query)(event)
