import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { type LineMode, lineMax, makeLineDecoder } from "../../src/ingest/protocols/ndjson.ts"
import { prop } from "../support/property.ts"

/** Feeds a body in chunks that end at `cuts` (shares of its length). */
const decode = (mode: LineMode, body: string | Uint8Array, cuts: ReadonlyArray<number> = [], max?: number) => {
  const bytes = Buffer.from(body as string)
  const decoder = makeLineDecoder(mode, max)
  const ends = [...new Set([...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length])].toSorted(
    (a, b) => a - b
  )
  const lines: Array<string> = []
  let from = 0
  for (const end of ends) {
    // Chunks are overwritten once taken, as pooled buffers are.
    const chunk = Buffer.from(bytes.subarray(from, end))
    lines.push(...decoder.push(chunk))
    chunk.fill(35)
    from = end
  }
  lines.push(...decoder.end())
  return { lines, rejected: decoder.rejected, rejectedTotal: decoder.rejectedTotal }
}

const cuts = Arbitrary.array(Arbitrary.schema(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))), {
  maxLength: 12
})

describe("text", () => {
  it("cuts lines, with either line end, and ignores empty ones", () => {
    expect(decode("text", "a\r\nb\n\n  \nc é 日本\n last")).toEqual({
      lines: ["a", "b", "c é 日本", " last"],
      rejected: [],
      rejectedTotal: 0
    })
    expect(decode("text", "\uFEFFa\n")).toMatchObject({ lines: ["a"] })
    expect(decode("text", "")).toMatchObject({ lines: [] })
  })

  prop("does not care where chunks end", [Schema.Array(Schema.String), cuts], ([pieces, at]) => {
    const body = pieces.map((piece) => piece.toWellFormed()).join("\n")
    expect(decode("text", body, at)).toEqual(decode("text", body))
    const expected = body
      .replace(/^\uFEFF/u, "")
      .split("\n")
      .map((line) => line.replace(/\r$/u, ""))
      .filter((line) => line.trim() !== "")
    expect(decode("text", body, at).lines).toEqual(expected)
  })

  it("rejects lines that are too long and goes on behind them", () => {
    const body = `a\n${"x".repeat(50)}\nb\n\n${"é".repeat(6)}\nc`
    for (const at of [[], [0.1, 0.2, 0.3, 0.5, 0.6, 0.9]]) {
      expect(decode("text", body, at, 10)).toEqual({
        lines: ["a", "b", "c"],
        rejected: [
          { line: 2, reason: "expected at most 10 bytes, got more" },
          { line: 5, reason: "expected at most 10 bytes, got more" }
        ],
        rejectedTotal: 2
      })
    }
    const exact = "y".repeat(lineMax)
    expect(decode("text", `${exact}\r\n`, [0.3]).lines).toEqual([exact])
    expect(decode("text", `${exact}z\n`, [0.3]).rejectedTotal).toBe(1)
  })
})

describe("ndjson", () => {
  it("takes objects as they are written and rejects all else with its line", () => {
    expect(decode("ndjson", '{"a":1.0}\n[1]\n\n5\nnull\nrubbish\n{"b":\n {"c":2} ')).toEqual({
      lines: ['{"a":1.0}', ' {"c":2} '],
      rejected: [
        { line: 2, reason: "expected a JSON object, got an array" },
        { line: 4, reason: "expected a JSON object, got a number" },
        { line: 5, reason: "expected a JSON object, got null" },
        { line: 6, reason: 'expected a JSON object, got "rubbish"' },
        { line: 7, reason: 'expected a JSON object, got "{\\"b\\":"' }
      ],
      rejectedTotal: 5
    })
  })

  it("lists the first hundred and counts all", () => {
    const { rejected, rejectedTotal } = decode("ndjson", "x\n".repeat(250))
    expect([rejected.length, rejectedTotal, rejected.at(-1)?.line]).toEqual([100, 250, 100])
  })
})

describe("json", () => {
  it("takes an array's objects and strings, each on one line", () => {
    const body = ' [ {"a": "]},{\\"",\n "b": 12345678901234567890}, "a line", "two\\nlines", "", 5, [1], null,\n{} ] '
    for (const at of [[], [0.1, 0.2, 0.3, 0.31, 0.32, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]]) {
      expect(decode("json", body, at)).toEqual({
        lines: [
          '{"a": "]},{\\"",  "b": 12345678901234567890}'.replace("  ", "  "),
          "a line",
          '{"message":"two\\nlines"}',
          "{}"
        ],
        rejected: [
          { line: 5, reason: "expected a JSON object or string, got a number" },
          { line: 6, reason: "expected a JSON object or string, got an array" },
          { line: 7, reason: "expected a JSON object or string, got null" }
        ],
        rejectedTotal: 3
      })
    }
  })

  it("takes one object, and objects one after the other", () => {
    expect(decode("json", '{"a":1}').lines).toEqual(['{"a":1}'])
    expect(decode("json", '\uFEFF{"a":1}\n{"b":2} {"c":3}').lines).toEqual(['{"a":1}', '{"b":2}', '{"c":3}'])
  })

  it.each([
    ['[{"a":1},{"b":', ['{"a":1}'], "expected the rest of the element, got the end of the body"],
    ['[{"a":1}', ['{"a":1}'], "expected `]`, got the end of the body"],
    ['[{"a":1}] x', ['{"a":1}'], "expected nothing behind the array, got more"],
    ['[{"a":1},{"b" 2},{"c":3}]', ['{"a":1}', '{"c":3}'], 'expected a JSON object or string, got "{\\"b\\" 2}"'],
    ["rubbish", [], 'expected a JSON object or string, got "rubbish"'],
    ["]", [], 'expected a JSON object or string, got "]"']
  ])("%s", (body, lines, reason) => {
    const result = decode("json", body)
    expect(result.lines).toEqual(lines)
    expect(result.rejected[0]?.reason).toBe(reason)
  })

  it("rejects elements that are too long and holds none of them", () => {
    const body = `[{"a":"${"x".repeat(100)}"},{"b":1}]`
    for (const at of [[], [0.2, 0.4, 0.6, 0.8]]) {
      expect(decode("json", body, at, 20)).toEqual({
        lines: ['{"b":1}'],
        rejected: [{ line: 1, reason: "expected at most 20 bytes, got more" }],
        rejectedTotal: 1
      })
    }
  })

  const anyJson = Schema.Array(
    Schema.Struct({ a: Schema.String, b: Schema.NullOr(Schema.Finite), "{": Schema.Array(Schema.String) })
  )
  prop("hands on any array whole, wherever chunks end", [anyJson, cuts, Schema.Boolean], ([objects, at, pretty]) => {
    const clean = JSON.parse(JSON.stringify(objects).toWellFormed()) as Array<unknown>
    const { lines, rejectedTotal } = decode("json", JSON.stringify(clean, null, pretty ? 2 : 0), at)
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(clean)
    expect(lines.some((line) => line.includes("\n"))).toBe(false)
    expect(rejectedTotal).toBe(0)
  })

  prop("survives anything", [Schema.String, cuts], ([text, at]) => {
    for (const mode of ["text", "ndjson", "json"] as const) decode(mode, text, at)
    decode("json", `[${text}`, at)
  })
})
