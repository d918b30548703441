/** Zones by name behind a time, containers' names, request times, threads and Java's traces in text. */
import { describe, expect, it } from "vitest"
import { parseLine } from "../../src/parse/all.ts"

const now = Date.UTC(2026, 10, 24, 12)
const parse = (line: string) => parseLine(line, { now })
const timeOf = (line: string): string => new Date(parse(line).time).toISOString()

describe("names of zones", () => {
  it.each(
    Object.entries({
      EST: -5, EDT: -4, CST: -6, CDT: -5, MST: -7, MDT: -6, PST: -8, PDT: -7, HST: -10, AKST: -9, AKDT: -8, UTC: 0, GMT: 0,
      WEST: 1, BST: 1, CET: 1, CEST: 2, EET: 2, EEST: 3, MSK: 3, IST: 5.5, JST: 9, KST: 9, AEST: 10, AEDT: 11, NZST: 12,
      NZDT: 13
    }) // prettier-ignore
  )("%s", (zone, hours) => {
    const time = new Date(Date.UTC(2026, 10, 23, 12, 20, 2) - hours * 3_600_000).toISOString()
    const event = parse(`2026-11-23 12:20:02 ${zone} ERROR x`)
    expect([new Date(event.time).toISOString(), event.level, event.service]).toEqual([time, "error", ""])
    expect(timeOf(`[2026-11-23 12:20:02 ${zone}] x`)).toBe(time)
  })

  it("stand in Postgres' log", () => {
    expect(parse("2026-11-24 03:20:01.000 EST [1] ERROR:  tz")).toMatchObject({
      time: Date.UTC(2026, 10, 24, 8, 20, 1),
      level: "error",
      service: "postgres",
      message: "tz"
    })
  })

  it.each([
    "ERROR",
    "INFO",
    "NOTICE",
    "WARN",
    "CRIT",
    "ALERT",
    "AUDIT",
    "est",
    "ESTABLISHED",
    "EST5",
    "MST[1]:",
    "Cet"
  ])("leaves %s alone", (word) => expect(timeOf(`2026-11-24 03:20:02 ${word} x`)).toBe("2026-11-24T03:20:02.000Z"))

  it("yields to an offset, and to syslog's host", () => {
    expect(timeOf("2026-11-24 03:20:02 +0100 CST x")).toBe("2026-11-24T02:20:02.000Z")
    const event = parse("Nov 24 03:20:02 MSK sshd[1]: hi")
    expect(event.attributes["host.name"]).toBe("MSK")
    expect(event.time).toBe(Date.UTC(2026, 10, 24, 3, 20, 2))
  })
})

describe("compose", () => {
  it("opens a line that only has a time", () => {
    expect(parse("web-1  | 2026-11-24T03:20:22Z ERROR x")).toMatchObject({
      time: Date.UTC(2026, 10, 24, 3, 20, 22),
      level: "error",
      service: "web-1",
      message: "2026-11-24T03:20:22Z ERROR x",
      attributes: { "container.name": "web-1" }
    })
    expect(parse("total | 1700000000").attributes).not.toHaveProperty(["container.name"])
  })
})

describe("nginx' request time", () => {
  const line = '1.1.1.1 - - [24/Nov/2026:03:20:22 +0000] "GET / HTTP/1.1" 200 1 "-" "UA"'
  it.each<readonly [string, number | undefined, ReadonlyArray<string> | undefined]>([
    ["0.123", 123, undefined],
    ["0.123 0.120", 123, ["0.120"]],
    ["0.12", undefined, ["0.12"]],
    ["12", undefined, ["12"]]
  ])("%s", (tail, taken, extra) => {
    const { attributes } = parse(`${line} ${tail}`)
    expect([attributes["duration_ms"], attributes["http.extra"]]).toEqual([taken, extra])
  })
})

describe("Java", () => {
  const head = "2026-11-24 03:20:22.123 [http-nio-8080-exec-1] ERROR com.x.Y - msg"
  const stack =
    "java.lang.IllegalStateException: bad\n\tat a.b.C(D.java:1)\nCaused by: java.io.IOException: q\n\t... 3 more"
  const exception = {
    "exception.type": "java.lang.IllegalStateException",
    "exception.message": "bad",
    "exception.stacktrace": stack
  }

  it("names its thread before the level", () => {
    expect(parse(head)).toMatchObject({ service: "com.x.Y", attributes: { "thread.name": "http-nio-8080-exec-1" } })
    expect(parse("2026-11-24 03:20:22 [123] ERROR com.x.Y - m").attributes).not.toHaveProperty(["thread.name"])
  })

  it("traces an exception", () => {
    expect(parse(`${head}\n${stack}`).attributes).toMatchObject({ ...exception, "thread.name": "http-nio-8080-exec-1" })
    expect(parse(stack).attributes).toMatchObject(exception)
    expect(parse("a\n\tat b").attributes).not.toHaveProperty(["exception.type"])
  })

  it("is read in long lines as well", () => {
    const long = parse(`${head}\n${stack}${"\n\tat a.b.C(D.java:1)".repeat(10_000)}`)
    expect(long.attributes["exception.type"]).toBe("java.lang.IllegalStateException")
    expect((long.attributes["exception.stacktrace"] as string).length).toBe(16 * 1024)
    expect(parse(`2026-11-24 03:20:02 EST ERROR ${"x".repeat(200_000)}`).time).toBe(Date.UTC(2026, 10, 24, 8, 20, 2))
    expect(parse(`${"a.".repeat(100_000)}\n\tat b`).attributes).not.toHaveProperty(["exception.type"])
  })
})
