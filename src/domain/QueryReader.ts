/** Reads the text of a query. The grammar: terms are AND-ed, `OR` binds weaker, `-` and `NOT` negate one term. */
import { fromName } from "./Level.ts"
import { type CompareOp, type LevelOp, type Parsed, type Pattern, type Query, all } from "./QueryAst.ts"

const maxLength = 4096
const maxDepth = 64
const blank = /\s/u
/** A name that stands before a colon without quotes. */
export const fieldName = /^[A-Za-z_@$][\w@$/-]*(?:\.[\w@$/-]+)*$/u

/** `>=500` and its like, up to the end of the stretch. */
const comparison = /^(>=|<=|>|<)(-?\d{1,21}(?:\.\d{1,21})?(?:e[+-]?\d{1,3})?)/iu
/** `[400 TO 499]`, `{0 TO *]`: square brackets hold their end, braces do not. */
const range =
  /^([[{])\s{0,8}(-?\d{1,21}(?:\.\d{1,21})?|\*)\s{1,8}TO\s{1,8}(-?\d{1,21}(?:\.\d{1,21})?|\*)\s{0,8}([\]}])/u
const templateId = /^0*([1-9]\d{0,15})$/u

/** Carries a fault out of the recursion; never leaves this file. */
class Fault extends Error {
  readonly position: number
  readonly expected: string
  readonly got: string
  constructor(position: number, expected: string, got: string) {
    super(expected)
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
  /** Reads one value within `field:( … )`. */
  value: (() => Query) | undefined
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
      throw this.fault('a word, "a phrase", field:value or `(`', mark)
    }
    if (this.value !== undefined) return this.value()
    if (char === '"') {
      const text = this.quoted()
      if (this.text[this.at] === ":" && this.valueFollows(this.at + 1)) {
        this.at++
        return this.attribute([text])
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
    if (!fieldName.test(name) || bare.startsWith("://", colon)) return this.words(bare.split("*"))
    const after = mark + colon + 1
    const key = name.toLowerCase()
    const group = this.text[after] === "("
    if (key !== "level" && key !== "service" && !group && !this.valueFollows(after)) return { _tag: "Word", text: bare }
    this.at = after
    return group ? this.group(() => this.field(key, name)) : this.field(key, name)
  }

  /** `( … )` behind a field's colon: each word in it is a value of the field. */
  group(value: () => Query): Query {
    const outer = this.value
    this.value = value
    const query = this.primary()
    this.value = outer
    return query
  }

  /** The value of the field `key`, written as `name`. */
  field(key: string, name: string): Query {
    if (key === "level") return this.level()
    if (!this.valueFollows(this.at)) throw this.fault(key === "service" ? "a service name" : "a value")
    if (key === "trace_id" || key === "span_id") {
      return { _tag: "Trace", field: key, id: this.pattern().join("*").toLowerCase() }
    }
    if (key === "message") return this.words(this.pattern())
    if (key !== "service" && key !== "template") return this.attribute(name.split("."))
    const begin = this.at
    const pattern = this.pattern()
    if (key === "service") return { _tag: "Service", pattern }
    const id = pattern.length === 1 ? templateId.exec(pattern[0]!)?.[1] : undefined
    if (id !== undefined) return { _tag: "Template", id }
    this.at = begin
    return this.attribute(["template"])
  }

  /** Stretches of the message with `*` between them: each must be in it, anywhere. */
  words(pieces: Pattern): Query {
    const parts = pieces.filter((piece) => piece !== "").map((text): Query => ({ _tag: "Word", text }))
    return parts.length > 1 ? { _tag: "And", parts } : (parts[0] ?? all)
  }

  /** What stands behind the colon of an attribute: a comparison, or a pattern. */
  attribute(path: ReadonlyArray<string>): Query {
    const between = range.exec(this.text.slice(this.at, this.at + 120))
    if (between !== null) {
      this.at += between[0].length
      return this.between(path, between)
    }
    const compared = comparison.exec(this.text.slice(this.at, this.at + 60))
    const end = this.at + (compared?.[0].length ?? 0)
    const value = compared === null ? Number.NaN : Number(compared[2])
    if (compared === null || !Number.isFinite(value) || this.valueFollows(end)) {
      return { _tag: "Attribute", path, pattern: this.pattern() }
    }
    this.at = end
    return { _tag: "Compare", path, op: compared[1] as CompareOp, value: value === 0 ? 0 : value }
  }

  between(path: ReadonlyArray<string>, [, open, low, high, close]: RegExpExecArray): Query {
    const parts: Array<Query> = []
    if (low !== "*") parts.push({ _tag: "Compare", path, op: open === "[" ? ">=" : ">", value: Number(low) || 0 })
    if (high !== "*") parts.push({ _tag: "Compare", path, op: close === "]" ? "<=" : "<", value: Number(high) || 0 })
    if (parts.length === 0) return { _tag: "Attribute", path, pattern: ["", ""] }
    return parts.length === 1 ? parts[0]! : { _tag: "And", parts }
  }

  level(): Query {
    const op = (/^(?:>=|<=|>|<|=)/u.exec(this.text.slice(this.at, this.at + 2))?.[0] ?? "") as LevelOp | ""
    this.at += op.length
    const mark = this.at
    const name = this.valueFollows(mark) ? this.pattern().join("*") : ""
    const level = name.toLowerCase() === "unknown" ? "unknown" : fromName(name)
    // `fromName` looks into a plain object: "constructor" is no level.
    if (typeof level !== "string") throw this.fault("a level: unknown, trace, debug, info, warn, error or fatal", mark)
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
    return {
      ok: false,
      position: maxLength,
      expected: `at most ${maxLength} characters`,
      got: `${text.length} characters`
    }
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
