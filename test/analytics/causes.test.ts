/** What changed most stands first, chance is not told, and nothing that comes in breaks it. */
import { fc } from "../support/property.ts"
import { describe, expect, it } from "vitest"
import * as Causes from "../../src/analytics/Causes.ts"
import * as Query from "../../src/domain/Query.ts"
import type { Share } from "../../src/store/Rollups.ts"

const hour = 3_600_000
const share = (template: string, service: string, level: number, lines: number): Share => ({
  template,
  service,
  level,
  lines
})
const texts = new Map([
  ["1", { text: "request done", firstSeen: 0 }],
  ["2", { text: "disk full on <*>", firstSeen: 10 * hour }]
])
const rank = (now: ReadonlyArray<Share>, before: ReadonlyArray<Share>) =>
  Causes.rank({ now: { shares: now, ms: hour / 6 }, before: { shares: before, ms: 6 * hour }, texts, from: 10 * hour })

describe("causes", () => {
  it("put a new template of errors before a service that only grew", () => {
    const causes = rank(
      [share("1", "api", 9, 150), share("2", "db", 17, 120)],
      [share("1", "api", 9, 3_600), share("1", "db", 9, 3_600)]
    )
    expect(causes[0]).toMatchObject({ kind: "template", key: "2", change: "new", lines: 120, ratio: null })
    expect(causes[0]!.explanation).toContain(
      'Lines like "disk full on <*>" had never been seen before: 120 came in 10 min'
    )
  })

  it("tell what stopped", () => {
    const causes = rank([share("1", "api", 9, 100)], [share("1", "api", 9, 3_600), share("1", "billing", 9, 3_600)])
    expect(causes.find(({ key }) => key === "billing")).toMatchObject({ change: "gone", lines: 0, expected: 100 })
  })

  it("rank what anomaly detection found along", () => {
    const found = {
      name: "api wrote oddly",
      change: "fewer",
      lines: 4,
      expected: 16,
      score: 16,
      explanation: "It is odd. Score 16.",
      query: "service:api"
    } as const
    const side = { shares: [], ms: hour }
    const causes = Causes.rank({ now: side, before: side, texts, from: 0 }, [found])
    expect(causes).toMatchObject([
      { kind: "anomaly", text: "api wrote oddly", change: "fewer", ratio: 0.25, score: 16, query: "service:api" }
    ])
  })

  it("are silent where the same goes on", () => {
    expect(rank([share("1", "api", 9, 100)], [share("1", "api", 9, 3_600)])).toEqual([])
    expect(rank([], [])).toEqual([])
  })

  it("never throw, are sorted, and link to a query that can be asked", () => {
    const shares = fc.array(
      fc.record({
        template: fc.constantFrom("", "1", "2", "77"),
        service: fc.string({ unit: "binary", maxLength: 20 }),
        level: fc.constantFrom(0, 5, 9, 13, 17, 21),
        lines: fc.integer({ min: 1, max: 100_000 })
      }),
      { maxLength: 30 }
    )
    fc.assert(
      fc.property(shares, shares, (now, before) => {
        const causes = rank(now, before)
        for (const [i, cause] of causes.entries()) {
          expect(Number.isFinite(cause.score)).toBe(true)
          expect(cause.score).toBeLessThanOrEqual(causes[i - 1]?.score ?? Infinity)
          expect(Query.parse(cause.query)).toMatchObject({ ok: true })
          expect(cause.explanation).toMatch(/Score/u)
        }
      }),
      { numRuns: 200 }
    )
  })

  it("are as surprising as the distance from what was expected", () => {
    expect(Causes.surprise(10, 10)).toBe(0)
    expect(Causes.surprise(0, 0)).toBeLessThanOrEqual(0)
    expect(Causes.surprise(100, 10)).toBeGreaterThan(Causes.surprise(50, 10))
    expect(Causes.surprise(0, 100)).toBeLessThan(-10)
  })
})
