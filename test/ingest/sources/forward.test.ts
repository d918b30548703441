/** The forward listener against the real Node client and against raw bytes: modes, acknowledgements, the key, attacks. */
import { describe, expect, it } from "@effect/vitest"
import { EventTime, FluentClient } from "@fluent-org/logger"
import { decode, encode } from "@msgpack/msgpack"
import type { Socket } from "node:net"
import { gzipSync } from "node:zlib"
import { type ForwardOptions, listen } from "../../../src/ingest/sources/forward.ts"
import { eventually } from "../../support/eventually.ts"
import { dial, listening, over } from "../../support/listening.ts"

const start = (more: Partial<ForwardOptions> = {}) => listening((given) => listen({ ...given, ...more }))
const wait = 30_000
const bytes = (...parts: ReadonlyArray<Uint8Array>): Buffer => Buffer.concat(parts)

/** What a connection answers, value by value. */
const heard = (socket: Socket): { readonly values: Array<unknown> } => {
  const values: Array<unknown> = []
  socket.on("data", (chunk: Buffer) => void values.push(decode(chunk)))
  return { values }
}

describe("forward listener", () => {
  for (const [mode, disableBatching] of [
    ["Message", true],
    ["Forward", false],
    ["PackedForward", false],
    ["CompressedPackedForward", false]
  ] as const) {
    it(`takes ${mode} from the Node client and acknowledges it`, async () => {
      const kept = await start()
      const client = new FluentClient("app", {
        eventMode: mode,
        socket: { host: "127.0.0.1", port: kept.port, timeout: 10_000 },
        ack: { ackTimeout: 20_000 },
        ...(disableBatching ? {} : { flushInterval: 20 })
      })
      try {
        const at = new EventTime(1_700_000_000, 123_000_000)
        await Promise.all([
          client.emit("web", { message: "hello", user: { id: 42 } }, at),
          client.emit("web", { log: "GET / 200\n", stream: "stdout", container_name: "/c" }, at)
        ])
        expect(kept.events).toHaveLength(2)
        const [one, two] = kept.events
        expect(JSON.parse(one?.line ?? "")).toEqual({ message: "hello", user: { id: 42 } })
        expect(one).toMatchObject({ time: 1_700_000_000_123, service: "app.web" })
        expect(one?.attributes).toMatchObject({ "fluent.tag": "app.web", "network.peer.address": "127.0.0.1" })
        expect(two).toMatchObject({
          line: "GET / 200",
          seenAt: 1_700_000_000_123,
          attributes: { "log.iostream": "stdout", "container.name": "/c" }
        })
      } finally {
        await client.disconnect()
        await kept.stop()
      }
    })
  }

  it("acknowledges a chunk only when the stream has it, and takes it once though it comes again", async () => {
    const kept = await start()
    try {
      kept.open = false
      const chunk = encode([
        "t",
        [
          [1, { log: "a" }],
          [2, { log: "b" }]
        ],
        { chunk: "c1" }
      ])
      const socket = await dial(kept.port)
      const answers = heard(socket)
      socket.write(chunk)
      await eventually("two refusals", () => kept.keys.length >= 2 || undefined, wait)
      expect(answers.values).toEqual([])
      kept.open = true
      await eventually("the acknowledgement", () => answers.values.length === 1 || undefined, wait)
      expect(answers.values).toEqual([{ ack: "c1" }])
      const again = await dial(kept.port)
      const others = heard(again)
      again.write(chunk)
      await eventually("another acknowledgement", () => others.values.length === 1 || undefined, wait)
      expect(kept.lines()).toEqual(["a", "b"])
      socket.destroy()
      again.destroy()
    } finally {
      await kept.stop()
    }
  })

  it("lets in only senders that know the shared key", async () => {
    const kept = await start({ sharedKey: "right" })
    const right = new FluentClient("app", {
      socket: { host: "127.0.0.1", port: kept.port, timeout: 5_000 },
      security: { clientHostname: "here", sharedKey: "right" },
      ack: { ackTimeout: 20_000 }
    })
    try {
      await right.emit({ log: "in" })
      const wrong = await dial(kept.port)
      const answers = heard(wrong)
      await eventually("the server's first word", () => answers.values.length === 1 || undefined, wait)
      expect(answers.values).toMatchObject([["HELO", { keepalive: true }]])
      wrong.write(encode(["PING", "here", "salt", "0".repeat(128), "", ""]))
      await over(wrong)
      expect((answers.values[1] as ReadonlyArray<unknown>).slice(0, 2)).toEqual(["PONG", false])
      const bare = await dial(kept.port)
      bare.write(encode(["t", 1, { log: "out" }]))
      await over(bare)
      expect(kept.lines()).toEqual(["in"])
    } finally {
      await right.disconnect()
      await kept.stop()
    }
  }, 60_000)

  it("outlives what attackers send", async () => {
    const kept = await start({ connectionsMax: 20 })
    const array32 = (size: number): Buffer =>
      Buffer.from([0xdd, size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255])
    const bomb = gzipSync(Buffer.alloc(80 * 1_024 * 1_024))
    const attacks: Readonly<Record<string, Buffer>> = {
      "an array of 4 billion": array32(0xffffffff),
      "arrays inside each other": Buffer.alloc(100_000, 0x91),
      "large arrays inside each other": bytes(...Array.from({ length: 200 }, () => array32(1_000_000))),
      "a text of 4 GB": Buffer.from([0xdb, 0xff, 0xff, 0xff, 0xff, 65]),
      "no msgpack": Buffer.from([0xc1, 0xc1]),
      "another protocol": Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      "a gzip bomb": bytes(encode(["t", bomb, { compressed: "gzip", chunk: "x" }])),
      "packed rubbish": bytes(encode(["t", Buffer.alloc(1_000, 0x91), {}])),
      "an entry cut short": bytes(encode(["t", encode([1, { a: "b" }]).subarray(0, 4), {}])),
      "records that are none": bytes(encode(["t", [[1, 2]], {}]))
    }
    try {
      for (const [, attack] of Object.entries(attacks)) {
        const socket = await dial(kept.port)
        socket.write(attack)
        await over(socket)
      }
      const many = await Promise.allSettled(Array.from({ length: 200 }, () => dial(kept.port)))
      const open = many.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []))
      await eventually(
        "the flood is refused",
        () => open.filter((socket) => !socket.closed).length <= 20 || undefined,
        wait
      )
      for (const socket of open) socket.destroy()
      await eventually(
        "an honest event",
        async () => {
          const socket = await dial(kept.port)
          // Byte by byte, with a key that is no name for a field, and nil between messages.
          for (const byte of bytes(encode(null), encode(["t", 1, { __proto_: 1, log: "honest" }])))
            socket.write(Buffer.of(byte))
          socket.end()
          await over(socket)
          return kept.lines().includes("honest") || undefined
        },
        wait
      )
      expect(new Set(kept.lines())).toEqual(new Set(["honest"]))
    } finally {
      await kept.stop()
    }
  }, 60_000)
})
