import { describe, expect, it } from "vitest"
import { encode, format } from "../../src/domain/SentEvent.ts"
import { parseLine } from "../../src/parse/all.ts"

const now = Date.UTC(2026, 10, 24)
const read = (line: string) => parseLine(line, { now, format })

describe("events of doors with structure", () => {
  it("keeps what the sender said, and parses no message", () => {
    const sent = {
      time: now - 1.5,
      level: "warn" as const,
      service: "shop",
      message: '{"not":"parsed"}\n  second line',
      attributes: { "http.response.status_code": 503, nested: { a: [1] } },
      traceId: "0AF7651916CD43DD8448EB211C80319C",
      spanId: "b7ad6b7169203331"
    }
    expect(read(encode(sent))).toEqual({
      ...sent,
      time: Math.trunc(now - 1.5),
      traceId: sent.traceId.toLowerCase()
    })
  })

  it("parses a raw line and lays what the sender said over it", () => {
    const line = '{"time":"2026-11-23T10:00:00Z","level":"error","service":"inner","msg":"it broke","user":7,"pod":"x"}'
    const event = read(encode({ line, service: "outer", attributes: { pod: "y" } }))
    expect(event).toMatchObject({
      time: Date.UTC(2026, 10, 23, 10),
      level: "error",
      service: "outer",
      message: "it broke"
    })
    expect(event.attributes).toEqual({ user: 7, pod: "y" })
    expect(read(encode({ line, time: now })).time).toBe(now)
  })

  it.each([
    ["no JSON", "plain words"],
    ["no object", "[1]"],
    ["wrong kinds", '{"time":"x","level":7,"service":[],"message":{},"attributes":[1],"traceId":"zz","spanId":"0"}']
  ])("makes an event of %s", (_, line) => {
    expect(read(line)).toMatchObject({ time: now, service: expect.any(String), message: expect.any(String) })
  })

  it("takes no time from the far future", () => {
    const event = read(encode({ message: "m", time: now + 3 * 86_400_000 }))
    expect(event.time).toBe(now)
    expect(event.attributes["event_time"]).toBe("2026-11-27T00:00:00.000Z")
  })
})
