import { BinaryWriter } from "@bufbuild/protobuf/wire"
import { describe, expect, it } from "vitest"
import { fromLabels, readLabels } from "../../../src/ingest/protocols/Labels.ts"
import { unpackSnappy } from "../../../src/ingest/protocols/Snappy.ts"
import { ask, megabyte, plain, send, snappyLiteral } from "./speak.ts"

const path = "/loki/api/v1/push"
const push = (body: unknown) =>
  send(
    ask("POST", path, { "content-type": "application/json" }),
    typeof body === "string" ? body : JSON.stringify(body)
  )

describe("labels", () => {
  it.each([
    ["{}", {}],
    ['{a="b"}', { a: "b" }],
    ['{a="b", c="d" , e="f",}', { a: "b", c: "d", e: "f" }],
    ['{a="x\\"y\\\\z\\n\\u00e9\\x41\\101"}', { a: 'x"y\\z\néAA' }],
    ["{a=`raw\\n`}", { a: "raw\\n" }],
    ['{level="info",job="say "hi" now",k="v"}', { level: "info", job: 'say "hi" now', k: "v" }],
    ['{a.b-c="d}e,f"}', { "a.b-c": "d}e,f" }],
    ['{a="b",rest', { a: "b", labels: "rest" }],
    ["nonsense", { labels: "nonsense" }],
    ['{__proto__="x",a="b"}', { a: "b" }],
    ["", {}]
  ])("%s", (text, labels) => {
    expect(readLabels(text)).toEqual(labels)
  })

  it("reads hundreds of thousands of them, and quotes that never end, in time linear in the text", () => {
    const many = `{${Array.from({ length: 300_000 }, (_, i) => `k${i}="v"`).join(",")}}`
    expect(Object.keys(readLabels(many)).length).toBe(257)
    expect(Object.keys(readLabels(`{a="${'" '.repeat(megabyte)}x`))).toEqual(["labels"])
    expect(Object.keys(readLabels("=".repeat(megabyte)))).toEqual(["labels"])
  })

  it("understands well-known ones", () => {
    expect(
      plain(fromLabels({ job: "j", app: "api", level: 30, pod: "p-1", trace_id: "A".repeat(32), other: "x" }))
    ).toEqual({
      service: "api",
      level: "info",
      traceId: "a".repeat(32),
      attributes: { job: "j", "k8s.pod.name": "p-1", other: "x" }
    })
  })
})

describe("push in JSON", () => {
  it("reads streams, times of both kinds, structured metadata and labels that are numbers", () => {
    const { events, reply } = push({
      streams: [
        {
          stream: { service_name: "web", level: 40, zone: 3 },
          values: [
            ["1795521600123000000", "one"],
            [1_795_521_600_000_000_000, '{"level":"error"}', { trace_id: "b".repeat(32), user: "7", level: "debug" }]
          ]
        },
        { stream: {}, values: [] }
      ]
    })
    expect(events.map(plain)).toEqual([
      { level: "warn", service: "web", time: 1_795_521_600_123, line: "one", attributes: { zone: 3 } },
      {
        level: "debug",
        service: "web",
        time: 1_795_521_600_000,
        line: '{"level":"error"}',
        traceId: "b".repeat(32),
        attributes: { zone: 3, user: "7" }
      }
    ])
    expect(reply).toEqual({ status: 204, headers: {}, body: "" })
  })

  it("reads the first version of the protocol", () => {
    const { events } = push({
      streams: [{ labels: '{app="a"}', entries: [{ ts: "2026-11-24T12:00:00.5Z", line: "x" }] }]
    })
    expect(plain(events[0])).toMatchObject({ service: "a", time: Date.parse("2026-11-24T12:00:00.5Z"), line: "x" })
  })

  it("takes what is good and names what is not; refuses what is no push at all", () => {
    const { events, reply } = push({ streams: [{ stream: {}, values: [["1", "a"], 7, ["soon", "b"], ["2"]] }] })
    expect(events).toHaveLength(1)
    expect(reply.status).toBe(400)
    expect(reply.body).toContain("3 entries were rejected, all others taken: entry 2")
    for (const body of ["", "{", "[]", '{"streams":{}}']) expect(push(body).reply.status).toBe(400)
    expect(push('{"streams":[]}').reply.status).toBe(204)
    expect(push('{"streams":[null,1,{"stream":5,"values":7}]}').reply.status).toBe(204)
  })
})

const entry = (w: BinaryWriter, line: string, seconds: number, nanos: number, meta: Record<string, string>): void => {
  w.uint32((2 << 3) | 2).fork()
  w.uint32((1 << 3) | 2)
    .fork()
    .uint32(1 << 3)
    .int64(seconds)
    .uint32(2 << 3)
    .int32(nanos)
    .join()
  w.uint32((2 << 3) | 2).string(line)
  for (const [name, value] of Object.entries(meta)) {
    w.uint32((3 << 3) | 2)
      .fork()
      .uint32((1 << 3) | 2)
      .string(name)
      .uint32((2 << 3) | 2)
      .string(value)
      .join()
  }
  w.join()
}

describe("push in protobuf", () => {
  const writer = new BinaryWriter()
  writer.uint32((1 << 3) | 2).fork()
  entry(writer, "hello", 1_795_521_600, 250_000_000, { user: "7", level: "error" })
  entry(writer, "no time", 0, 0, {})
  // Labels behind the entries, and a hash that nobody needs.
  writer.uint32((1 << 3) | 2).string('{service_name="web",hostname="h1"}')
  writer.uint32(3 << 3).uint64(77)
  writer.join()
  const bytes = writer.finish()
  const asked = ask("POST", path, { "content-type": "application/x-protobuf" })

  it("reads what a snappy block holds", () => {
    const { events, reply } = send(asked, snappyLiteral(bytes))
    expect(events.map(plain)).toEqual([
      {
        service: "web",
        level: "error",
        time: 1_795_521_600_250,
        line: "hello",
        attributes: { "host.name": "h1", user: "7" }
      },
      { service: "web", line: "no time", attributes: { "host.name": "h1" } }
    ])
    expect(reply.status).toBe(204)
  })

  it("refuses bodies that are cut or no snappy", () => {
    for (const body of [bytes, snappyLiteral(bytes.subarray(0, 20)), snappyLiteral(bytes).subarray(0, 30)]) {
      expect(send(asked, body).reply.status).toBe(400)
    }
  })

  it("refuses a bomb before it unpacks it", () => {
    // Says 4 GiB, and has two bytes.
    expect(send(asked, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0])).reply.status).toBe(400)
    const zeros = Buffer.concat([
      Buffer.from([0x80, 0x80, 0x80, 0x10, 0, 0]),
      Buffer.alloc(3 * 524_288, Buffer.from([0xfe, 1, 0]))
    ])
    expect(send(asked, zeros, megabyte).reply.status).toBe(413)
  })
})

describe("snappy", () => {
  it("unpacks literals and copies of every kind", () => {
    const packed = Buffer.from([
      14,
      2 << 2,
      97,
      98,
      99,
      ((4 - 4) << 2) | 1,
      3,
      (3 << 2) | 2,
      2,
      0,
      (2 << 2) | 3,
      1,
      0,
      0,
      0
    ])
    expect(String(unpackSnappy(packed, 100))).toBe("abcabcacacaaaa")
  })

  it("ends on a literal whose length would be negative in 32 bits", () => {
    expect(unpackSnappy(Buffer.from([20, 63 << 2, 0xf6, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5]), 100)).toMatchObject({
      reason: "malformed"
    })
  })
})
