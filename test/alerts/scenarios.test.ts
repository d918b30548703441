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
  it("is not the same as zero: lines that do not match are data", () => {
    const piece = score(
      ruleOf({ ...errors, query: "service:api level:error", noData: "alert", noDataAfter: "30 seconds" })
    )
    for (let at = 1; at < 60; at += 5) piece.push(at, 1, { level: "info" })
    // Another service's lines are not.
    piece.push(70, 1, { service: "other" }).want("firing", 86, 86.5, { group: "no data" }).play(90)
  })
  it("of zero lines, an alert ends as it should", () => {
    score(ruleOf({ ...errors, window: "10 seconds", noData: "ok" }))
      .push(1, 5)
      .want("firing", 1, 1)
      .want("resolved", 11, 12)
      .play(60)
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

describe("lines that come late", () => {
  it("are waited for where their absence would be told", () => {
    score(ruleOf({ type: "absence", query: "*", window: "10 seconds", lateness: "5 seconds" }))
      .push(1, 1)
      .push(14, 1, { time: 9 })
      .push(20, 1)
      .want("firing", 35, 35.5)
      .play(36)
  })
  it("are waited for where a fall of the rate would be told", () => {
    const rule = ruleOf({
      type: "rate_of_change",
      direction: "down",
      query: "*",
      window: "10 seconds",
      factor: 4,
      minimum: 10,
      lateness: "5 seconds"
    })
    const piece = score(rule)
    for (let at = 0; at < 30; at++) piece.push(at, 2)
    for (let at = 30; at < 60; at++) piece.push(at + 4, 2, { time: at })
    piece.want("firing", 72, 76).play(76)
  })
  it("are counted by cardinality and ratio, too", () => {
    const many = ruleOf({ type: "cardinality", query: "*", field: "ip", window: "10 seconds", threshold: 3 }, "r1")
    const piece = score(many)
    for (const ip of ["x", "y"]) piece.push(1, 1, { attributes: { ip } })
    piece
      .push(60, 1, { attributes: { ip: "x" } })
      .push(61, 1, { time: 2, attributes: { ip: "z" } })
      .want("firing", 61, 61, { late: true, value: 3 })
      .want("resolved", 61, 73)
      .play(90)
    score(ruleOf({ type: "ratio", query: "level:error", window: "10 seconds", threshold: 0.5, minimum: 10 }))
      .push(1, 9, { level: "info" })
      .push(60, 1, { level: "info" })
      .push(61, 9, { time: 2 })
      .want("firing", 61, 61, { late: true, value: 0.5 })
      .want("resolved", 61, 73)
      .play(90)
  })
  it("too late, count when they come or not at all", () => {
    const old = { time: -4_000 }
    score(ruleOf({ ...errors, window: "10 seconds" }))
      .push(5, 5, old)
      .want("firing", 5, 5)
      .want("resolved", 15, 16)
      .play(20)
    score(ruleOf({ ...errors, window: "10 seconds", tooOld: "ignore" }))
      .push(5, 5, old)
      .play(20)
  })
})

describe("for", () => {
  it("lets a condition hold so long, and forgets one that ends before", () => {
    score(ruleOf({ ...errors, window: "5 seconds", for: "8 seconds" }))
      .push(1, 5)
      .push(20, 5)
      .push(24, 5)
      .want("pending", 1, 1)
      .want("inactive", 6, 6.5)
      .want("pending", 20, 20)
      .want("firing", 28, 28.5)
      .want("resolved", 29, 29.5)
      .play(40)
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
  it("new_value: wants as many lines as it was told to", () => {
    const rule = {
      type: "new_value",
      query: "*",
      field: "user",
      window: "10 seconds",
      learn: "0 seconds",
      count: 3
    } as const
    score(ruleOf(rule))
      .push(1, 2, { attributes: { user: "eve" } })
      .push(30, 3, { attributes: { user: "bob" } })
      .want("firing", 30, 30, { groupValues: { user: "bob" }, value: 3 })
      .want("resolved", 40, 42)
      .play(60)
  })
  it("ratio: says nothing of a service without traffic", () => {
    score(ruleOf({ type: "ratio", query: "level:error", window: "10 seconds", threshold: 0.5, minimum: 10 }))
      .push(1, 9)
      .play(30)
  })
  it("cardinality: of each group", () => {
    const rule = { type: "cardinality", query: "*", field: "ip", window: "10 seconds", threshold: 2 } as const
    score(ruleOf({ ...rule, groupBy: ["service"] }))
      .push(1, 1, { service: "a", attributes: { ip: "x" } })
      .push(2, 1, { service: "b", attributes: { ip: "y" } })
      .push(3, 1, { service: "b", attributes: { ip: "z" } })
      .want("firing", 3, 3, { groupValues: { service: "b" } })
      .want("resolved", 12, 15)
      .play(30)
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
