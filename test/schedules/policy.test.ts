/** Which slots fire, decided purely: intervals, cron in time zones, clock changes, misfires, overlaps. */
import { assert, describe, it } from "@effect/vitest"
import { Cron } from "effect"
import * as Policy from "../../src/schedules/Policy.ts"

const every: Policy.When = { _tag: "Every", text: "30 seconds", everyMs: 30_000 }
const cron = (expression: string, timeZone: string): Policy.When => ({
  _tag: "Cron",
  expression,
  timeZone,
  cron: Cron.parseUnsafe(expression, timeZone)
})
const at = (iso: string) => Date.parse(iso)
const iso = (ms: number) => new Date(ms).toISOString()

describe("slots", () => {
  it("of an interval are multiples of it, in every process the same", () => {
    assert.strictEqual(Policy.nextSlot(every, 61_000), 90_000)
    assert.strictEqual(Policy.lastSlot(every, 61_000), 60_000)
    assert.strictEqual(Policy.lastSlot(every, 60_000), 60_000)
  })
  it("of a cron expression follow its zone through changes of the clock", () => {
    const berlin = cron("0 9 * * *", "Europe/Berlin")
    assert.strictEqual(iso(Policy.nextSlot(berlin, at("2026-03-28T12:00:00Z"))), "2026-03-29T07:00:00.000Z")
    assert.strictEqual(iso(Policy.nextSlot(berlin, at("2026-10-24T12:00:00Z"))), "2026-10-25T08:00:00.000Z")
    assert.strictEqual(iso(Policy.lastSlot(berlin, at("2026-06-01T07:00:00Z"))), "2026-06-01T07:00:00.000Z")
  })
  it("come once each, whatever the zone and its clock changes", () => {
    for (const zone of [
      "UTC",
      "Europe/Berlin",
      "America/New_York",
      "Australia/Lord_Howe",
      "Asia/Kolkata",
      "America/St_Johns"
    ]) {
      const daily = cron("30 2 * * *", zone)
      for (const from of ["2026-03-01T00:00:00Z", "2026-10-01T00:00:00Z"]) {
        let last = at(from)
        const slots: Array<number> = []
        for (let now = last; now < at(from) + 60 * 86_400_000; now += 600_000) {
          const { slots: due } = Policy.due(daily, "once", last, now)
          for (const slot of due) {
            slots.push(slot)
            last = slot
          }
        }
        assert.strictEqual(new Set(slots).size, slots.length, zone)
        assert.isTrue(slots.length >= 59 && slots.length <= 61, `${zone}: ${slots.length} slots in 60 days`)
      }
    }
  })
})

describe("misfires", () => {
  const now = 1_000_000_000_000
  const slot = Policy.lastSlot(every, now)
  const hourly: Policy.When = { _tag: "Every", text: "1 hour", everyMs: 3_600_000 }
  const late = Policy.lastSlot(hourly, now) + 1_800_000
  const three = Policy.lastSlot(hourly, late) - 3 * 3_600_000
  it("a new schedule has missed nothing", () => {
    assert.deepStrictEqual(Policy.due(every, "once", undefined, now), { slots: [slot], reason: "on time" })
    assert.deepStrictEqual(Policy.due(hourly, "once", undefined, late).slots, [])
  })
  it("a slot fires once, also where the clock goes back", () => {
    assert.deepStrictEqual(Policy.due(every, "once", slot, now).slots, [])
    assert.deepStrictEqual(Policy.due(every, "once", slot + 60_000, now).slots, [])
  })
  it("are left out, done once, or all done within a window", () => {
    assert.deepStrictEqual(Policy.due(hourly, "skip", three, late), { slots: [], reason: "missed: skipped" })
    assert.deepStrictEqual(Policy.due(hourly, "once", three, late).slots, [three + 3 * 3_600_000])
    assert.deepStrictEqual(Policy.due(hourly, { allWithin: 2.6 * 3_600_000 }, three, late).slots, [
      three + 3_600_000,
      three + 2 * 3_600_000,
      three + 3 * 3_600_000
    ])
  })
})

describe("overlap", () => {
  it("is decided by how many have not ended", () => {
    assert.strictEqual(Policy.overlap("skip", 0).act, "start")
    assert.strictEqual(Policy.overlap("allow", 3).act, "start")
    assert.strictEqual(Policy.overlap("skip", 1).act, "leave")
    assert.strictEqual(Policy.overlap("bufferOne", 0).act, "start")
    assert.strictEqual(Policy.overlap("bufferOne", 1).act, "wait")
    assert.strictEqual(Policy.overlap("cancelOther", 1).act, "cancelAndStart")
  })
  it("jitter is the same everywhere and within its bound", () => {
    const all = Array.from({ length: 100 }, (_, i) => Policy.jitterOf("s", i, 1_000))
    assert.deepStrictEqual(
      all,
      Array.from({ length: 100 }, (_, i) => Policy.jitterOf("s", i, 1_000))
    )
    assert.isTrue(all.every((ms) => ms >= 0 && ms < 1_000) && new Set(all).size > 90)
  })
})
