/**
 * Formats that a project defines itself: a grok pattern, a regular expression with named groups, or the header of a table.
 * `compile` makes one a parser of the family or tells what is wrong with it and where; `tryOn` shows what it makes of
 * lines. Patterns run on RE2's machine, so no pattern can hang: time is linear in the line.
 */
import { RE2JS } from "re2js"
import type { LogEvent } from "../domain/LogEvent.ts"
import { rowOf } from "./csv.ts"
import { type Field, expand } from "./Grok.ts"
import { levelOfMessage, levelOfWord } from "./LevelWords.ts"
import { type Found, type Memory, type Parser, event } from "./Parser.ts"
import { literalOf } from "./redact/Custom.ts"
import { type TimeReader, timeReader, timeOfText } from "./Time.ts"

/** Characters of a pattern, instructions that it may compile to, and formats of a project, at most. */
export const patternMax = 4096
export const programMax = 8000
export const formatsMax = 32
/** Characters of a line that a pattern is asked of: whatever stands behind them is in the message still. */
const lineMax = 64 * 1024

export interface FormatSpec {
  /** Lower-case letters, digits, `_` and `-`. */
  readonly name: string
  readonly kind: "grok" | "regex" | "csv"
  /** A grok pattern, a regular expression with named groups (`(?<user.name>\w+)`), or a table's header line. */
  readonly pattern: string
  /** How the field `time` is written (`%d.%m.%Y %H:%M:%S`); without it every way that Loglytics knows is tried. */
  readonly timeFormat?: string | undefined
  /** A line that the format must match. */
  readonly test?: string | undefined
  /** Grok definitions beside the library's, by name. */
  readonly definitions?: Readonly<Record<string, string>> | undefined
}

export type Compiled = { readonly ok: true; readonly parser: Parser } | { readonly ok: false; readonly fault: string }

const refuse = (fault: string): Compiled => ({ ok: false, fault })

/** What a group of these names becomes; all others are attributes under their own names. */
type Role = "time" | "level" | "service" | "message" | "trace" | "span"
const roles: Readonly<Record<string, Role>> = {
  time: "time",
  timestamp: "time",
  "@timestamp": "time",
  level: "level",
  loglevel: "level",
  severity: "level",
  service: "service",
  "service.name": "service",
  message: "message",
  msg: "message",
  trace_id: "trace",
  span_id: "span"
}

const valueOf = (text: string, { type }: Field): unknown => {
  if (type === "bool") return text.toLowerCase() === "true"
  if (type === "string") return text
  const value = type === "int" ? Math.trunc(Number(text)) : Number(text)
  return Number.isFinite(value) ? value : text
}

const unquoted = (text: string): string => (/^"[^]*"$/u.test(text) && text.length > 1 ? text.slice(1, -1) : text)

/** Puts one group's text into what is found. A value that cannot be what its name says stays an attribute. */
const place = (found: Found, field: Field, text: string, read: TimeReader, now: number): void => {
  const role = Object.hasOwn(roles, field.name) ? roles[field.name] : undefined
  if (role === "time") {
    const time = read(text, now)
    if (time >= 0) {
      found.time = time
      return
    }
  } else if (role === "level") {
    const level = levelOfWord(text)
    if (level !== undefined) {
      found.level = level
      return
    }
  } else if (role === "service") {
    found.service = text
    return
  } else if (role === "message") {
    found.message = text
    return
  } else if (role === "trace" && /^[0-9a-f]{32}$/iu.test(text)) {
    found.traceId = text.toLowerCase()
    return
  } else if (role === "span" && /^[0-9a-f]{16}$/iu.test(text)) {
    found.spanId = text.toLowerCase()
    return
  }
  found.attributes[field.name] = valueOf(unquoted(text), field)
}

const parserOf = (spec: FormatSpec, pattern: string, fields: ReadonlyArray<Field>, read: TimeReader): Compiled => {
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return refuse(`expected a pattern in RE2's syntax (no look-around, no backreferences), got: ${reason}`)
  }
  const size = compiled.programSize()
  if (size > programMax)
    return refuse(`expected a pattern of at most ${programMax} instructions, got ${size}: repeat less`)
  const literal = literalOf(pattern)
  const parse = (line: string, now: number): LogEvent | undefined => {
    if (literal !== "" && !line.includes(literal)) return undefined
    const matcher = compiled.matcher(line.length > lineMax ? line.slice(0, lineMax) : line)
    if (!matcher.find()) return undefined
    const found: Found = { message: line, attributes: {} }
    for (const field of fields) {
      const text = matcher.group(field.group)
      if (text !== null && text !== undefined && text !== "") place(found, field, text, read, now)
    }
    found.level ??= levelOfMessage(found.message)
    return event(found, now)
  }
  return { ok: true, parser: { name: spec.name, about: "a format of the project", fields: "", parse } }
}

/** Columns of a header line; `\t` may be written as two characters. */
const columnsOf = (header: string): NonNullable<Memory["columns"]> | undefined => {
  const line = header.replaceAll("\\t", "\t")
  const separator = [",", "\t", ";", "|", " "].find((char) => line.includes(char))
  if (separator === undefined) return undefined
  const names = line.split(separator).map((name) => unquoted(name.trim()))
  return names.length < 2 || names.some((name) => name === "") ? undefined : { kind: "csv", separator, names }
}

const table = (spec: FormatSpec, read: TimeReader): Compiled => {
  const columns = columnsOf(spec.pattern)
  if (columns === undefined)
    return refuse(`expected a header line such as "time,level,message", got ${JSON.stringify(spec.pattern)}`)
  const twice = columns.names.find((name, index) => columns.names.indexOf(name) !== index)
  if (twice !== undefined) return refuse(`expected each column once, got ${JSON.stringify(twice)} twice`)
  const timed = columns.names.findIndex((name) => roles[name] === "time")
  const parse = (line: string, now: number): LogEvent | undefined => {
    const made = rowOf(columns, line, now)
    if (made === undefined || spec.timeFormat === undefined || timed === -1) return made
    const name = columns.names[timed]!
    const { [name]: kept, ...attributes } = made.attributes
    const time = typeof kept === "string" ? read(kept, now) : Number.NaN
    return time >= 0 ? event({ ...made, attributes, time }, now) : made
  }
  return { ok: true, parser: { name: spec.name, about: "a format of the project", fields: "", parse } }
}

const text = (value: unknown, what: string, max: number): string | undefined =>
  typeof value !== "string" || value === ""
    ? `expected ${what} as text, got ${JSON.stringify(value) ?? "nothing"}`
    : value.length > max
      ? `expected ${what} of at most ${max} characters, got ${value.length}`
      : undefined

const check = (spec: Readonly<Record<string, unknown>>): string | undefined => {
  const { definitions, kind, name, pattern, test, timeFormat } = spec
  if (typeof name !== "string" || !/^[a-z0-9][a-z0-9_-]{0,62}$/u.test(name)) {
    return `expected a name of lower-case letters, digits, "_" and "-", got ${JSON.stringify(name) ?? "nothing"}`
  }
  if (kind !== "grok" && kind !== "regex" && kind !== "csv") {
    return `expected the kind grok, regex or csv, got ${JSON.stringify(kind) ?? "nothing"}`
  }
  if (definitions !== undefined) {
    if (typeof definitions !== "object" || definitions === null)
      return "expected definitions as an object of patterns by name"
    const all = Object.entries(definitions)
    if (all.length > 64) return `expected at most 64 definitions, got ${all.length}`
    const wrong = all
      .map(([key, value]) => text(value, `the definition ${key}`, patternMax))
      .find((fault) => fault !== undefined)
    if (wrong !== undefined) return wrong
  }
  return (
    text(pattern, "a pattern", patternMax) ??
    (timeFormat === undefined ? undefined : text(timeFormat, "a time format", 128)) ??
    (test === undefined ? undefined : text(test, "a test line", lineMax))
  )
}

/**
 * The parser of a format, or what is wrong with it, with the place where there is one. Takes what the project sent: its
 * shape is checked here too. Pure.
 */
export const compile = (sent: FormatSpec | Readonly<Record<string, unknown>>): Compiled => {
  const fault = check(sent as Readonly<Record<string, unknown>>)
  if (fault !== undefined) return refuse(fault)
  const spec = sent as FormatSpec
  let read: TimeReader = timeOfText
  if (spec.timeFormat !== undefined) {
    const reader = timeReader(spec.timeFormat)
    if (!reader.ok) return refuse(reader.fault)
    read = reader.read
  }
  let made: Compiled
  if (spec.kind === "csv") made = table(spec, read)
  else {
    const expanded = expand(spec.pattern, spec.kind === "grok" ? spec.definitions : undefined)
    if (!expanded.ok) return refuse(expanded.fault)
    if (expanded.fields.length === 0) {
      return refuse(
        spec.kind === "grok"
          ? "expected a field, such as %{IP:client.address}"
          : "expected a named group, such as (?<level>\\w+)"
      )
    }
    made = parserOf(spec, expanded.pattern, expanded.fields, read)
  }
  if (made.ok && spec.test !== undefined && made.parser.parse(spec.test, 0) === undefined) {
    return refuse(`expected the test line to match, got no match: ${JSON.stringify(spec.test.slice(0, 200))}`)
  }
  return made
}

/** Compiles a project's formats, at most `formatsMax`; the first that cannot be is told by its place in the list. Pure. */
export const compileAll = (
  specs: ReadonlyArray<FormatSpec | Readonly<Record<string, unknown>>>
): { readonly ok: true; readonly parsers: ReadonlyArray<Parser> } | { readonly ok: false; readonly fault: string } => {
  if (specs.length > formatsMax)
    return { ok: false, fault: `expected at most ${formatsMax} formats, got ${specs.length}` }
  const parsers: Array<Parser> = []
  for (const [index, spec] of specs.entries()) {
    const made = compile(spec)
    if (!made.ok) return { ok: false, fault: `format ${index + 1} (${String(spec["name" as never])}): ${made.fault}` }
    if (parsers.some(({ name }) => name === made.parser.name)) {
      return { ok: false, fault: `expected each name once, got ${JSON.stringify(made.parser.name)} twice` }
    }
    parsers.push(made.parser)
  }
  return { ok: true, parsers }
}

/** What a format makes of lines, for a preview: the event, or undefined where the line does not match. Pure. */
export const tryOn = (
  spec: FormatSpec | Readonly<Record<string, unknown>>,
  lines: ReadonlyArray<string>,
  now: number
):
  | {
      readonly ok: true
      readonly results: ReadonlyArray<{ readonly line: string; readonly event: LogEvent | undefined }>
    }
  | { readonly ok: false; readonly fault: string } => {
  const made = compile(spec)
  if (!made.ok) return made
  return { ok: true, results: lines.map((line) => ({ line, event: made.parser.parse(line, now) })) }
}
