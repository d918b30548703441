/** A rule tried on lines of the past: the same alerts as the judge of passing lines would have made of them. */
import { describe, expect, it } from "vitest"
import * as Judge from "../../src/alerts/Judge.ts"
import * as Rehearsal from "../../src/alerts/Rehearsal.ts"
import type { LogEvent } from "../../src/domain/LogEvent.ts"
import { ProjectId } from "../../src/domain/Ids.ts"
import type { NewRule } from "../../src/domain/Rule.ts"
import { fc } from "../support/property.ts"
import { origin, ruleOf } from "./score.ts"

const line = (at: number, change: Partial<LogEvent> = {}): LogEvent => ({
  time: origin + at * 1_000,
  level: "error",
  service: "api",
  message: "boom",
  attributes: {},
  ...change
})

const errors = { name: "errors", type: "threshold", query: "level:error", window: "10 seconds", threshold: 3 } as const

const rehearse = (rule: NewRule, events: ReadonlyArray<LogEvent>, to: number) => {
  const rehearsal = Rehearsal.make(rule, ProjectId.make("default"), origin)
  rehearsal.take(events)
  return { query: rehearsal.query, issues: rehearsal.issues, ...rehearsal.end(origin + to * 1_000) }
}

const seconds = (times: ReadonlyArray<Rehearsal.Firing>) =>
  times.map(({ firedAt, resolvedAt }) => [
    (firedAt - origin) / 1_000,
    resolvedAt === null ? null : Math.round((resolvedAt - origin) / 1_000)
  ])

describe("a rehearsal", () => {
  it("says when a rule would have fired, for how long, and shows the lines", () => {
    const { alerts, fired, summary } = rehearse(
      errors,
      [1, 2, 3, 40, 41, 42, 43, 90, 91, 91].map((at) => line(at)),
      95
    )
    expect(seconds(alerts)).toEqual([
      [3, 11],
      [42, 51],
      [91, null]
    ])
    expect({ fired, summary }).toEqual({
      fired: 3,
      summary: `would have fired 3 ×: ${[3, 42, 91].map((at) => new Date(origin + at * 1_000).toISOString()).join(", ")}`
    })
    expect(alerts[0]).toMatchObject({
      value: 3,
      reason: "3 lines in 10 seconds, threshold 3",
      samples: ["boom", "boom", "boom"]
    })
  })
  it("tells the worst moment of an alert with the reason of that moment", () => {
    const rule = {
      name: "odd",
      type: "anomaly",
      query: "*",
      window: "10 seconds",
      learnBuckets: 20,
      direction: "up"
    } as const
    const usual = Array.from({ length: 60 }, (_, i) => line(i * 10))
    const burst = [40, 90].flatMap((size, i) => Array.from({ length: size }, () => line(601 + i * 10)))
    const { alerts } = rehearse(rule, [...usual, ...burst], 700)
    expect(alerts.length).toBeGreaterThan(0)
    // It is not over while lines are as odd as before.
    expect(seconds(alerts)).toEqual([[640, 660]])
    for (const { reason, value } of alerts) expect(reason).toMatch(new RegExp(`^${value} lines in 10 seconds`, "u"))
  })

  it("says how much a rate has changed", () => {
    const rule = { name: "up", type: "rate_of_change", query: "*", window: "10 seconds", factor: 3 } as const
    const { alerts } = rehearse(
      rule,
      [...[1, 5].map((at) => line(at)), ...Array.from({ length: 20 }, () => line(25))],
      26
    )
    expect(alerts[0]?.reason).toMatch(
      /^\d+ × as many lines in 10 seconds as before, threshold 3 × \(\d+ after \d+ in the window before\)$/u
    )
  })

  it("tells groups apart, and what ended before `for` had passed", () => {
    const rule = { ...errors, groupBy: ["service"], for: "5 seconds" }
    const services = [1, 1, 1, 4, 4, 8].map((at) => line(at, { service: "long" }))
    const { alerts, endedTooSoon, summary } = rehearse(
      { ...rule, window: "4 seconds" },
      [...services, ...[20, 20, 20].map((at) => line(at, { service: "short" }))],
      60
    )
    expect(alerts.map(({ group }) => group)).toEqual([{ service: "long" }].slice(0, alerts.length))
    expect(endedTooSoon).toBeGreaterThan(0)
    expect(summary).toContain("ended before 5 seconds had passed")
  })
  it("says that a rule would not have fired", () => {
    expect(rehearse(errors, [line(1)], 60)).toMatchObject({ fired: 0, alerts: [], summary: "would not have fired" })
  })
  it("needs no line to say that none came", () => {
    const { alerts } = rehearse({ name: "gone", type: "absence", query: "*", window: "1 minute" }, [], 600)
    expect(seconds(alerts)).toEqual([[90, null]])
  })
  it("reads the lines that it counts, and of no data all of its source", () => {
    const query = "service:api level:error"
    expect(rehearse({ ...errors, query }, [], 1).query).toMatchObject({ _tag: "And" })
    expect(rehearse({ ...errors, query, noData: "alert" }, [], 1).query).toEqual({ _tag: "Service", pattern: ["api"] })
    expect(rehearse({ ...errors, noData: "keep" }, [], 1).query).toEqual({ _tag: "All" })
  })
  it("counts all alerts, and tells the first two hundred", () => {
    const { alerts, fired, summary } = rehearse(
      { ...errors, threshold: 1, window: "1 second", groupBy: ["service"] },
      Array.from({ length: 500 }, (_, i) => line(i, { service: `s${i}` })),
      600
    )
    expect([fired, alerts.length]).toEqual([500, 200])
    expect(summary).toMatch(/^would have fired 500 ×: (?:\S+ \(s\d\), ){4}\S+ \(s4\) …$/u)
    expect(alerts.every(({ resolvedAt }) => resolvedAt !== null)).toBe(true)
  })
  it("finds what the judge of passing lines finds", () => {
    const rules: ReadonlyArray<NewRule> = [
      errors,
      { ...errors, for: "3 seconds", keepFiringFor: "5 seconds", groupBy: ["service"] },
      { name: "n", type: "new_value", query: "*", field: "service", window: "10 seconds", learn: "5 seconds" },
      { name: "c", type: "cardinality", query: "*", field: "service", window: "10 seconds", threshold: 2 }
    ]
    const gaps = fc.array(fc.tuple(fc.integer({ min: 0, max: 8_000 }), fc.integer({ min: 0, max: 3 })), {
      maxLength: 60
    })
    fc.assert(
      fc.property(fc.constantFrom(...rules), gaps, (rule, steps) => {
        let at = 0
        const events = steps.map(([gap, service]) => line((at += gap) / 1_000, { service: `s${service}` }))
        const end = origin + at + 60_000
        const judge = Judge.make([ruleOf(rule, "rehearsal")])
        const told = [
          judge.tick(origin),
          ...events.map((event, i) => judge.batch([event], event.time, `b${i}`)),
          judge.tick(end)
        ]
          .flat()
          .filter(({ from, to }) => to === "firing" && from !== "firing")
        const found = rehearse(rule, events, at / 1_000 + 60)
        expect(found.alerts.map(({ firedAt }) => firedAt)).toEqual(told.map(({ at: moment }) => moment))
      })
    )
  })
})
