import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire"
import { describe, expect, it } from "vitest"
import { eventsMax } from "../../../src/ingest/Protocol.ts"
import { ask, plain, send } from "./speak.ts"

const json = { "content-type": "application/json" }
const protobuf = { "content-type": "application/x-protobuf" }
const path = "/v1/otlp/v1/logs"

/** A writer's bytes under a field of the message around it. */
type Write = (writer: BinaryWriter) => void
const message = (field: number, write: Write): Write => {
  return (writer) => {
    writer.uint32((field << 3) | 2).fork()
    write(writer)
    writer.join()
  }
}
const text =
  (field: number, value: string): Write =>
  (w) =>
    void w.uint32((field << 3) | 2).string(value)
const all =
  (...writes: ReadonlyArray<Write>): Write =>
  (w) => {
    for (const write of writes) write(w)
  }
const bytesOf = (write: Write): Uint8Array => {
  const writer = new BinaryWriter()
  write(writer)
  return writer.finish()
}
const attribute = (field: number, key: string, value: Write): Write =>
  message(field, all(text(1, key), message(2, value)))
const string = (value: string): Write => text(1, value)
const nanos =
  (field: number, value: bigint): Write =>
  (w) =>
    void w.uint32((field << 3) | 1).fixed64(value)
const request = (resource: Write, scope: Write, ...records: ReadonlyArray<Write>): Uint8Array =>
  bytesOf(
    message(1, all(message(1, resource), message(2, all(message(1, scope), ...records.map((r) => message(2, r))))))
  )

const record = all(
  nanos(1, 1_795_521_600_123_456_789n),
  (w) => void w.uint32(2 << 3).int32(17),
  text(3, "ERROR"),
  message(5, string("disk is full")),
  attribute(6, "disk", string("sda")),
  attribute(6, "percent", (w) => void w.uint32(3 << 3).int64(99)),
  attribute(6, "big", (w) => void w.uint32(3 << 3).int64("9007199254740993")),
  attribute(6, "ratio", (w) => void w.uint32((4 << 3) | 1).double(0.5)),
  attribute(6, "infinite", (w) => void w.uint32((4 << 3) | 1).double(Number.POSITIVE_INFINITY)),
  attribute(6, "ok", (w) => void w.uint32(2 << 3).bool(true)),
  attribute(6, "raw", (w) => void w.uint32((7 << 3) | 2).bytes(Buffer.from("hi"))),
  attribute(6, "list", message(5, all(message(1, string("a")), message(1, string("b"))))),
  attribute(6, "map", message(6, attribute(1, "k", string("v")))),
  (w) => void w.uint32((9 << 3) | 2).bytes(Buffer.from("5b8efff798038103d269b633813fc60c", "hex")),
  (w) => void w.uint32((10 << 3) | 2).bytes(Buffer.from("eee19b7ec3c1b174", "hex")),
  text(12, "disk.full"),
  text(99, "unknown to us")
)
const resource = all(attribute(1, "service.name", string("api")), attribute(1, "host.name", string("web1")))
const scope = all(text(1, "lib"), text(2, "1.2"), attribute(3, "scoped", string("yes")))

const wanted = {
  time: 1_795_521_600_123.4568,
  level: "error",
  service: "api",
  message: "disk is full",
  attributes: {
    "host.name": "web1",
    "otel.scope.name": "lib",
    "otel.scope.version": "1.2",
    scoped: "yes",
    disk: "sda",
    percent: 99,
    big: "9007199254740993",
    ratio: 0.5,
    infinite: "Infinity",
    ok: true,
    raw: "aGk=",
    list: ["a", "b"],
    map: { k: "v" },
    "event.name": "disk.full"
  },
  traceId: "5b8efff798038103d269b633813fc60c",
  spanId: "eee19b7ec3c1b174"
}

const jsonRecord = {
  timeUnixNano: "1795521600123456789",
  severityNumber: 17,
  severityText: "ERROR",
  body: { stringValue: "disk is full" },
  attributes: [
    { key: "disk", value: { stringValue: "sda" } },
    { key: "percent", value: { intValue: "99" } },
    { key: "big", value: { intValue: "9007199254740993" } },
    { key: "ratio", value: { doubleValue: 0.5 } },
    { key: "infinite", value: { doubleValue: "Infinity" } },
    { key: "ok", value: { boolValue: true } },
    { key: "raw", value: { bytesValue: "aGk=" } },
    { key: "list", value: { arrayValue: { values: [{ stringValue: "a" }, { stringValue: "b" }] } } },
    { key: "map", value: { kvlistValue: { values: [{ key: "k", value: { stringValue: "v" } }] } } }
  ],
  traceId: "5B8EFFF798038103D269B633813FC60C",
  spanId: "eee19b7ec3c1b174",
  eventName: "disk.full",
  unknown: { to: "us" }
}
const jsonRequest = (...records: ReadonlyArray<unknown>) =>
  JSON.stringify({
    resourceLogs: [
      {
        resource: {
          attributes: [
            { key: "service.name", value: { stringValue: "api" } },
            { key: "host.name", value: { stringValue: "web1" } }
          ]
        },
        scopeLogs: [
          {
            scope: { name: "lib", version: "1.2", attributes: [{ key: "scoped", value: { stringValue: "yes" } }] },
            logRecords: records
          }
        ]
      }
    ]
  })

const one = (value: unknown) => plain(send(ask("POST", path, json), jsonRequest(value)).events[0]) as typeof wanted

describe("OTLP in protobuf", () => {
  it("reads everything a record says, and answers with an empty response of the same type", () => {
    const { events, protocol, reply } = send(ask("POST", path, protobuf), request(resource, scope, record))
    expect(protocol).toBe("otlp")
    expect(events.map(plain)).toEqual([wanted])
    expect(reply).toMatchObject({ status: 200, headers: { "content-type": "application/x-protobuf" } })
    expect(reply.body).toHaveLength(0)
  })

  it("reads a resource that stands behind its records", () => {
    const body = bytesOf(message(1, all(message(2, message(2, record)), message(1, resource))))
    expect(send(ask("POST", path, protobuf), body).events[0]?.service).toBe("api")
  })

  it("takes protobuf at /v1/logs too, and an empty request for a success", () => {
    const asked = ask("POST", "/v1/logs", protobuf)
    expect(send(asked, request(resource, scope, record)).events).toHaveLength(1)
    expect(send(asked, "").reply.status).toBe(200)
    expect(send(ask("POST", path, protobuf), bytesOf(message(1, () => {}))).events).toEqual([])
  })

  it("rejects a broken record alone, and says how many and why", () => {
    const broken: Write = (w) => void w.uint32((5 << 3) | 2).uint32(1_000)
    const { events, reply } = send(ask("POST", path, protobuf), request(resource, scope, record, broken, record))
    expect(events).toHaveLength(2)
    expect(reply.status).toBe(200)
    const reader = new BinaryReader(reply.body as Uint8Array)
    expect([reader.tag(), reader.uint32() > 0, reader.tag(), Number(reader.int64()), reader.tag()]).toEqual([
      [1, 2],
      true,
      [1, 0],
      1,
      [2, 2]
    ])
    expect(reader.string()).toContain("record 2: expected a LogRecord")
  })

  it("refuses a body that is cut, with a status in protobuf", () => {
    const { events, reply } = send(ask("POST", path, protobuf), request(resource, scope, record).subarray(0, 40))
    expect([events.length, reply.status]).toEqual([0, 400])
    const reader = new BinaryReader(reply.body as Uint8Array)
    expect([reader.tag(), reader.int32(), reader.tag()]).toEqual([[1, 0], 3, [2, 2]])
    expect(reader.string()).toContain("expected an ExportLogsServiceRequest")
  })

  it("keeps broken UTF-8 and deep nesting within limits", () => {
    let deep: Write = string("core")
    for (let i = 0; i < 500; i++) deep = message(5, message(1, deep))
    const bytes = bytesOf(deep)
    const body = (w: BinaryWriter) => void w.uint32((5 << 3) | 2).bytes(bytes)
    const bad: Write = (w) =>
      void w
        .uint32((5 << 3) | 2)
        .fork()
        .uint32(10)
        .bytes(Buffer.from([0x61, 0xff, 0x62]))
        .join()
    const { events } = send(ask("POST", path, protobuf), request(resource, scope, body, bad))
    expect(events[0]?.message).toMatch(/^\[+"\[…\]"\]+$/u)
    expect(events[1]?.line).toBe("a\uFFFDb")
  })

  it("counts the attributes beyond the limit, shared ones by size", () => {
    const many = Array.from({ length: 10_000 }, (_, i) => attribute(6, `k${i}`, string("v")))
    const wide = all(...Array.from({ length: 200 }, (_, i) => attribute(1, `r${i}`, string("x".repeat(1_000)))))
    const { events } = send(ask("POST", path, protobuf), request(wide, scope, all(...many), record))
    expect(Object.keys(events[0]?.attributes ?? {}).length).toBeLessThanOrEqual(257)
    expect(JSON.stringify(events[1]?.attributes).length).toBeLessThan(20_000)
    expect(events[1]?.attributes?.["dropped_attributes"]).toBeGreaterThan(100)
  })

  it("refuses more records than a request may carry before it reads any", () => {
    const empty = Buffer.alloc(2 * (eventsMax + 1))
    for (let i = 0; i < empty.length; i += 2) empty[i] = 0x12
    const body = bytesOf(message(1, (w) => void w.uint32((2 << 3) | 2).bytes(empty)))
    expect(send(ask("POST", path, protobuf), body).reply.status).toBe(413)
  })
})

describe("OTLP in JSON", () => {
  it("reads the same as in protobuf, and answers in JSON", () => {
    const { events, reply } = send(ask("POST", path, json), jsonRequest(jsonRecord))
    expect(events.map(plain)).toEqual([wanted])
    expect(reply).toEqual({ status: 200, headers: json, body: "{}" })
  })

  it("reads snake_case, numbers for nanoseconds, base64 ids and names of severities", () => {
    const body = {
      resource_logs: [
        {
          scope_logs: [
            {
              log_records: [
                {
                  observed_time_unix_nano: 1_795_521_600_000_000_000,
                  severity_number: "SEVERITY_NUMBER_WARN2",
                  body: { string_value: "x" },
                  trace_id: Buffer.from("5b8efff798038103d269b633813fc60c", "hex").toString("base64"),
                  span_id: Buffer.from("eee19b7ec3c1b174", "hex").toString("base64")
                }
              ]
            }
          ]
        }
      ]
    }
    expect(plain(send(ask("POST", path, json), JSON.stringify(body)).events[0])).toEqual({
      time: 1_795_521_600_000,
      level: "warn",
      message: "x",
      attributes: {},
      traceId: wanted.traceId,
      spanId: wanted.spanId
    })
  })

  it("hands a bare body to the formats, as it does a body of fields", () => {
    expect(one({ body: { stringValue: '{"level":"error","msg":"no"}' } })).toMatchObject({
      line: '{"level":"error","msg":"no"}',
      service: "api"
    })
    const fields = { kvlistValue: { values: [{ key: "a", value: { intValue: 1 } }] } }
    expect(one({ severityNumber: 9, body: fields })).toMatchObject({ line: '{"a":1}', level: "info" })
    expect(one({ severityNumber: 9, body: { arrayValue: { values: [{ intValue: 1 }] } } })).toMatchObject({
      message: "[1]"
    })
    expect(one({ eventName: "user.signed_in" })).toMatchObject({ message: "user.signed_in" })
  })

  it("leaves out ids that are none, and takes a level from its text", () => {
    const read = one({ severityText: "Warning", body: { stringValue: "x" }, traceId: "0".repeat(32), spanId: "zz" })
    expect(read).toEqual({
      level: "warn",
      service: "api",
      message: "x",
      attributes: { "host.name": "web1", "otel.scope.name": "lib", "otel.scope.version": "1.2", scoped: "yes" }
    })
  })

  it("rejects what is no record, one by one", () => {
    const { events, reply } = send(
      ask("POST", path, json),
      jsonRequest(jsonRecord, 7, { timeUnixNano: "soon" }, null, jsonRecord)
    )
    expect(events).toHaveLength(2)
    const { partialSuccess } = JSON.parse(String(reply.body)) as {
      partialSuccess: { rejectedLogRecords: string; errorMessage: string }
    }
    expect(partialSuccess.rejectedLogRecords).toBe("3")
    expect(partialSuccess.errorMessage).toContain('expected nanoseconds since 1970, got "soon"')
  })

  it("takes an empty request, and refuses one that is none with a status in JSON", () => {
    expect(send(ask("POST", path, json), "{}").reply.body).toBe("{}")
    for (const body of ["{", "[]", '{"resourceLogs":{}}']) {
      const { reply } = send(ask("POST", path, json), body)
      expect(reply.status).toBe(400)
      expect(JSON.parse(String(reply.body))).toMatchObject({ code: 3 })
    }
  })

  it("is not harmed by prototypes", () => {
    const body = jsonRequest(
      JSON.parse(
        '{"body":{"stringValue":"x"},"attributes":[{"key":"__proto__","value":{"stringValue":"x"}},{"key":"constructor","value":{"intValue":1}}]}'
      )
    )
    const [event] = send(ask("POST", path, json), body).events
    expect(Object.hasOwn(event?.attributes ?? {}, "__proto__")).toBe(false)
    expect(event?.attributes).toMatchObject({ constructor: 1 })
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined()
  })

  it("refuses other types, and takes JSON at /v1/logs from OpenTelemetry alone", () => {
    expect(send(ask("POST", path, { "content-type": "text/plain" }), "x").reply.status).toBe(415)
    const agent = { ...json, "user-agent": "OTel-OTLP-Exporter-JavaScript/0.301.0" }
    expect(send(ask("POST", "/v1/logs", agent), jsonRequest(jsonRecord)).events).toHaveLength(1)
    expect(() => send(ask("POST", "/v1/logs", { ...json, "user-agent": "curl/8" }), "{}")).toThrow("got none")
  })
})
