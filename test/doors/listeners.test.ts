/**
 * The whole product against shippers that people run: rsyslog and syslog-ng over TCP and UDP, the forward protocol's client and
 * Kafka's kcat. A program that can't be had is told and its test skipped.
 */
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { FluentClient } from "@fluent-org/logger"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../../scripts/launch/wire.mjs"
import { type App, ask, makeRoom, type Room, startApp } from "../support/app.ts"
import { type Missing, type Program, program, run } from "../support/debian.ts"
import { eventually } from "../support/eventually.ts"
import { type Broker, kcat, startBroker } from "../support/kafka.ts"
import { dial } from "../support/listening.ts"

const told = (name: string, found: Program | Missing): Program | Missing => {
  if (!found.ok) process.stderr.write(`  – no ${name} (${found.why}): its test is skipped\n`)
  return found
}
const rsyslog = told("rsyslog", await program("rsyslog", "usr/sbin/rsyslogd"))
const syslogNg = told("syslog-ng", await program("syslog-ng-core", "usr/sbin/syslog-ng"))
const kafka = told("kcat", await kcat())

const wait = 60_000

interface Line {
  readonly time: string
  readonly level: string
  readonly service: string
  readonly message: string
  readonly attributes: Readonly<Record<string, unknown>>
}

describe("listeners", () => {
  let room: Room
  let app: App
  let broker: Broker | undefined
  let ports: { readonly syslog: number; readonly forward: number }
  const folder = mkdtempSync(join(tmpdir(), "loglytics-shippers-"))

  beforeAll(async () => {
    broker = kafka.ok ? await startBroker(kafka) : undefined
    ports = { syslog: await freePort(), forward: await freePort() }
    room = await makeRoom()
    app = await startApp(room, {
      env: {
        LOGLYTICS_SYSLOG_PORT: String(ports.syslog),
        LOGLYTICS_FORWARD_PORT: String(ports.forward),
        ...(broker === undefined ? {} : { LOGLYTICS_KAFKA_BROKERS: broker.address, LOGLYTICS_KAFKA_TOPICS: "app-logs" })
      }
    })
  }, 120_000)
  afterAll(async () => {
    await app?.stop()
    await broker?.stop()
    await room?.clear()
    rmSync(folder, { recursive: true, force: true })
  }, 60_000)

  /** Stored lines whose message has this word, once there are so many. */
  const stored = (word: string, count: number) =>
    eventually(
      `${count} lines with ${word}`,
      async () => {
        const { body } = await ask<{ events: ReadonlyArray<Line> }>(
          app,
          "GET",
          `/v1/logs?limit=1000&q=${encodeURIComponent(word)}`
        )
        return body.events.length >= count ? body.events.toReversed() : undefined
      },
      wait
    )
  /** Programs that read from a file of ours: what is written to it is what they ship. */
  const written = (name: string, text: string): string => {
    const file = join(folder, name)
    writeFileSync(file, text)
    return file
  }

  it(
    "take logger(1)-like sockets: both framings, UDP's kin, a stack trace in one frame",
    async () => {
      const socket = await dial(ports.syslog)
      const trace = "<11>1 2026-11-24T01:02:03.004Z web-1 shop 7 - - rawsock boom\n\tat f(F.java:1)"
      socket.write(`<14>Nov 24 01:02:03 web-1 cron[99]: rawsock plain\n${Buffer.byteLength(trace)} ${trace}`)
      socket.end()
      const lines = await stored("rawsock", 2)
      const [plain, boom] = ["plain", "boom"].map((word) => lines.find(({ message }) => message.includes(word)))
      expect(plain).toMatchObject({ level: "info", service: "cron" })
      expect(boom).toMatchObject({ level: "error", service: "shop", message: "rawsock boom\n\tat f(F.java:1)" })
      expect(boom?.time).toBe("2026-11-24T01:02:03.004Z")
      expect(boom?.attributes["network.peer.address"]).toBe("127.0.0.1")
    },
    wait
  )

  it.skipIf(!rsyslog.ok)(
    "take rsyslog: counted frames, lines and UDP, in RFC 5424 and its old form",
    async () => {
      if (!rsyslog.ok) return
      const modules = rsyslog.root === "" ? "" : `-M${join(rsyslog.root, "usr/lib/x86_64-linux-gnu/rsyslog")}`
      const input = written("rsyslog.in", "")
      const to = `target="127.0.0.1" port="${ports.syslog}" type="omfwd"`
      const config = written(
        "rsyslog.conf",
        `global(workDirectory="${folder}")
module(load="imfile" mode="polling" pollingInterval="1")
input(type="imfile" file="${input}" tag="rsys:" severity="warning" facility="local3")
action(${to} protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format")
action(${to} protocol="tcp" TCP_Framing="traditional" template="RSYSLOG_TraditionalForwardFormat")
action(${to} protocol="udp" template="RSYSLOG_SyslogProtocol23Format")
`
      )
      const daemon = run(rsyslog, [
        "-n",
        "-f",
        config,
        "-i",
        join(folder, "rsyslog.pid"),
        ...(modules === "" ? [] : [modules])
      ])
      try {
        writeFileSync(input, Array.from({ length: 40 }, (_, i) => `rsyslogd line ${i}`).join("\n") + "\n")
        const lines = await stored("rsyslogd", 120).catch((error: unknown) => {
          throw new Error(`${String(error)}\n${daemon.output()}`)
        })
        expect(lines).toHaveLength(120)
        expect(new Set(lines.map(({ level, service }) => `${level} ${service}`))).toEqual(new Set(["warn rsys"]))
        expect(new Set(lines.map(({ message }) => message.trim())).size).toBe(40)
      } finally {
        await daemon.stop()
      }
    },
    wait * 2
  )

  it.skipIf(!syslogNg.ok)(
    "take syslog-ng: RFC 5424 over counted frames, BSD over lines and UDP",
    async () => {
      if (!syslogNg.ok) return
      const input = written("ng.in", Array.from({ length: 30 }, (_, i) => `ngline ${i}\n`).join(""))
      const { root } = syslogNg
      const config = written(
        "ng.conf",
        `@version: 3.38
options { stats-freq(0); };
source s { file("${input}" follow-freq(1) flags(no-parse) program-override("ng")); };
destination d5424 { syslog("127.0.0.1" transport("tcp") port(${ports.syslog}) persist-name("a")); };
destination dbsd { network("127.0.0.1" transport("tcp") port(${ports.syslog}) persist-name("b")); };
destination dudp { network("127.0.0.1" transport("udp") port(${ports.syslog})); };
log { source(s); destination(d5424); destination(dbsd); destination(dudp); };
`
      )
      // Its own library lies beside those of the system.
      const own = join(root, "usr/lib/syslog-ng")
      const libraries = `${syslogNg.env["LD_LIBRARY_PATH"] ?? ""}:${own}`
      const state = [
        "-f",
        config,
        "-R",
        join(folder, "ng.persist"),
        "-p",
        join(folder, "ng.pid"),
        "-c",
        join(folder, "ng.ctl")
      ]
      const daemon = run(
        syslogNg,
        ["-F", "--no-caps", ...state, ...(root === "" ? [] : ["--module-path", join(own, "3.38")])],
        root === "" ? {} : { LD_LIBRARY_PATH: libraries }
      )
      try {
        const lines = await stored("ngline", 90).catch((error: unknown) => {
          throw new Error(`${String(error)}\n${daemon.output()}`)
        })
        expect(lines).toHaveLength(90)
        expect(new Set(lines.map(({ service }) => service))).toEqual(new Set(["ng"]))
      } finally {
        await daemon.stop()
      }
    },
    wait * 2
  )

  it(
    "take the forward protocol and acknowledge what is in the stream",
    async () => {
      const client = new FluentClient("shop", {
        socket: { host: "127.0.0.1", port: ports.forward, timeout: 10_000 },
        ack: { ackTimeout: 30_000 }
      })
      await client.emit("web", { message: "forwarded order", level: "warn", order: 7 })
      await client.emit("db", { log: '{"level":"error","msg":"forwarded query"}', container_name: "/db" })
      await client.disconnect()
      const lines = await stored("forwarded", 2)
      expect(lines.find(({ level }) => level === "warn")).toMatchObject({
        service: "shop.web",
        attributes: { order: 7 }
      })
      expect(lines.find(({ level }) => level === "error")).toMatchObject({
        message: "forwarded query",
        attributes: { "container.name": "/db", "fluent.tag": "shop.db" }
      })
    },
    wait
  )

  it.skipIf(!kafka.ok)(
    "take Kafka's messages",
    async () => {
      await broker?.produce("app-logs", 0, ['{"level":"error","service":"pay","msg":"kafkaline"}'], ["-H", "team=blue"])
      const [line] = await stored("kafkaline", 1)
      expect(line).toMatchObject({
        level: "error",
        service: "pay",
        attributes: { "messaging.destination.name": "app-logs", "messaging.kafka.header.team": "blue" }
      })
    },
    wait * 2
  )

  it(
    "make one event of a stack trace in a text body, unless told not to",
    async () => {
      const body = "ERROR textbody failed\njava.lang.IllegalStateException: x\n\tat f(F.java:1)\nINFO textbody next\n"
      const text = { "content-type": "text/plain" }
      expect((await ask(app, "POST", "/v1/logs", body, text)).body).toMatchObject({ accepted: 2 })
      expect((await ask(app, "POST", "/v1/logs?multiline=off", body, text)).body).toMatchObject({ accepted: 4 })
      expect((await ask(app, "POST", "/v1/logs?multiline=maybe", body, text)).status).toBe(422)
      const lines = await stored("textbody", 4)
      expect(lines.filter(({ message }) => message.includes("\n"))).toHaveLength(1)
    },
    wait
  )
})
