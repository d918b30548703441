/** What each rule type does, told as scores. */
import { describe, it } from "vitest"
import { ruleOf, score } from "./score.ts"

const errors = { type: "threshold", query: "level:error", window: "1 minute", threshold: 5 } as const

describe("threshold", () => {
  it("fires with the fifth line and resolves when the window has passed", () => {
    score(ruleOf(errors)).push(1, 5).want("firing", 1, 1.5, { value: 5 }).want("resolved", 61, 63).play()
  })
  it("has an alert per group", () => {
    const rule = ruleOf({ ...errors, groupBy: ["service"], severity: "critical", labels: { team: "core" } })
    score(rule)
      .push(1, 5, { service: "a" })
      .push(2, 3, { service: "b" })
      .want("firing", 1, 1.5, { groupValues: { service: "a" }, severity: "critical", labels: { team: "core" } })
      .want("resolved", 61, 63, { groupValues: { service: "a" } })
      .play()
  })
  it("goes on firing for a while against flapping", () => {
    const rule = ruleOf({ ...errors, window: "10 seconds", keepFiringFor: "20 seconds" })
    score(rule).push(1, 5).push(25, 5).want("firing", 1, 1.5).want("resolved", 55, 56).play()
  })
  it("fires late where late lines complete a window", () => {
    score(ruleOf({ ...errors, window: "10 seconds" }))
      .push(1, 3)
      .push(120, 1, { level: "info" })
      .push(121, 2, { time: 2 })
      .want("firing", 121, 121, { late: true, value: 5 })
      .want("resolved", 121, 132)
      .play(200)
  })
  it("corrects an alert that is over", () => {
    score(ruleOf({ ...errors, window: "10 seconds" }))
      .push(1, 5)
      .push(120, 1, { level: "info" })
      .push(121, 2, { time: 1 })
      .want("firing", 1, 1, { value: 5, late: false })
      .want("resolved", 11, 12)
      .want("resolved", 121, 121, { late: true, value: 7 })
      .play(200)
  })
})

describe("no data", () => {
  it("is an alert where the rule asks for it", () => {
    score(ruleOf({ ...errors, noData: "alert", noDataAfter: "30 seconds" }))
      .push(1, 1)
      .push(60, 1)
      .want("firing", 31, 31.5, { group: "no data" })
      .want("resolved", 60, 60)
      .play(80)
  })
  it("keeps an alert where the rule asks for it", () => {
    score(ruleOf({ ...errors, window: "10 seconds", noData: "keep" }))
      .push(1, 5)
      .push(100, 1, { level: "info" })
      .want("firing", 1, 1)
      .want("resolved", 100, 100)
      .play()
  })
})

describe("the other types", () => {
  it("rate_of_change: fires on a rise", () => {
    const piece = score(
      ruleOf({ type: "rate_of_change", query: "level:error", window: "10 seconds", factor: 3, minimum: 10 })
    )
    for (let at = 0; at < 30; at++) piece.push(at, 1)
    piece.push(30, 40).want("firing", 30, 30).want("resolved", 40, 42).play(70)
  })
  it("absence: fires when lines stop", () => {
    score(ruleOf({ type: "absence", query: "level:error", window: "10 seconds", lateness: "5 seconds" }))
      .push(1, 1)
      .push(40, 1)
      .want("firing", 15, 16.5)
      .want("resolved", 40, 40)
      .play(45)
  })
  it("absence: of a group that was seen", () => {
    score(
      ruleOf({
        type: "absence",
        query: "level:error",
        window: "10 seconds",
        lateness: "0 seconds",
        groupBy: ["service"]
      })
    )
      .push(1, 1, { service: "a" })
      .want("firing", 11, 11.5, { groupValues: { service: "a" } })
      .play(40)
  })
  it("new_value: tells a value once, after it has learnt", () => {
    score(ruleOf({ type: "new_value", query: "*", field: "user", window: "10 seconds", learn: "5 seconds" }))
      .push(1, 1, { attributes: { user: "ann" } })
      .push(10, 1, { attributes: { user: "ann" } })
      .push(11, 1, { attributes: { user: "bob" } })
      .push(30, 1, { attributes: { user: "bob" } })
      .want("firing", 11, 11, { groupValues: { user: "bob" } })
      .want("resolved", 20, 23)
      .play(40)
  })
  it("new_template: tells a kind of message that is new", () => {
    score(ruleOf({ type: "new_template", query: "*", window: "10 seconds", learn: "5 seconds" }))
      .push(1, 1, { template: 1 })
      .push(11, 1, { template: 2 })
      .want("firing", 11, 11, { groupValues: { template: "2" } })
      .want("resolved", 20, 23)
      .play(40)
  })
  it("cardinality: counts distinct values", () => {
    const piece = score(ruleOf({ type: "cardinality", query: "*", field: "ip", window: "10 seconds", threshold: 3 }))
    for (const [at, ip] of ["x", "y", "x", "z"].entries()) piece.push(at + 1, 1, { attributes: { ip } })
    piece.want("firing", 4, 4, { value: 3 }).want("resolved", 11, 16).play(40)
  })
  it("ratio: of errors to all", () => {
    score(ruleOf({ type: "ratio", query: "level:error", window: "10 seconds", threshold: 0.5, minimum: 10 }))
      .push(1, 9, { level: "info" })
      .push(2, 20)
      .want("firing", 2, 2)
      .want("resolved", 12, 13)
      .play(40)
  })
  it("anomaly: a burst after a steady rate", () => {
    const piece = score(
      ruleOf({ type: "anomaly", query: "*", window: "10 seconds", learnBuckets: 30, lateness: "0 seconds" })
    )
    for (let at = 0; at < 600; at += 5) piece.push(at, 5)
    piece.push(602, 500).want("firing", 610, 610.5).want("resolved", 620, 700).play(700)
  })
})
