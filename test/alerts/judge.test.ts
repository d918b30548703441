import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import type { AlertRule, SpecOf } from "../../src/domain/Rule.ts"
import { ProjectId, RuleId } from "../../src/domain/Ids.ts"
import type { LogEvent } from "../../src/domain/LogEvent.ts"
import * as Judge from "../../src/alerts/Judge.ts"
import { prop } from "../support/property.ts"

const start = 1_700_000_000_000
type Threshold = AlertRule & SpecOf<"threshold">
const rule = (fields: Partial<Threshold> = {}): Threshold => ({
  id: RuleId.make("r1"),
  project: ProjectId.make("default"),
  name: "errors",
  type: "threshold",
  query: "level:error",
  window: "1 minute",
  threshold: 3,
  for: "0 seconds",
  enabled: true,
  createdAt: "2026-01-01T00:00:00.000Z",
  ...fields
})
const lines = (count: number, fields: Partial<LogEvent> = {}): Array<LogEvent> =>
  Array.from({ length: count }, (_, i) => ({
    time: 0,
    level: "error",
    service: "",
    message: `boom ${i}`,
    attributes: {},
    ...fields
  }))
const states = (verdicts: ReadonlyArray<Judge.Verdict>) => verdicts.map(({ from, to }) => `${from} → ${to}`)
/** As the pipeline keeps it. */
const kept = (judge: Judge.Judge): Judge.JudgeState => JSON.parse(JSON.stringify(judge.state)) as Judge.JudgeState

describe("a rule without for", () => {
  it("fires with the line that reaches the threshold and resolves when the window has passed", () => {
    const judge = Judge.make([rule()])
    expect(judge.batch(lines(2), start, "b1")).toEqual([])
    expect(judge.nextTickAt).toBeUndefined()
    const [fired] = judge.batch([...lines(1, { level: "info" }), ...lines(1, { message: "last" })], start + 1000, "b2")
    expect(fired).toMatchObject({
      ruleId: "r1",
      from: "inactive",
      to: "firing",
      at: start + 1000,
      value: 3,
      threshold: 3,
      reason: "3 lines in 1 minute, threshold 3",
      samples: ["boom 0", "boom 1", "last"],
      startedAt: start + 1000,
      firedAt: start + 1000,
      resolvedAt: null
    })
    expect(judge.batch(lines(1), start + 2000, "b3")).toEqual([])
    const next = judge.nextTickAt!
    expect(next).toBeGreaterThan(start + 60_000)
    expect(next).toBeLessThan(start + 61_100)
    expect(judge.tick(next - 1)).toEqual([])
    const [resolved] = judge.tick(next + 5000)
    // However late the clock looks, the alert ended when it ended.
    expect(resolved).toMatchObject({
      from: "firing",
      to: "resolved",
      at: next,
      alertId: fired!.alertId,
      resolvedAt: next
    })
    expect(judge.nextTickAt).toBeUndefined()
    expect(states(judge.batch(lines(3), start + 200_000, "b4"))).toEqual(["inactive → firing"])
  })

  it("resolves and fires again in one batch that comes after the window", () => {
    const judge = Judge.make([rule()])
    judge.batch(lines(3), start, "b1")
    const verdicts = judge.batch(lines(3), start + 300_000, "b2")
    expect(states(verdicts)).toEqual(["firing → resolved", "inactive → firing"])
    expect(new Set(verdicts.map(({ alertId }) => alertId)).size).toBe(2)
  })
})

describe("a rule with for", () => {
  const patient = rule({ for: "30 seconds" })

  it("waits, then fires by time alone", () => {
    const judge = Judge.make([patient])
    const [pending] = judge.batch(lines(3), start, "b1")
    expect(pending).toMatchObject({ from: "inactive", to: "pending", firedAt: null })
    expect(judge.nextTickAt).toBe(start + 30_000)
    expect(judge.tick(start + 29_999)).toEqual([])
    expect(judge.tick(start + 31_000)).toMatchObject([
      {
        from: "pending",
        to: "firing",
        at: start + 30_000,
        alertId: pending!.alertId,
        startedAt: start,
        firedAt: start + 30_000
      }
    ])
  })

  it("goes back when the condition ends before, even if no one looked in between", () => {
    const judge = Judge.make([rule({ window: "10 seconds", for: "30 seconds" })])
    judge.batch(lines(3), start, "b1")
    const verdicts = judge.tick(start + 60_000)
    expect(states(verdicts)).toEqual(["pending → inactive"])
    expect(verdicts[0]).toMatchObject({
      reason: "ended before 30 seconds had passed: 0 lines in 10 seconds, threshold 3",
      firedAt: null
    })
  })
})

describe("what a judge remembers", () => {
  it("goes on in another process, and a batch delivered again gives the same verdict", () => {
    const first = Judge.make([rule()])
    first.batch(lines(2), start, "b1")
    const state = kept(first)
    const one = Judge.make([rule()], state).batch(lines(2), start + 10, "b2")
    const other = Judge.make([rule()], state).batch(lines(2), start + 10, "b2")
    expect(states(one)).toEqual(["inactive → firing"])
    expect(other).toEqual(one)
    expect(one[0]!.alertId).toMatch(/^al_[\w-]{24}$/u)
  })

  it("forgets rules that changed, went or are disabled, and keeps the others", () => {
    const other = rule({ id: RuleId.make("r2"), name: "other" })
    const judging = Judge.make([rule(), other])
    judging.batch(lines(2), start, "b1")
    const state = kept(judging)
    const renamed = Judge.make([rule({ name: "renamed" }), rule({ id: RuleId.make("r2"), threshold: 2 })], state)
    expect(renamed.batch(lines(1), start + 1, "b2").map(({ ruleName }) => ruleName)).toEqual(["renamed"])
    const rules = (one: Judge.Judge) => [...new Set(Object.keys(one.state).map((field) => field.split(" ")[0]))]
    expect(rules(Judge.make([other], state))).toEqual(["", "r2"])
    expect(rules(Judge.make([rule({ enabled: false })], state))).toEqual([""])
    // What is forgotten is to be removed where it is kept.
    expect([...Judge.make([other], state).changes()].filter(([, text]) => text === "").map(([field]) => field)).toEqual(
      ["r1 head", "r1 group "]
    )
  })

  it("is started anew by a state of another version", () => {
    const judge = Judge.make([rule()], { "": '{"version":1,"at":0,"rules":{"r1":3}}' })
    expect(states(judge.batch(lines(3), start, "b1"))).toEqual(["inactive → firing"])
  })

  it("refuses a rule that can't be judged and judges the others", () => {
    const judge = Judge.make([rule({ id: RuleId.make("bad"), query: "(" }), rule()])
    expect(judge.refused).toMatchObject([{ ruleId: "bad", issues: [{ path: ["query"] }] }])
    expect(judge.batch(lines(3), start, "b1").length).toBe(1)
  })

  const gaps = Arbitrary.array(
    Arbitrary.all([
      Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 50_000 }))),
      Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 })))
    ]),
    { maxLength: 30 }
  )
  prop("makes no difference by being written down, or by more looks at the clock", [gaps], ([batches]) => {
    const rules = [rule(), rule({ id: RuleId.make("r2"), for: "20 seconds" })]
    const steady = Judge.make(rules)
    let moved = Judge.make(rules)
    const expected: Array<Judge.Verdict> = []
    const found: Array<Judge.Verdict> = []
    let at = start
    for (const [index, [gap, count]] of batches.entries()) {
      for (let tick = at; tick < at + gap; tick += 7000) found.push(...moved.tick(tick))
      at += gap
      expected.push(...steady.batch(lines(count), at, `b${index}`))
      found.push(...moved.batch(lines(count), at, `b${index}`))
      moved = Judge.make(rules, kept(moved))
    }
    // A judge that takes over shows the lines that came to itself.
    const sorted = (verdicts: Array<Judge.Verdict>) =>
      verdicts
        .toSorted((a, b) => a.ruleId.localeCompare(b.ruleId))
        .map(({ lines: _lines, samples: _samples, ...verdict }) => verdict)
    expect(sorted(found)).toEqual(sorted(expected))
  })
})

describe("samples", () => {
  it("are the last five, each cut, none broken", () => {
    const judge = Judge.make([rule()])
    const [fired] = judge.batch([...lines(9), ...lines(1, { message: "😀".repeat(400) })], start, "b1")
    expect(fired!.samples.length).toBe(5)
    expect(fired!.samples[3]).toBe("boom 8")
    expect(fired!.samples[4]!.length).toBeLessThanOrEqual(501)
    expect(fired!.samples[4]!.isWellFormed()).toBe(true)
  })

  it("stand with the lines before them, of the same service and host, from earlier batches too", () => {
    const judge = Judge.make([rule({ threshold: 1, query: "boom" })])
    const said = (message: string, host = "a") => lines(1, { message, level: "info", attributes: { host } })
    judge.batch([...said("one"), ...said("elsewhere", "b"), ...said("two")], start, "b1")
    judge.batch(said("three"), start + 1, "b2")
    judge.batch(said("far", "b"), start + 2, "b3")
    const [fired] = judge.batch([...said("four"), ...said("near", "b"), ...said("boom")], start + 3, "b4")
    expect(fired!.lines).toMatchObject([{ message: "boom", before: ["two", "three", "four"] }])
  })
  it("remember little of what came before", () => {
    const judge = Judge.make([rule({ threshold: 1, query: "boom", window: "1 second" })])
    const fire = (at: number) => {
      const [fired] = judge.batch(lines(1, { message: "boom", service: "quiet" }), start + at, `f${at}`)
      return fired!.lines![0]!.before
    }
    judge.batch(lines(1, { message: "before", service: "quiet" }), start, "b1")
    judge.batch(lines(150, { message: "busy", service: "loud" }), start + 1, "b2")
    expect(fire(2)).toEqual(["before"])
    judge.batch(lines(250, { message: "busy", service: "loud" }), start + 5_000, "b3")
    expect(fire(10_000)).toEqual([])
    judge.batch(lines(1, { message: "before", service: "quiet" }), start + 15_000, "b4")
    judge.batch(lines(1, { message: "x".repeat(100_000), service: "loud" }), start + 15_001, "b5")
    expect(fire(20_000)).toEqual([])
  })
})

describe("an alert's query", () => {
  const of = (fields: Partial<Threshold>, line: Partial<LogEvent> = {}) =>
    Judge.make([rule({ threshold: 1, ...fields })]).batch(lines(1, line), start, "b1")[0]!.query
  it("finds the lines of its group alone", () => {
    expect(of({ query: "level:error OR boom" })).toBe("level:error OR boom")
    expect(of({ query: "*", groupBy: ["service"] }, { service: "a b" })).toBe('service:"a b"')
    expect(
      of(
        { query: "level:error OR x", groupBy: ["service", "http.status"] },
        { service: 'q"t', attributes: { "http.status": 500 } }
      )
    ).toBe('(level:error OR x) service:"q\\"t" http.status:"500"')
    expect(of({ query: "boom", groupBy: ["no name?("] }, { attributes: { "no name?(": "x" } })).toBe("boom")
  })
})

describe("cost", () => {
  it("is small for twenty rules and 500 lines", () => {
    const words = ["timeout", "refused", "level:>=warn disk", "service:api-* -retry", "http.status:5*"]
    const judge = Judge.make(
      Array.from({ length: 20 }, (_, i) => rule({ id: RuleId.make(`r${i}`), query: words[i % 5]!, threshold: 1e6 }))
    )
    const batch = lines(500, { message: "a line of ordinary length about nothing in particular, one of many" })
    for (let i = 0; i < 20; i++) judge.batch(batch, start + i, `w${i}`)
    const from = performance.now()
    for (let i = 0; i < 20; i++) judge.batch(batch, start + 100 + i, `b${i}`)
    expect((performance.now() - from) / 20).toBeLessThan(25)
  })
})
