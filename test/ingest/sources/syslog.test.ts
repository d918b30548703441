/** The syslog listener against raw sockets: order, room, limits, and what attackers send. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { type SyslogOptions, listen } from "../../../src/ingest/sources/syslog.ts"
import { eventually } from "../../support/eventually.ts"
import { dial, listening, over } from "../../support/listening.ts"

const start = (more: Partial<SyslogOptions> = {}) => listening((given) => listen({ ...given, ...more }))
const wait = 30_000

describe("syslog listener", () => {
  it("hears TCP in both framings and UDP, with the peer's address", async () => {
    const kept = await start()
    try {
      const socket = await dial(kept.port)
      socket.write("<13>one\n8 <13>twoo")
      const udp = createSocket("udp4")
      udp.send("<14>three\n", kept.port, "127.0.0.1")
      await eventually("three messages", () => kept.events.length === 3 || undefined, wait)
      expect(kept.lines().toSorted()).toEqual(["<13>one", "<13>twoo", "<14>three"])
      expect(kept.events.map((event) => event.attributes?.["network.peer.address"])).toEqual(Array(3).fill("127.0.0.1"))
      expect(kept.events.find(({ line }) => line === "<14>three")?.attributes?.["network.transport"]).toBe("udp")
      socket.end("<13>last without an end")
      await eventually("the last", () => kept.lines().includes("<13>last without an end") || undefined, wait)
      udp.close()
    } finally {
      await kept.stop()
    }
  })

  it("hears logger(1) over both", async ({ skip }) => {
    if (spawnSync("logger", ["--version"]).status !== 0) skip("no logger(1) here")
    const kept = await start()
    try {
      const at = ["--server", "127.0.0.1", "--port", String(kept.port)]
      spawnSync("logger", [...at, "--tcp", "--rfc5424", "--octet-count", "-t", "app", "octets"])
      spawnSync("logger", [...at, "--tcp", "--rfc3164", "-t", "app", "lines"])
      spawnSync("logger", [...at, "--udp", "-t", "app", "datagram"])
      await eventually("three messages", () => kept.events.length === 3 || undefined, wait)
      expect(
        kept
          .lines()
          .map((line) => line.split(" ").at(-1) ?? "")
          .toSorted()
      ).toEqual(["datagram", "lines", "octets"])
    } finally {
      await kept.stop()
    }
  })

  it("keeps senders waiting while the stream is full, then takes all in order", async () => {
    const kept = await start()
    try {
      kept.open = false
      const socket = await dial(kept.port)
      const count = 60_000
      let written = 0
      const send = async (): Promise<void> => {
        for (; written < count; written++) {
          if (!socket.write(`<13>${written} ${"x".repeat(300)}\n`)) await once(socket, "drain")
        }
      }
      const sent = send()
      await eventually("a first offer", () => kept.keys.length > 2 || undefined, wait)
      // 20 MB do not fit into what may be held and the buffers of two sockets.
      expect(written).toBeLessThan(count)
      kept.open = true
      await sent
      await eventually("all of them", () => kept.events.length === count || undefined, wait)
      expect(kept.lines().every((line, i) => line.startsWith(`<13>${i} `))).toBe(true)
      expect(new Set(kept.keys.slice(0, 3)).size).toBe(1)
      socket.destroy()
    } finally {
      await kept.stop()
    }
  }, 60_000)

  it("counts datagrams that find no room, and hands over what it holds when it stops", async () => {
    const kept = await start()
    kept.open = false
    const udp = createSocket("udp4")
    const send = (text: string) => new Promise<void>((done) => udp.send(text, kept.port, "127.0.0.1", () => done()))
    for (let i = 0; i < 8_000; i++) await send(`<13>${i}`)
    await eventually("an offer", () => kept.keys.length > 0 || undefined, wait)
    kept.open = true
    await eventually("what was held", () => kept.events.length >= 500 || undefined, wait)
    await send("<13>last")
    await eventually("the last", () => kept.lines().includes("<13>last") || undefined, wait)
    // Datagrams may be lost on the way; more than may be held was never kept.
    expect(kept.events.length).toBeLessThanOrEqual(8_001)
    const socket = await dial(kept.port)
    socket.end("<13>in the buffer\n")
    await once(socket, "close")
    await eventually("it is read", () => kept.lines().includes("<13>in the buffer") || undefined, wait)
    udp.close()
    await kept.stop()
  }, 60_000)

  it("outlives garbage, floods of connections and senders that say nothing", async () => {
    const kept = await start({ connectionsMax: 50, idleMs: 1_000 })
    try {
      const garbage = await dial(kept.port)
      const bytes = Buffer.alloc(300_000)
      for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 7_919) % 256
      garbage.write(bytes)
      garbage.write("\n999999999 <13>a lie\n65537 <")
      garbage.destroy()
      const many = await Promise.allSettled(Array.from({ length: 300 }, () => dial(kept.port)))
      const open = many.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []))
      const closed = Promise.all(open.map(over))
      for (const socket of open) socket.write("12 <13>ha")
      await closed
      const honest = await dial(kept.port)
      honest.write("<13>still here\n")
      await eventually("an honest line", () => kept.lines().includes("<13>still here") || undefined, wait)
      // Half a frame of each that was let in, marked.
      const halves = kept.events.filter(({ line }) => line === "<13>ha")
      expect(halves.length).toBeGreaterThan(0)
      expect(halves.length).toBeLessThanOrEqual(50)
      expect(halves[0]?.attributes?.["log.truncated"]).toBe(true)
      honest.destroy()
    } finally {
      await kept.stop()
    }
  }, 60_000)

  it("lets in only who is allowed, and says when its port is taken", async () => {
    const kept = await start({ admits: () => false })
    try {
      const socket = await dial(kept.port)
      await over(socket)
      const failure = await Effect.runPromise(
        Effect.flip(
          Effect.scoped(listen({ host: "127.0.0.1", port: kept.port, sink: () => Effect.void, admits: () => true }))
        )
      )
      expect(failure.message).toContain("it is taken")
    } finally {
      await kept.stop()
    }
  })
})
