import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import type { LogEvent } from "../../src/domain/LogEvent.ts"
import { levels } from "../../src/domain/Level.ts"
import * as Query from "../../src/domain/Query.ts"
import { prop } from "../support/property.ts"

const parsed = (text: string): Query.Query => {
  const result = Query.parse(text)
  if (!result.ok) throw new Error(`${text}: expected ${result.expected}, got ${result.got}`)
  return result.query
}
const event = (fields: Partial<LogEvent> = {}): LogEvent => ({
  time: 0,
  level: "info",
  service: "api-gateway",
  message: "Connection reset by peer (ECONNRESET)",
  attributes: { http: { status: 503, path: "/v1/x" }, ok: true, "user.id": "U7", tags: ["a", "b"], gone: null },
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  ...fields
})
const word = (text: string): Query.Query => ({ _tag: "Word", text })

describe("parse", () => {
  it.each<readonly [string, Query.Query]>([
    ["", { _tag: "All" }],
    ["  ", { _tag: "All" }],
    ["*", { _tag: "All" }],
    ["timeout", word("timeout")],
    ["a b", { _tag: "And", parts: [word("a"), word("b")] }],
    ["a AND b", { _tag: "And", parts: [word("a"), word("b")] }],
    ["a b OR c", { _tag: "Or", parts: [{ _tag: "And", parts: [word("a"), word("b")] }, word("c")] }],
    ["(a OR b) c", { _tag: "And", parts: [{ _tag: "Or", parts: [word("a"), word("b")] }, word("c")] }],
    ["-a", { _tag: "Not", part: word("a") }],
    ["NOT -a", { _tag: "Not", part: { _tag: "Not", part: word("a") } }],
    ['"a  \\"b\\" \\\\"', word('a  "b" \\')],
    ["level:error", { _tag: "Level", op: "=", level: "error" }],
    ["LEVEL:>=WARNING", { _tag: "Level", op: ">=", level: "warn" }],
    ["level:<unknown", { _tag: "Level", op: "<", level: "unknown" }],
    ["service:api-*", { _tag: "Service", pattern: ["api-", ""] }],
    ['service:"my app"*', { _tag: "Service", pattern: ["my app", ""] }],
    ["http.status:503", { _tag: "Attribute", path: ["http", "status"], pattern: ["503"] }],
    ['a:"x*y"', { _tag: "Attribute", path: ["a"], pattern: ["x*y"] }],
    ['"odd key":v', { _tag: "Attribute", path: ["odd key"], pattern: ["v"] }],
    ["trace_id:4BF9", { _tag: "Trace", field: "trace_id", id: "4bf9" }],
    ["duration_ms:>500", { _tag: "Compare", path: ["duration_ms"], op: ">", value: 500 }],
    ["a.b:<=-1.5e3", { _tag: "Compare", path: ["a", "b"], op: "<=", value: -1500 }],
    ["a:>x", { _tag: "Attribute", path: ["a"], pattern: [">x"] }],
    ['a:">5"', { _tag: "Attribute", path: ["a"], pattern: [">5"] }],
    ["template:0042", { _tag: "Template", id: "42" }],
    ["template:x*", { _tag: "Attribute", path: ["template"], pattern: ["x", ""] }],
    ["conn*", word("conn")],
    ["*set*by*", { _tag: "And", parts: [word("set"), word("by")] }],
    ['"a*b"', word("a*b")],
    ['message:"by peer"', word("by peer")],
    ["message:*reset*", word("reset")],
    ["message:*", { _tag: "All" }],
    [
      "level:(error OR fatal)",
      {
        _tag: "Or",
        parts: [
          { _tag: "Level", op: "=", level: "error" },
          { _tag: "Level", op: "=", level: "fatal" }
        ]
      }
    ],
    [
      'service:(api-* OR "my app") x',
      {
        _tag: "And",
        parts: [
          {
            _tag: "Or",
            parts: [
              { _tag: "Service", pattern: ["api-", ""] },
              { _tag: "Service", pattern: ["my app"] }
            ]
          },
          word("x")
        ]
      }
    ],
    [
      "a:(>5 -7)",
      {
        _tag: "And",
        parts: [
          { _tag: "Compare", path: ["a"], op: ">", value: 5 },
          { _tag: "Not", part: { _tag: "Attribute", path: ["a"], pattern: ["7"] } }
        ]
      }
    ],
    [
      "a.b:[400 TO 499}",
      {
        _tag: "And",
        parts: [
          { _tag: "Compare", path: ["a", "b"], op: ">=", value: 400 },
          { _tag: "Compare", path: ["a", "b"], op: "<", value: 499 }
        ]
      }
    ],
    ["a:{-1.5 TO *]", { _tag: "Compare", path: ["a"], op: ">", value: -1.5 }],
    ["a:[* TO *]", { _tag: "Attribute", path: ["a"], pattern: ["", ""] }],
    ["a:[x", { _tag: "Attribute", path: ["a"], pattern: ["[x"] }],
    // What is pasted from a log line is a word.
    ["12:30:45", word("12:30:45")],
    ["http://host:80/x", word("http://host:80/x")],
    ["Error: x", { _tag: "And", parts: [word("Error:"), word("x")] }],
    ["- a", { _tag: "And", parts: [word("-"), word("a")] }],
    ["ORDER", word("ORDER")],
    ["or", word("or")]
  ])("%s", (text, query) => {
    expect(Query.parse(text)).toEqual({ ok: true, query })
  })

  it.each([
    ["(a", 2, "`)` for the `(` at 0", "the end"],
    ["a )", 2, "the end or another term", '")"'],
    ["a OR", 4, 'a word, "a phrase", field:value or `(`', "the end"],
    ["OR a", 0, 'a word, "a phrase", field:value or `(`', '"OR"'],
    ['a "b', 4, '`"` that ends the phrase begun at 2', "the end"],
    ["level:loud x", 6, "a level: unknown, trace, debug, info, warn, error or fatal", '"loud"'],
    ["level:", 6, "a level: unknown, trace, debug, info, warn, error or fatal", "the end"],
    ["level:constructor", 6, "a level: unknown, trace, debug, info, warn, error or fatal", '"constructor"'],
    ["service:", 8, "a service name", "the end"],
    ["service:(", 9, 'a word, "a phrase", field:value or `(`', "the end"],
    ["level:(error OR loud)", 16, "a level: unknown, trace, debug, info, warn, error or fatal", '"loud)"'],
    ["a:(b", 4, "`)` for the `(` at 2", "the end"],
    ['""', 0, "a phrase that is not empty", '"\\"\\""']
  ])("refuses %s", (text, position, expected, got) => {
    expect(Query.parse(text)).toEqual({ ok: false, position, expected, got })
  })

  it("refuses what is too long or too deep, and survives it", () => {
    expect(Query.parse("a ".repeat(3000))).toMatchObject({ ok: false, expected: "at most 4096 characters" })
    expect(Query.parse("(".repeat(2000))).toMatchObject({ ok: false })
    expect(Query.parse("-".repeat(2000) + "a")).toMatchObject({ ok: false })
  })

  prop("never throws", [Schema.String], ([text]) => {
    Query.parse(text)
    Query.parse(`a:${text} (${text}`)
    Query.parse(`a:(${text} level:(${text}`)
  })
})

/** A query grown from a seed. */
const grow = (seed: number): Query.Query => {
  let state = seed >>> 0
  const next = (n: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 4_294_967_296) * n)
  }
  const text = (): string => {
    const pieces = [
      "a",
      "B",
      ">",
      "<=5",
      "é",
      " ",
      '"',
      "\\",
      "(",
      ")",
      "*",
      ":",
      "-",
      ".",
      "OR",
      "x1",
      "\t",
      "level",
      "日本"
    ]
    return Array.from({ length: 1 + next(4) }, () => pieces[next(pieces.length)]).join("")
  }
  const pattern = (): Query.Pattern => Array.from({ length: 1 + next(3) }, () => (next(3) === 0 ? "" : text()))
  const leaf = (): Query.Query => {
    switch (next(9)) {
      case 7:
        return {
          _tag: "Compare",
          path: [text()],
          op: ([">", ">=", "<", "<="] as const)[next(4)]!,
          value: next(1000) / 8
        }
      case 8:
        return { _tag: "Template", id: String(1 + next(1000)) }
      case 0:
        return { _tag: "All" }
      case 1:
        return { _tag: "Level", op: (["=", ">", ">=", "<", "<="] as const)[next(5)]!, level: levels[next(7)]! }
      case 2:
        return { _tag: "Service", pattern: pattern() }
      case 3:
        return { _tag: "Trace", field: "span_id", id: text().toLowerCase() }
      case 4:
        return { _tag: "Attribute", path: [text()], pattern: pattern() }
      case 5:
        return { _tag: "Attribute", path: ["http", "status_code"], pattern: pattern() }
      default:
        return { _tag: "Word", text: text() }
    }
  }
  const query = (depth: number): Query.Query => {
    const kind = depth === 0 ? 9 : next(6)
    const parts = () => Array.from({ length: 2 + next(2) }, () => query(depth - 1))
    if (kind === 0) return { _tag: "And", parts: parts() }
    if (kind === 1) return { _tag: "Or", parts: parts() }
    return kind === 2 ? { _tag: "Not", part: query(depth - 1) } : leaf()
  }
  return query(3)
}
const anyQuery = Arbitrary.schema(Schema.Int).pipe(Arbitrary.map(grow))

describe("toText", () => {
  prop("is read back to the same query", [anyQuery], ([query]) => {
    expect(parsed(Query.toText(query))).toEqual(query)
  })
})

describe("matches", () => {
  it.each([
    ["", true],
    ["econnreset", true],
    ["RESET peer", true],
    ['"by peer"', true],
    ['"peer by"', false],
    ["nothing", false],
    ["-nothing", true],
    ["nothing OR reset", true],
    ["level:info", true],
    ["level:>info", false],
    ["level:<=warn", true],
    ["service:API-GATEWAY", true],
    ["service:api", false],
    ["service:api-*", true],
    ["service:*gate*", true],
    ["service:a*y*y", false],
    ["service:a*w*y", true],
    ["http.status:>500", true],
    ["http.status:>=503", true],
    ["http.status:<503", false],
    ["user.id:>0", false],
    ["http.status:503", true],
    ["http.status:50", false],
    ["http.status:(404 OR 503)", true],
    ["http.status:[500 TO 599]", true],
    ["http.status:{503 TO *]", false],
    ["message:peer", true],
    ["conn*peer", true],
    ["http.status:5*", true],
    ["http.path:/V1/*", true],
    ["ok:true", true],
    ["user.id:u7", true],
    ["tags.0:a", true],
    ["tags:a", false],
    ["tags:*", true],
    ["http:*", true],
    ["gone:*", false],
    ["missing:*", false],
    ["-missing:x", true],
    ["constructor:*", false],
    ["trace_id:4BF92F3577B34DA6A3CE929D0E0E4736", true],
    ["span_id:00f067aa0ba902b7", false]
  ])("%s → %s", (text, expected) => {
    expect(Query.matches(parsed(text), event())).toBe(expected)
  })

  it("compares numbers as the store prints them", () => {
    const query = (text: string) => parsed(`n:${text}`)
    expect(Query.matches(query("1000000000000000000000"), event({ attributes: { n: 1e21 } }))).toBe(true)
    expect(Query.matches(query("0.0000001"), event({ attributes: { n: 1e-7 } }))).toBe(true)
    expect(Query.matches(query("-0.00000012"), event({ attributes: { n: -1.2e-7 } }))).toBe(true)
    expect(Query.matches(query("123000000000000000000000"), event({ attributes: { n: 1.23e23 } }))).toBe(true)
  })

  prop("a negation is the opposite", [anyQuery, Schema.String], ([query, message]) => {
    const one = event({ message })
    expect(Query.matches({ _tag: "Not", part: query }, one)).toBe(!Query.matches(query, one))
  })

  prop(
    "wildcards agree with a regular expression",
    [
      Arbitrary.array(Arbitrary.schema(Schema.Literals(["", "a", "b", "ab"])), { minLength: 1, maxLength: 4 }),
      Arbitrary.array(Arbitrary.schema(Schema.Literals(["a", "b"])), { maxLength: 6 })
    ],
    ([pieces, letters]) => {
      const service = letters.join("")
      const expected = new RegExp(`^${pieces.join(".*")}$`, "u").test(service)
      expect(Query.matches({ _tag: "Service", pattern: pieces }, event({ service }))).toBe(expected)
    }
  )
})
