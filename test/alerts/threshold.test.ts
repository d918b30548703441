import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import type { LogEvent } from "../../src/domain/LogEvent.ts"
import { validate } from "../../src/alerts/all.ts"
import { millisOf } from "../../src/alerts/Rule.ts"
import { type Buckets, bucketMs, bucketsMax } from "../../src/alerts/Buckets.ts"
import { threshold } from "../../src/alerts/rules/threshold.ts"
import { prop } from "../support/property.ts"

const event: LogEvent = { time: 0, level: "error", service: "", message: "x", attributes: {} }
const spec = { type: "threshold", query: "x", window: "1 minute", threshold: 5, for: "0 seconds" } as const
const integer = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

describe("validate", () => {
  it("accepts a whole rule", () => {
    expect(validate(spec)).toEqual([])
    expect(validate({ ...spec, window: "1 day", for: "1 hour", query: "" })).toEqual([])
  })

  it("names the path of every fault", () => {
    expect(validate({ ...spec, query: "(a", window: "500 millis", for: "2 days", threshold: 0 })).toEqual([
      { path: ["query"], message: "at position 2: expected `)` for the `(` at 0, got the end" },
      { path: ["window"], message: 'expected a duration from 1 second to 1 day, got "500 millis"' },
      { path: ["for"], message: 'expected a duration from 0 seconds to 1 day, got "2 days"' },
      { path: ["threshold"], message: "expected a whole number from 1 to 1000000000, got 0" }
    ])
  })

  it.each([
    ["1 minute", 60_000],
    ["1.5 seconds", 1500],
    ["250 millis", 250],
    ["1 week", 604_800_000],
    ["2 fortnights", undefined],
    ["constructor", undefined],
    ["-1 second", undefined]
  ])("reads %s", (text, ms) => {
    expect(millisOf(text)).toBe(ms)
  })
})

describe("threshold", () => {
  // Arrivals as gaps in ms and lines in each batch.
  const arrivals = Arbitrary.array(Arbitrary.all([integer(0, 40_000), integer(0, 4)]), { maxLength: 60 })

  prop(
    "counts the lines of the window, none too long by more than a bucket",
    [arrivals, integer(1, 3000)],
    ([batches, seconds]) => {
      const windowMs = seconds * 1000
      const watch = threshold.watch({ ...spec, window: `${seconds} seconds` })
      const width = bucketMs(windowMs)
      const seen: Array<number> = []
      let state: Buckets = watch.start(0)
      let at = 1_700_000_000_000
      for (const [gap, lines] of batches) {
        at += gap
        state = watch.observe(
          state,
          Array.from({ length: lines }, () => ({ event, time: at })),
          at
        )
        for (let i = 0; i < lines; i++) seen.push(at)
        const { met, value } = watch.evaluate(state, at)
        const least = seen.filter((time) => time > at - windowMs).length
        const most = seen.filter((time) => time > at - windowMs - width).length
        if (value < least || value > most || met !== value >= 5) return false
        if (state.starts.length > bucketsMax || state.starts.length !== state.counts.length) return false
      }
      return true
    }
  )

  prop("says when it ends: met until just before, not at that moment", [arrivals], ([batches]) => {
    const watch = threshold.watch(spec)
    let state: Buckets = watch.start(0)
    let at = 1_700_000_000_000
    for (const [gap, lines] of batches) {
      at += gap
      state = watch.observe(
        state,
        Array.from({ length: lines }, () => ({ event, time: at })),
        at
      )
      const { met, nextAt } = watch.evaluate(state, at)
      if (met !== (nextAt !== undefined)) return false
      if (nextAt === undefined) continue
      if (nextAt <= at || !watch.evaluate(state, nextAt - 1).met || watch.evaluate(state, nextAt).met) return false
    }
    return true
  })

  it("takes batches that another door stamped earlier", () => {
    const watch = threshold.watch({ ...spec, threshold: 3 })
    let state: Buckets = watch.start(0)
    for (const at of [100_000, 95_000, 99_000]) state = watch.observe(state, [{ event, time: at }], at)
    expect(state.starts).toEqual([...state.starts].toSorted((a, b) => a - b))
    expect(watch.evaluate(state, 100_000)).toMatchObject({ met: true, value: 3 })
    expect(watch.evaluate(state, 156_000)).toMatchObject({ met: false, value: 2 })
  })
})
