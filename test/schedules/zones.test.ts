/**
 * Slots around every change of the clock in every IANA zone, against an oracle that reads the wall clock minute by minute:
 * a time that comes twice fires the first time, one that is skipped right after the gap, and schedules for all hours follow
 * real time.
 */
import { assert, it } from "@effect/vitest"
import { Cron } from "effect"
import * as Policy from "../../src/schedules/Policy.ts"

const minute = 60_000
const hour = 60 * minute
const years = [2026]

const format = (timeZone: string) =>
  new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" })

/** Instants of a zone's changes, to the minute: hours are stepped over, and the one that differs is looked into. */
const changes = (zone: string): ReadonlyArray<number> => {
  const clock = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" })
  const name = (at: number) => clock.format(at).split("GMT")[1]
  const out: Array<number> = []
  for (const year of years) {
    for (let day = Date.UTC(year, 0, 1); day < Date.UTC(year + 1, 0, 1); day += 24 * hour) {
      if (name(day) === name(day + 24 * hour)) continue
      let at = day
      while (name(at + minute) === name(day)) at += name(at + hour) === name(day) ? hour : minute
      out.push(at + minute)
    }
  }
  return out
}

interface Shape {
  readonly expression: string
  readonly hours: (h: number) => boolean
  readonly minutes: ReadonlyArray<number>
  readonly every: boolean
}
const shapes: ReadonlyArray<Shape> = [
  { expression: "*/15 * * * *", hours: () => true, minutes: [0, 15, 30, 45], every: true },
  { expression: "30 2 * * *", hours: (h) => h === 2, minutes: [30], every: false },
  { expression: "15,45 0-3 * * *", hours: (h) => h <= 3, minutes: [15, 45], every: false },
  { expression: "0 0 * * *", hours: (h) => h === 0, minutes: [0], every: false },
  { expression: "10 */2 * * *", hours: (h) => h % 2 === 0, minutes: [10], every: false }
]

/** "2026-03-29 02:30" → minutes, as if it were UTC. */
const minutesOf = (text: string) => Date.parse(`${text.replace(" ", "T")}Z`) / minute
const fits = (shape: Shape, wall: number) =>
  shape.minutes.includes(wall % 60) && shape.hours(Math.floor(wall / 60) % 24)

/** What should fire from `walls[0]`, one wall-clock minute per minute of real time. */
const oracle = (shape: Shape, start: number, walls: ReadonlyArray<number>): ReadonlyArray<number> => {
  const out: Array<number> = []
  const seen = new Set<number>()
  walls.forEach((wall, i) => {
    const before = walls[i - 1] ?? wall - 1
    let fire = fits(shape, wall) && (shape.every || !seen.has(wall))
    if (!shape.every) for (let skipped = before + 1; skipped < wall; skipped++) fire ||= fits(shape, skipped)
    if (fire) out.push(start + i * minute)
    seen.add(wall)
  })
  return out
}

it("fires by one rule around every change of the clock, in every zone", () => {
  const crons = shapes.map((shape) => Cron.parseUnsafe(shape.expression))
  const zones = Intl.supportedValuesOf("timeZone")
  let looked = 0
  for (const zone of zones) {
    const clock = format(zone)
    const found = changes(zone)
    for (const change of found.length === 0 ? [Date.UTC(2026, 5, 1)] : found) {
      const start = change - 4 * hour
      const walls = Array.from({ length: 480 }, (_, i) => minutesOf(clock.format(start + i * minute)))
      const end = start + walls.length * minute
      shapes.forEach((shape, i) => {
        const when: Policy.When = {
          _tag: "Cron",
          expression: shape.expression,
          timeZone: zone,
          cron: crons[i] as Cron.Cron
        }
        const expected = oracle(shape, start, walls).map((at) => new Date(at).toISOString())
        const forwards = Policy.slotsBetween(when, start - 1, end - 1, 1_000)
        const backwards: Array<number> = []
        for (let at = Policy.lastSlot(when, end - 1); at >= start; at = Policy.lastSlot(when, at - 1)) {
          backwards.unshift(at)
        }
        const what = `${shape.expression} in ${zone} around ${new Date(change).toISOString()}`
        assert.deepStrictEqual(
          forwards.map((at) => new Date(at).toISOString()),
          expected,
          what
        )
        assert.deepStrictEqual(backwards, forwards, `${what}, backwards`)
      })
      looked++
    }
  }
  assert.isTrue(zones.length > 400 && looked > 400, `${zones.length} zones, ${looked} windows`)
}, 90_000)

it("finds the rare, and says where there is none", () => {
  const when = (expression: string, timeZone: string | ReadonlyArray<string> = "UTC"): Policy.When => ({
    _tag: "Cron",
    expression,
    timeZone,
    cron: Cron.parseUnsafe(expression)
  })
  const from = Date.UTC(2026, 0, 1)
  const iso = (at: number) => new Date(at).toISOString()
  assert.strictEqual(iso(Policy.nextSlot(when("0 0 29 2 *", "Europe/Berlin"), from)), "2028-02-28T23:00:00.000Z")
  assert.strictEqual(iso(Policy.lastSlot(when("0 0 29 2 *"), from)), "2024-02-29T00:00:00.000Z")
  assert.strictEqual(Policy.nextSlot(when("0 0 31 2 *"), from), Number.POSITIVE_INFINITY)
  assert.strictEqual(Policy.lastSlot(when("0 0 31 2 *"), from), Number.NEGATIVE_INFINITY)
  assert.deepStrictEqual(
    Policy.slotsBetween(when("0 9 * * *", ["Asia/Tokyo", "America/New_York"]), from, from + 24 * hour, 9).map(iso),
    ["2026-01-01T00:00:00.000Z", "2026-01-01T14:00:00.000Z"].slice(1).concat("2026-01-02T00:00:00.000Z")
  )
  // Samoa had no 30 December 2011: what was to run on that day runs when the next begins.
  const apia = Policy.slotsBetween(
    when("0 9 * * *", "Pacific/Apia"),
    Date.UTC(2011, 11, 29, 12),
    Date.UTC(2011, 11, 31, 9),
    9
  )
  assert.deepStrictEqual(apia.map(iso), [
    "2011-12-29T19:00:00.000Z",
    "2011-12-30T10:00:00.000Z",
    "2011-12-30T19:00:00.000Z"
  ])
})
