/** Framing of syslog over TCP: both kinds on one connection, cut anywhere, and whatever else comes. */
import { describe, expect, it } from "@effect/vitest"
import { fc } from "../../support/property.ts"
import { framings } from "../../../src/ingest/all.ts"
import { type Message, messageMax } from "../../../src/ingest/protocols/syslog.ts"

const run = (chunks: ReadonlyArray<Buffer>): Array<Message> => {
  const framer = new framings.syslog()
  return [...chunks.flatMap((chunk) => framer.push(chunk)), ...framer.end()]
}
const texts = (text: string): ReadonlyArray<string> => run([Buffer.from(text)]).map((message) => message.text)
const counted = (text: string): string => `${Buffer.byteLength(text)} ${text}`

describe("syslog framing", () => {
  it("tells counted frames and lines apart, frame by frame", () => {
    const one = "<34>1 2026-11-23T10:00:00Z h app 1 - - with\na line end"
    expect(texts(`${counted(one)}<13>plain\n${counted("<14>x")}\n<15>y\r\n\n\0${counted("<16>é")}<17>rest`)).toEqual([
      one,
      "<13>plain",
      "<14>x",
      "<15>y",
      "<16>é",
      "<17>rest"
    ])
  })

  it("does not take every number for a count", () => {
    const lines = ["2026-11-23T10:00:00Z h app: x", "1 2026-11-23T10:00:00Z h app - - - x", "12 monkeys", "0 <13>zero"]
    expect(texts(`${lines.join("\n")}\n99999999999 <13>a lie\n99999999 <13>another\n<13>after\n`)).toEqual([
      ...lines,
      "99999999999 <13>a lie",
      "99999999 <13>another",
      "<13>after"
    ])
  })

  it("cuts what is too long, says how long it was, and goes on behind it", () => {
    const long = `<13>${"x".repeat(200_000)}`
    for (const text of [`${counted(long)}<13>next\n`, `${long}\n<13>next\n`]) {
      const [first, second] = run([Buffer.from(text)])
      expect(first?.text).toBe(long.slice(0, messageMax))
      expect(first?.cutFrom).toBe(long.length)
      expect(second).toEqual({ text: "<13>next" })
    }
    // Announced longer than it came.
    expect(run([Buffer.from("100 <13>short")])).toEqual([{ text: "<13>short", cutFrom: 100 }])
  })

  it("makes the same of it however it is cut, and never throws", () => {
    const part = fc.oneof(
      fc.string({ maxLength: 30 }).map((text) => counted(`<13>${text}`)),
      fc.string({ maxLength: 30 }).map((text) => `<13>${text}\n`),
      fc.constantFrom("12 ", "<", "7 <1>", "\n", "\r\n", "\0", "99999999 <", "0 <")
    )
    const bytes = fc.oneof(
      fc.array(part, { maxLength: 8 }).map((parts) => Buffer.from(parts.join(""))),
      fc.uint8Array({ maxLength: 100 }).map((some) => Buffer.from(some))
    )
    fc.assert(
      fc.property(bytes, fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 30 }), (all, cuts) => {
        const chunks: Array<Buffer> = []
        let at = 0
        for (const cut of cuts) chunks.push(all.subarray(at, (at += cut)))
        expect(run([...chunks, all.subarray(at)])).toEqual(run([all]))
      }),
      { numRuns: 2_000 }
    )
  })

  it("holds one message of what never ends", () => {
    const framer = new framings.syslog()
    for (let i = 0; i < 1_000; i++) expect(framer.push(Buffer.alloc(64 * 1_024, 120))).toEqual([])
    expect(framer.held).toBe(messageMax)
    for (let i = 0; i < 100_000; i++) framer.push(Buffer.of(121))
    expect(framer.end()).toMatchObject([{ cutFrom: 1_000 * 64 * 1_024 + 100_000 }])
  })
})
