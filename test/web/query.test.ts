/** What the page makes of queries must be what the server's own parser reads: chips, added terms, marked words. */
import { describe, expect, it } from "vitest"
import * as Query from "../../src/domain/Query.ts"
import { compose, cut, levelsOf, withTerm, wordsOf } from "../../web/query.ts"

const event = (level: "error" | "warn" | "info", message: string, attributes = {}) => ({
  time: 0,
  level,
  service: "api",
  message,
  attributes
})
const matches = (text: string, of: ReturnType<typeof event>): boolean => {
  const parsed = Query.parse(text)
  if (!parsed.ok) throw new Error(`${text}: expected ${parsed.expected}, got ${parsed.got}`)
  return Query.matches(parsed.query, of)
}

describe("query", () => {
  it("joins chosen levels with the typed query, alternatives included", () => {
    const text = compose("timeout OR refused", ["warn", "error"])
    expect(matches(text, event("error", "timeout"))).toBe(true)
    expect(matches(text, event("warn", "refused"))).toBe(true)
    expect(matches(text, event("info", "timeout"))).toBe(false)
    expect(matches(text, event("error", "else"))).toBe(false)
    expect(compose(" ", [])).toBe("")
    expect(compose("", ["error"])).toBe("level:error")
  })

  it.each([
    ["plain", "abc-1"],
    ["blanks and quotes", 'say "hi" \\ there'],
    ["keyword", "OR"],
    ["brackets", "(x)"],
    ["star", "a*b"],
    ["empty", ""]
  ])("adds a term that finds exactly the clicked value: %s", (_, value) => {
    const text = withTerm("timeout", "user.name", value)
    expect(matches(text, event("info", "timeout", { user: { name: value } }))).toBe(true)
    expect(matches(text, event("info", "timeout", { user: { name: `${value}x` } }))).toBe(false)
    expect(withTerm(withTerm("", "service", "api"), "service", "api")).toBe("service:api")
  })

  it("reads levels of the address and passes over what is none", () => {
    expect(levelsOf("error,nonsense,debug")).toEqual(["debug", "error"])
    expect(levelsOf(undefined)).toEqual([])
  })

  it("marks words and phrases, not fields and not what is excluded", () => {
    expect(wordsOf('timeout "a b" -no NOT never level:error x.y:z (or OR and)')).toEqual([
      "timeout",
      "a b",
      "or",
      "and"
    ])
    const marked = cut("A Timeout (1.5) timeout", ["timeout", "(1.5)"]).map(
      (piece) => `${piece.at} ${piece.text} ${piece.marked}`
    )
    expect(marked).toEqual([
      "0 A  false",
      "2 Timeout true",
      "9   false",
      "10 (1.5) true",
      "15   false",
      "16 timeout true"
    ])
  })
})
