/** Rules find what is there and nothing else; what a language model says is believed only as far as it was found. */
import { fc } from "../support/property.ts"
import { describe, expect, it } from "vitest"
import { type Facts, find, summarize } from "../../src/analytics/Insights.ts"
import { latencyOf } from "../../src/analytics/Views.ts"
import * as Wording from "../../src/analytics/Wording.ts"
import type { Level } from "../../src/domain/Level.ts"
import * as Query from "../../src/domain/Query.ts"
import * as Sketch from "../../src/domain/Sketch.ts"

const hour = 3_600_000
const from = Date.UTC(2026, 5, 1)
const to = from + 24 * hour
const at = (info: number, error: number, debug = 0): Record<Level, number> => ({
  unknown: 0,
  trace: 0,
  debug,
  info,
  warn: 0,
  error,
  fatal: 0
})
const calm = Array.from({ length: 24 }, (_, i) => ({ at: from + i * hour, byLevel: at(1_000, 5) }))
const base: Facts = {
  from,
  to,
  stepMs: hour,
  points: calm,
  before: at(24_000, 120),
  services: [],
  silent: [],
  templates: [],
  endpoints: [],
  endpointsBefore: [],
  alerts: [],
  retentionDays: 30,
  bytesPerLine: 300
}
const template = (id: string, lines: number, before: number, errors = 0, firstSeen = from - hour) => ({
  id,
  text: `text of ${id}`,
  lines,
  warnings: 0,
  errors,
  before,
  firstSeen: new Date(firstSeen).toISOString()
})
const endpoint = (ms: number) => ({
  service: "api",
  endpoint: "GET /orders",
  errors: 0,
  latency: latencyOf(Sketch.of(Array.from({ length: 100 }, () => ms)))!
})
const kinds = (facts: Partial<Facts>) => find({ ...base, ...facts }).map(({ kind }) => kind)

describe("insights", () => {
  it("are none where nothing happens, and say so", () => {
    expect(find(base)).toEqual([])
    expect(summarize(base, [])).toContain("Nothing stands out")
  })

  it("tell a spike of errors with its hour, what is usual, and a link", () => {
    const points = calm.map((point, i) => (i === 14 ? { ...point, byLevel: at(1_000, 900) } : point))
    const [first] = find({ ...base, points, before: at(24_000, 1_020) })
    expect(first).toMatchObject({
      kind: "error_spike",
      severity: "critical",
      title: "900 errors on 1 Jun 2026, 14:00–15:00 UTC",
      link: { query: "level:>=error", from: "2026-06-01T14:00:00.000Z", to: "2026-06-01T15:00:00.000Z" }
    })
    expect(first!.text).toContain("where 5 are usual (180×)")
  })

  it.each<[string, Partial<Facts>]>([
    ["error_rate", { points: calm.map((p) => ({ ...p, byLevel: at(1_000, 60) })) }],
    ["new_template", { templates: [template("1", 10, 10), template("2", 40, 0, 40, from + hour)] }],
    ["vanished_service", { silent: [{ service: "billing", before: 5_000 }] }],
    ["vanished_template", { templates: [template("3", 0, 5_000)] }],
    ["slow_endpoint", { endpoints: [endpoint(2_000)], endpointsBefore: [endpoint(200)] }],
    ["top_talker", { templates: [template("4", 20_000, 20_000)] }],
    ["volume_growth", { before: at(5_000, 25) }],
    [
      "retention",
      { points: calm.map((p) => ({ ...p, byLevel: at(1_000, 5, 2_000) })), before: at(24_000, 120, 48_000) }
    ],
    [
      "flapping_alert",
      {
        alerts: Array.from({ length: 6 }, (_, i) => ({
          ruleId: "r",
          ruleName: "cpu",
          startedAt: new Date(from + i * hour).toISOString(),
          resolvedAt: new Date(from + i * hour + 60_000).toISOString()
        }))
      }
    ]
  ])("find %s", (kind, facts) => expect(kinds(facts)).toContain(kind))

  it("stay on their scale where a pattern counts more lines than the levels do", () => {
    const [found] = find({ ...base, templates: [template("4", 200_000, 200_000)] })
    expect(found).toMatchObject({ kind: "top_talker", score: 50 })
    expect(found!.title).toContain("100%")
  })

  it("are ranked, linked and finite, whatever the figures are", () => {
    const n = fc.integer({ min: 0, max: 10_000_000 })
    const facts = fc.record({
      points: fc.array(
        fc.record({
          at: fc.integer({ min: from, max: to }),
          byLevel: fc.tuple(n, n, n).map(([a, b, c]) => at(a, b, c))
        }),
        { maxLength: 30 }
      ),
      before: fc.tuple(n, n).map(([a, b]) => at(a, b)),
      silent: fc.array(fc.record({ service: fc.string({ unit: "binary" }), before: n }), { maxLength: 5 }),
      templates: fc.array(
        fc.tuple(fc.nat(99), n, n, n).map(([id, a, b, c]) => template(String(id), a, b, c, from + 1)),
        { maxLength: 9 }
      ),
      bytesPerLine: fc.option(n, { nil: undefined })
    })
    fc.assert(
      fc.property(facts, (some) => {
        const insights = find({ ...base, ...some })
        for (const [i, one] of insights.entries()) {
          expect(one.score).toBeLessThanOrEqual(insights[i - 1]?.score ?? 100)
          expect(Query.parse(one.link.query)).toMatchObject({ ok: true })
          expect(`${one.title}${one.text}`).not.toMatch(/NaN|Infinity|undefined/u)
          expect(Object.values(one.numbers).every(Number.isFinite)).toBe(true)
        }
      }),
      { numRuns: 150 }
    )
  })
})

describe("a language model's words", () => {
  const insights = find({
    ...base,
    silent: [{ service: "billing", before: 5_000 }],
    templates: [template("1", 10, 9), template("2", 40, 0, 40, from + hour)]
  })
  const answer = (value: unknown) => Wording.read(JSON.stringify(value), insights)
  const worded = { finding: "f0", title: "Billing is gone", text: "It wrote 5,000 lines before and nothing since." }

  it("replace those of statistics, but not their numbers and links", () => {
    const read = answer({ summary: "One service is gone.", insights: [worded] })
    expect(read).toMatchObject({ ok: true, summary: "One service is gone." })
    if (!read.ok) return
    expect(read.insights).toHaveLength(insights.length)
    expect(read.insights[0]).toEqual({ ...insights[0], title: worded.title, text: worded.text, source: "llm" })
    expect(read.insights[1]).toEqual(insights[1])
  })

  it.each<[string, unknown]>([
    ["is no JSON of this shape", { insights: [worded] }],
    ["has more than was asked for", { summary: "x", insights: [worded], command: "rm" }],
    ["names what was not found", { summary: "x", insights: [{ ...worded, finding: "f77" }] }],
    ["names one twice", { summary: "x", insights: [worded, worded] }],
    ["invents a number", { summary: "9,731 users are hit.", insights: [worded] }],
    ["brings a link", { summary: "See https://evil.example", insights: [worded] }],
    ["says nothing that was counted", { summary: "x", insights: [{ ...worded, text: "It wrote lines before." }] }],
    ["names an address", { summary: "x", insights: [{ ...worded, text: "Write to help@evil.example now." }] }],
    ["names a host", { summary: "x", insights: [{ ...worded, text: "Log in at evil.example to mend it." }] }],
    ["names a path", { summary: "x", insights: [{ ...worded, text: "Remove (/etc/passwd) to mend it." }] }],
    ["hides letters", { summary: "All\u202e is well", insights: [worded] }],
    ["writes numbers in other digits", { summary: "x", insights: [{ ...worded, text: "Call ٤٧١١." }] }],
    ["invents in every wording", { summary: "x", insights: [{ ...worded, text: "Send 4711 to me." }] }]
  ])("are refused where the answer %s", (_, value) => expect(answer(value).ok).toBe(false))

  it("may name what the finding names, and never put what is urgent behind the rest", () => {
    const slow = find({ ...base, endpoints: [endpoint(2_000)], silent: [{ service: "eu.billing", before: 5_000 }] })
    expect(slow.map(({ severity }) => severity)).toEqual(["critical", "info"])
    const text = "GET /orders takes 2 s; e.g. eu.billing and/or others wait."
    const order = [
      { finding: "f1", title: "Slow", text: "GET /orders takes 2 s." },
      { finding: "f0", title: "eu.billing is gone", text: "It wrote 5,000 lines." }
    ]
    const read = Wording.read(JSON.stringify({ summary: text.replace("e.g. ", ""), insights: order }), slow)
    expect(read.ok && read.insights.map(({ source, title }) => [source, title])).toEqual([
      ["llm", "eu.billing is gone"],
      ["llm", "Slow"]
    ])
  })

  it("are never more than was found, whatever it answers", () => {
    const words = fc.constantFrom("", "gone", "40 lines", "5,000 lines", "77", "<b>", "`x`", "see www.evil.example")
    const answers = fc
      .record({
        summary: words,
        insights: fc.array(
          fc.record({ finding: fc.constantFrom("f0", "f1", "f2", "f9", "0"), title: words, text: words }),
          { maxLength: 4 }
        )
      })
      .map((value) => JSON.stringify(value))
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), answers), (text) => {
        const read = Wording.read(text, insights)
        const after = read.ok ? read.insights : insights
        const kept = ({ id, link, numbers }: (typeof insights)[number]) => JSON.stringify([id, link, numbers])
        expect(after.map(kept).toSorted()).toEqual(insights.map(kept).toSorted())
      })
    )
  })

  it("are asked for within the budget, redacted, with lines as data", () => {
    const many = Array.from({ length: 500 }, () => ({ ...insights[0]!, text: "mail to a@b.example ".repeat(20) }))
    const text = Wording.ask(many, (one) => one.replaceAll("a@b.example", "***"))
    expect(text.length).toBeLessThan(Wording.budgetTokens * 4)
    expect(text).not.toContain("a@b.example")
    expect(JSON.parse(text)[0]).toMatchObject({ id: "f0", kind: insights[0]!.kind })
  })
})
