/** What every rule type promises, whatever it measures. */
import { describe, expect, it } from "vitest"
import { ruleTypes } from "../../src/alerts/all.ts"
import * as Judge from "../../src/alerts/Judge.ts"
import type { LogEvent } from "../../src/domain/LogEvent.ts"
import type { RuleSpec, RuleTypeName } from "../../src/domain/Rule.ts"
import { origin, ruleOf } from "./score.ts"

const specs: { readonly [Name in RuleTypeName]: Extract<RuleSpec, { readonly type: Name }> } = {
  threshold: { type: "threshold", query: "*", window: "10 seconds", threshold: 5 },
  rate_of_change: { type: "rate_of_change", query: "*", window: "10 seconds", factor: 2, direction: "both" },
  absence: { type: "absence", query: "level:error", window: "10 seconds" },
  new_template: { type: "new_template", query: "*", window: "10 seconds", learn: "5 seconds" },
  new_value: { type: "new_value", query: "*", field: "user", window: "10 seconds", learn: "5 seconds" },
  cardinality: { type: "cardinality", query: "*", field: "user", window: "10 seconds", threshold: 3 },
  ratio: { type: "ratio", query: "level:error", window: "10 seconds", threshold: 0.5, minimum: 3 },
  anomaly: { type: "anomaly", query: "*", window: "10 seconds", learnBuckets: 20 }
}

/** Numbers that look like chance and are the same each time. */
const chance = (seed: number) => () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32

const batches = (seed: number): ReadonlyArray<{ readonly at: number; readonly events: ReadonlyArray<LogEvent> }> => {
  const next = chance(seed)
  let at = origin
  return Array.from({ length: 80 }, () => {
    at += Math.floor(next() * 9_000)
    const events = Array.from({ length: Math.floor(next() * 9) }, (): LogEvent => {
      const odd = [Number.NaN, -1, Number.MAX_SAFE_INTEGER, at - 7_200_000][Math.floor(next() * 60)]
      return {
        time: odd ?? at - Math.floor(next() ** 4 * 90_000),
        level: next() < 0.5 ? "error" : "info",
        service: `s${Math.floor(next() * 3)}`,
        message: "m".repeat(Math.floor(next() * 50)),
        attributes: { user: `u${Math.floor(next() * 12)}` },
        template: 1 + Math.floor(next() * 5)
      }
    })
    return { at, events }
  })
}

const brief = ({ at, from, group, to }: Judge.Verdict) => `${at} ${group ?? ""} ${from} ${to}`

describe.each(Object.values(specs))("$type", (spec) => {
  it.each([[[]], [["service"]]])(
    "gives the same verdicts when it is written down and taken up, groups %j",
    (groupBy) => {
      const rules = [ruleOf({ ...spec, groupBy, for: "2 seconds" }), ruleOf({ ...spec, groupBy }, "r2")]
      for (let seed = 1; seed <= 5; seed++) {
        const steady = Judge.make(rules)
        let moved = Judge.make(rules)
        for (const [i, { at, events }] of batches(seed).entries()) {
          const expected = steady.batch(events, at, `b${i}`).map(brief)
          expect(moved.batch(events, at, `b${i}`).map(brief)).toEqual(expected)
          moved = Judge.make(rules, JSON.parse(JSON.stringify(moved.state)) as Judge.JudgeState)
          expect(JSON.stringify(moved.state).length).toBeLessThan(200_000)
        }
      }
    }
  )

  it("accepts its spec", () => expect(ruleTypes[spec.type].validate(spec as never)).toEqual([]))
})
