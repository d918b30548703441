/** The log list's memory: bounded at any rate, one change per frame, history and ring without doubles. */
import { describe, expect, it } from "vitest"
import { type Lines, makeLines } from "../../web/lines.ts"
import { eventMaker } from "./support/fixtures.ts"

const make = eventMaker(1)
const events = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => make(from + n, "default", 1_000 + from + n))

const setUp = (capacity = 100, historyMax = 150) => {
  const frames: Array<() => void> = []
  const lines = makeLines({ capacity, historyMax, schedule: (flush) => frames.push(flush) })
  return { lines, frame: () => frames.splice(0).forEach((flush) => flush()), frames }
}
const ids = (rows: ReturnType<Lines["get"]>["live"]) =>
  rows.map((row) => ("event" in row ? Number(row.event.id) : `skipped ${row.skipped}`))

describe("lines", () => {
  it("shows what many messages brought in one change per frame", () => {
    const { frame, frames, lines } = setUp()
    let changes = 0
    lines.subscribe(() => changes++)
    for (let n = 0; n < 50; n++) lines.push(events(n, n + 1))
    expect([changes, frames.length]).toEqual([0, 1])
    frame()
    expect(changes).toBe(1)
    expect(ids(lines.get().live)).toEqual(Array.from({ length: 50 }, (_, n) => n))
  })

  it("keeps the newest when more comes than it may hold, even without frames", () => {
    const { frame, lines } = setUp()
    for (let n = 0; n < 10_000; n += 50) lines.push(events(n, n + 50))
    frame()
    const { live, received } = lines.get()
    expect(live.length).toBe(100)
    expect(ids(live).at(-1)).toBe(9_999)
    expect(received).toBe(10_000)
  })

  it("puts history before the snapshot and shows no line twice, in either order of arrival", () => {
    for (const first of ["history", "snapshot"]) {
      const { lines } = setUp()
      const old = () => lines.older(events(0, 20).toReversed())
      const now = () => lines.snapshot(events(10, 30))
      if (first === "history") [old, now].forEach((act) => act())
      else [now, old].forEach((act) => act())
      const { history, live } = lines.get()
      expect(ids([...history, ...live])).toEqual(Array.from({ length: 30 }, (_, n) => n))
    }
  })

  it("lets history go when the ring drops lines, so that no gap is hidden between them", () => {
    const { frame, lines } = setUp(10)
    lines.snapshot(events(20, 25))
    lines.older(events(0, 20).toReversed())
    lines.push(events(25, 40))
    frame()
    expect(lines.get().history).toEqual([])
    expect(ids(lines.get().live)).toEqual(Array.from({ length: 10 }, (_, n) => 30 + n))
  })

  it("shows where lines were left out, and counts them", () => {
    const { frame, lines } = setUp()
    lines.push(events(0, 1))
    lines.skip(500)
    lines.push(events(1, 2))
    frame()
    expect(ids(lines.get().live)).toEqual([0, "skipped 500", 1])
    expect(lines.get().received).toBe(502)
  })
})
