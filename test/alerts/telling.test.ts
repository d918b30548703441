/** The words and limits of an incident's messages, and the conditions by which alerts are named. */
import { describe, expect, it } from "vitest"
import { fc } from "../support/property.ts"
import { windowAt } from "../../src/alerts/Windows.ts"
import type { Member } from "../../src/domain/Incident.ts"
import { telling } from "../../src/alerts/Telling.ts"
import { matches, parse } from "../../src/domain/Matcher.ts"
import { alertOf } from "./tellings.ts"

const member = (fields: Parameters<typeof alertOf>[1] = {}, told: Member["told"] = null): Member => ({
  alert: alertOf("a", fields),
  told,
  joinedAt: 0,
  mute: null
})

describe("a message", () => {
  it("tells a firing alert with its lines, and its end without", () => {
    const firing = { kind: "firing", seq: 1, channels: [], members: [member()], firing: 1 } as const
    expect(telling("inc_1", firing, 0)).toMatchObject({
      title: "Firing: a",
      text: "7 lines in 1 minute, threshold 5",
      severity: "warning",
      state: "firing",
      incident: { id: "inc_1", count: 1, alerts: [{ rule: "a", samples: ["boom"] }] }
    })
    const over = member({ state: "resolved", reason: "over: 0 lines" }, "firing")
    expect(telling("inc_1", { ...firing, kind: "resolved", members: [over], firing: 0 }, 0)).toMatchObject({
      title: "Resolved: a",
      text: "Over: 0 lines",
      severity: "info",
      incident: { alerts: [{ samples: [] }] }
    })
  })

  it("tells what the rule says for people, what came before the lines, and where they are", () => {
    const annotations = { summary: "Customers can't pay", runbookUrl: "https://wiki.example.com/pay" }
    const lines = [{ time: 0, service: "api", message: "boom", before: ["connecting", "refused"] }]
    const firing = member({ annotations, lines, query: 'level:error service:"a&b"' })
    const message = { kind: "firing", seq: 1, channels: [], members: [firing, firing], firing: 2 } as const
    const told = telling("inc_1", message, 0, "https://logs.example.com")
    expect(told.text.split("\n").slice(2)).toEqual(["Customers can't pay", "Runbook: https://wiki.example.com/pay"])
    expect(told.incident?.alerts[0]).toMatchObject({ ...annotations, before: ["connecting", "refused"] })
    const url = new URL(told.url ?? "")
    expect([url.pathname, url.searchParams.get("q")]).toEqual(["/logs", 'level:error service:"a&b"'])
    expect(telling("inc_1", message, 0).url).toBeUndefined()
    expect(
      telling("inc_1", { ...message, members: [member({ query: "x".repeat(4_000) })] }, 0, "https://a.b").url
    ).toBe(undefined)
    const over = member({ annotations, lines, state: "resolved", reason: "over: 0 lines" }, "firing")
    const end = telling("inc_1", { ...message, kind: "resolved", members: [over], firing: 0 }, 0)
    expect([end.text, end.incident?.alerts[0]?.before]).toEqual(["Over: 0 lines", undefined])
  })

  it("says who took it on", () => {
    const taken = member({ acknowledged: { by: "ada", at: "2026-06-01T12:00:00Z", note: "on it" } }, "firing")
    const message = { kind: "acknowledged", seq: 2, channels: [], members: [taken], firing: 1 } as const
    expect(telling("inc_1", message, 0)).toMatchObject({ title: "Acknowledged: a", state: "acknowledged" })
    expect(telling("inc_1", message, 0).text).toBe("by ada: on it\n7 lines in 1 minute, threshold 5")
  })

  it("keeps to the lengths that channels accept, however many alerts there are", () => {
    const long = { ruleName: "x".repeat(500), reason: "y".repeat(9_000), samples: Array(9).fill("z".repeat(9_000)) }
    const members = Array.from({ length: 500 }, () => member(long))
    const told = telling("inc_1", { kind: "firing", seq: 1, channels: [], members, firing: 500 }, 0)
    expect([told.title.length, told.text.length, told.incident?.alerts.length, told.incident?.count]).toEqual([
      200, 4_000, 20, 500
    ])
    expect(JSON.stringify(told).length).toBeLessThan(300_000)
  })
})

describe("matchers", () => {
  it.each([
    ["severity=critical", true],
    ['severity="critical"', true],
    ["severity != critical", false],
    ["service=~web.*", true],
    ["service=~web", false],
    ["service!~web.*", false],
    ["nothing=", true],
    ["nothing!=", false],
    ["toString=", true]
  ])("%s is %s", (text, wanted) => {
    expect(matches([text], { severity: "critical", service: "web-1" })).toBe(wanted)
  })

  it.each(["", "=x", "severity", "service=~(", "a b=c"])("refuse %j and say what was expected", (text) => {
    expect(parse(text)).toMatchObject({ ok: false })
  })

  it("never throw, whatever they are given", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, value) => {
        matches([`name${text}`, `name=${value}`], { name: value })
      })
    )
  })
})

describe("windows of a silence", () => {
  const night = (zone: string, from: string, to: string, days: ReadonlyArray<"sat" | "sun"> = []) => ({
    startsAt: "2026-01-01T00:00:00Z",
    endsAt: null,
    recurring: { zone, days, from, to }
  })
  const windowOf = (silence: Parameters<typeof windowAt>[0], at: string) => {
    const window = windowAt(silence, Date.parse(at))
    return window === undefined
      ? undefined
      : [window.from, window.to].map((ms) => new Date(ms).toISOString().slice(0, 16))
  }

  it("reach over midnight and begin on the named days", () => {
    const weekend = night("UTC", "22:00", "06:00", ["sat"])
    expect(windowOf(weekend, "2026-06-07T03:00:00Z")).toEqual(["2026-06-06T22:00", "2026-06-07T06:00"])
    expect(windowOf(weekend, "2026-06-07T07:00:00Z")).toEqual(["2026-06-13T22:00", "2026-06-14T06:00"])
  })

  it("follow the clock on the wall through its changes", () => {
    const berlin = night("Europe/Berlin", "01:00", "04:00")
    // An hour is skipped on 29 March 2026, and comes twice on 25 October.
    expect(windowOf(berlin, "2026-03-28T12:00:00Z")).toEqual(["2026-03-29T00:00", "2026-03-29T02:00"])
    expect(windowOf(berlin, "2026-10-24T12:00:00Z")).toEqual(["2026-10-24T23:00", "2026-10-25T03:00"])
    // What begins in the hour that is skipped begins after it; what ends in the one that comes twice ends with the second.
    expect(windowOf(night("Europe/Berlin", "02:30", "05:00"), "2026-03-28T12:00:00Z")?.[0]).toBe("2026-03-29T01:00")
    expect(windowOf(night("Europe/Berlin", "01:00", "02:30"), "2026-10-24T12:00:00Z")?.[1]).toBe("2026-10-25T01:30")
  })

  it("end with the silence", () => {
    const short = { ...night("UTC", "00:00", "12:00"), endsAt: "2026-06-02T06:00:00Z" }
    expect(windowOf(short, "2026-06-02T01:00:00Z")).toEqual(["2026-06-02T00:00", "2026-06-02T06:00"])
    expect(windowOf(short, "2026-06-02T06:00:00Z")).toBeUndefined()
    expect(windowOf({ ...short, recurring: null }, "2025-06-02T01:00:00Z")).toEqual([
      "2026-01-01T00:00",
      "2026-06-02T06:00"
    ])
  })
})
