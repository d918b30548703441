/** Whatever bytes come: a protocol answers, soon, and with events that can travel. */
import { fc } from "../../support/property.ts"
import { describe, expect, it } from "vitest"
import { encode } from "../../../src/domain/SentEvent.ts"
import { spoken } from "../../../src/ingest/all.ts"
import { encodeFit } from "../../../src/ingest/Fit.ts"
import { type Asked, isSent } from "../../../src/ingest/Protocol.ts"
import { readLabels } from "../../../src/ingest/protocols/Labels.ts"
import { lineMax } from "../../../src/ingest/protocols/ndjson.ts"
import { unpackSnappy } from "../../../src/ingest/protocols/Snappy.ts"
import { parseLine } from "../../../src/parse/all.ts"
import { ask, megabyte, now, send, snappyLiteral } from "./speak.ts"

const json = { "content-type": "application/json" }
const protobuf = { "content-type": "application/x-protobuf" }
const doors: ReadonlyArray<Asked> = [
  ask("POST", "/v1/otlp/v1/logs", json),
  ask("POST", "/v1/otlp/v1/logs", protobuf),
  ask("POST", "/loki/api/v1/push", json),
  ask("POST", "/loki/api/v1/push", protobuf),
  ask("POST", "/_bulk", json),
  ask("POST", "/services/collector/event"),
  ask("POST", "/services/collector/raw"),
  ask("POST", "/api/v2/logs", json),
  ask("POST", "/gelf", json)
]

/** Sends, and checks what every answer and event must hold. */
const survive = (asked: Asked, body: string | Uint8Array): void => {
  const { events, reply } = send(asked, body)
  expect(reply.status).toBeGreaterThanOrEqual(200)
  for (const event of events) {
    const line = encodeFit(event)
    expect(line.length).toBeLessThanOrEqual(2 * lineMax)
    expect(parseLine(line, { now, format: "event" }).time).toBeTypeOf("number")
  }
}

/** JSON that looks like what the protocols send, and is wrong in places. */
const keys = fc.constantFrom(
  ..."resourceLogs resource scopeLogs scope logRecords attributes key value values body stringValue intValue arrayValue kvlistValue timeUnixNano severityNumber severityText traceId streams stream labels entries ts line index create _index event time fields message ddtags service host __proto__ constructor".split(
    " "
  )
)
const scalars = fc.oneof(
  fc.constantFrom("", "1", "1795521600000000000", '{a="b"}', "ERROR", "\u0000", "\ud800"),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null)
)
const likely = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalars,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(keys, tie("value"), { maxKeys: 6 })
  )
})).value

describe("any bytes", () => {
  it.each(doors.map((door) => [`${door.path} ${door.headers["content-type"] ?? ""}`, door] as const))(
    "%s",
    (_, door) => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => survive(door, bytes)),
        { numRuns: 300 }
      )
      fc.assert(
        fc.property(likely, (value) => survive(door, JSON.stringify(value))),
        { numRuns: 300 }
      )
      fc.assert(
        fc.property(fc.array(likely, { maxLength: 5 }), (values) =>
          survive(door, values.map((value) => JSON.stringify(value)).join("\n"))
        ),
        { numRuns: 100 }
      )
    }
  )

  it("in a snappy block are as harmless", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => survive(doors[3]!, snappyLiteral(bytes))),
      { numRuns: 500 }
    )
  })

  it("as a snappy block end, and fill no more than they say", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(2_000), (bytes, max) => {
        const out = unpackSnappy(Buffer.from(bytes), max)
        expect(Buffer.isBuffer(out) ? out.length : 0).toBeLessThanOrEqual(max)
      }),
      { numRuns: 1_000 }
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100_000, size: "max" }), (bytes) => {
        expect(unpackSnappy(snappyLiteral(bytes), megabyte)).toEqual(Buffer.from(bytes))
      }),
      { numRuns: 5 }
    )
  })

  it("as labels are read, and right ones come back", () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void readLabels(Buffer.from(bytes).toString("latin1"))))
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: fc.constantFrom(..."abcxyz_"), minLength: 1, maxLength: 8 }), fc.string(), {
          noNullPrototype: true,
          maxKeys: 20
        }),
        (labels) => {
          const text = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
          expect(readLabels(`{${text.join(", ")}}`)).toEqual(labels)
        }
      ),
      { numRuns: 30 }
    )
  })

  it("as the head of a request find at most a door", () => {
    fc.assert(
      fc.property(
        fc.webPath(),
        fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE"),
        fc.string(),
        (path, method, type) => {
          for (const protocol of spoken) protocol.door({ ...ask(method, "/", { "content-type": type }), path })
        }
      )
    )
    expect(spoken.some((one) => one.door(ask("POST", "/%zz/_bulk")) !== undefined)).toBe(true)
  })
})

describe("what is meant to harm", () => {
  const nested = (open: string, close: string, depth: number): string => open.repeat(depth) + close.repeat(depth)

  it("is only deep", () => {
    const deep = nested("[", "]", 200_000)
    for (const door of doors) survive(door, deep)
    survive(doors[0]!, `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${deep}},${deep}]}]}]}`)
    survive(
      doors[0]!,
      `{"resourceLogs":[{"resource":{"attributes":[{"key":"a","value":{"boolValue":${deep}}}]},"scopeLogs":[{"logRecords":[{}]}]}]}`
    )
    survive(doors[2]!, `{"streams":[{"stream":{"a":${deep}},"values":[["1",${deep}]]}]}`)
    survive(doors[4]!, `{"index":{}}\n{"a":${deep.slice(0, 100_000)}`)
    survive(doors[5]!, `{"event":${nested("[", "]", 50_000)}}`)
    survive(doors[7]!, `[{"message":${deep},"x":${deep}}]`)
  })

  it("is only long, and cut and marked", () => {
    const long = "x".repeat(3 * megabyte)
    const body = JSON.stringify({
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ severityNumber: 9, body: { stringValue: long } }] }] }]
    })
    const [event] = send(doors[0]!, body).events
    const kept = JSON.parse(encodeFit(event!)) as { message: string; attributes: Record<string, unknown> }
    expect(kept.message).toHaveLength(lineMax / 2)
    expect(kept.attributes).toEqual({ "log.original_length": long.length })
    expect(encode(event!).length).toBeGreaterThan(long.length)
  })

  it("is only much: a resource of 60 MB before 100,000 scopes is read once", () => {
    const scopes = Array.from({ length: 100_000 }, () => '{"logRecords":[{}]}').join(",")
    const big = JSON.stringify({ key: "a", value: { stringValue: "x".repeat(40 * megabyte) } })
    const body = `{"resourceLogs":[{"resource":{"attributes":[${big}]},"scopeLogs":[${scopes}]}]}`
    const door = spoken[0]!.door(doors[0]!)!
    const sent = door.read!({ bytes: Buffer.from(body), now, max: 64 * megabyte })
    if (!isSent(sent)) throw new Error(sent.message)
    let count = 0
    for (const event of sent.events) count += Object.keys(event?.attributes ?? {}).length
    expect(count).toBe(100_000)
  }, 60_000)
})
