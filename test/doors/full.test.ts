/**
 * A stream that is full: every door says so in its protocol's way, and a client that tries again loses nothing and adds
 * nothing twice, though a part of its request was taken before.
 */
/* oxlint-disable typescript/no-unsafe-enum-assignment -- the SDK brings an API of its own, whose enum is another type */
import { Client } from "@elastic/elasticsearch"
import { SeverityNumber } from "@opentelemetry/api-logs"
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto"
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs"
import { Redis } from "ioredis"
import { randomBytes } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type App, ask, makeRoom, type Room, startApp } from "../support/app.ts"
import { newProject, search, stored, type TestProject } from "../support/doors.ts"
import { eventually } from "../support/eventually.ts"

let room: Room
let door: App
beforeAll(async () => {
  room = await makeRoom()
  // A door without a pipeline behind it: one partition, which is full at 1 MB.
  const env = { LOGLYTICS_LOG_BACKLOG_MB: "1", LOGLYTICS_LOG_PARTITIONS: "1" }
  door = await startApp(room, { roles: "serve", env })
}, 60_000)
afterAll(async () => {
  await door.stop()
  await room.clear()
})

const work = (): Promise<App> =>
  startApp(room, { roles: "work", env: { LOGLYTICS_LOG_BACKLOG_MB: "1", LOGLYTICS_LOG_PARTITIONS: "1" } })

/** Text that no compression makes small. */
const noise = (bytes: number): string => randomBytes(bytes).toString("base64").slice(0, bytes)

const fill = async (project: TestProject): Promise<number> => {
  const as = { authorization: `Bearer ${project.key}`, "content-type": "text/plain" }
  for (let sent = 0; ; sent++) {
    const { status } = await ask(door, "POST", "/v1/logs", `filler ${noise(100_000)}`, as)
    if (status === 429) return sent
    expect(status).toBe(202)
  }
}

const events = (count: number) => Array.from({ length: count }, (_, i) => `line ${i} ${noise(400)}`)

describe("a full stream", () => {
  it("is told in each protocol's way, and drains into exactly what was sent", async () => {
    const project = await newProject(door)
    const fillers = await newProject(door)
    await fill(fillers)
    const key = { authorization: `Bearer ${project.key}` }
    const post = async (path: string, type: string, body: string | Uint8Array) => {
      const answer = await fetch(door.url + path, {
        method: "POST",
        headers: { ...key, "content-type": type },
        body: body as string
      })
      return { status: answer.status, retry: answer.headers.get("retry-after"), text: await answer.text() }
    }
    const json = "application/json"
    const big = noise(300_000)
    const record = { body: { stringValue: big } }
    const otlp = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] })
    const loki = JSON.stringify({ streams: [{ stream: {}, values: [["1", big]] }] })
    const answers = [
      await post("/v1/otlp/v1/logs", json, otlp),
      await post("/loki/api/v1/push", json, loki),
      await post("/_bulk", json, `{"index":{}}\n{"message":"${big.slice(0, 200_000)}"}\n`),
      await post("/services/collector/event", json, `{"event":"${big.slice(0, 200_000)}"}`)
    ]
    expect(answers.map(({ retry, status }) => [status, retry])).toEqual([
      [429, "1"],
      [429, "1"],
      [429, "1"],
      [503, "1"]
    ])
    expect(JSON.parse(answers[0]!.text)).toMatchObject({ code: 8 })
    expect(answers[1]!.text).toContain("is full")
    expect(JSON.parse(answers[2]!.text)).toMatchObject({
      status: 429,
      error: { type: "es_rejected_execution_exception" }
    })
    expect(JSON.parse(answers[3]!.text)).toMatchObject({ code: 9, text: "Server is busy" })
    const worker = await work()
    try {
      await eventually("room in the stream", async () => ((await fill(fillers)) > 0 ? true : undefined), 60_000)
      expect(await search(door, project)).toEqual([])
    } finally {
      await worker.stop()
    }
  }, 120_000)

  it("takes the rest of a request of which a part was taken when its sender tries again, and nothing twice", async () => {
    const drain = await work()
    const project = await newProject(door)
    const lines = events(900)
    const body = JSON.stringify({ streams: [{ stream: { app: "a" }, values: lines.map((line) => ["1", line]) }] })
    const push = () =>
      fetch(`${door.url}/loki/api/v1/push`, {
        method: "POST",
        headers: { authorization: `Bearer ${project.key}`, "content-type": "application/json" },
        body
      })
    await eventually("an empty stream", async () => ((await depth()) === 0 ? true : undefined), 60_000)
    await drain.stop()
    const fillers = await newProject(door)
    // Room for one of the request's two batches.
    for (let i = 0; i < 7; i++) {
      const as = { authorization: `Bearer ${fillers.key}`, "content-type": "text/plain" }
      expect((await ask(door, "POST", "/v1/logs", `filler ${noise(100_000)}`, as)).status).toBe(202)
    }
    const first = await push()
    expect([first.status, await first.text()]).toEqual([429, expect.stringMatching(/[1-9]\d* events .* were taken/u)])
    const worker = await work()
    try {
      await eventually("a 204", async () => ((await push()).status === 204 ? true : undefined), 60_000)
      const found = await stored(door, project, 900)
      expect(found.map(({ message }) => message).toSorted()).toEqual(lines.toSorted())
    } finally {
      await worker.stop()
    }
  }, 120_000)

  it("costs OpenTelemetry's exporter and Elasticsearch's client no line: they try again", async () => {
    const drain = await work()
    await eventually("an empty stream", async () => ((await depth()) === 0 ? true : undefined), 60_000)
    await drain.stop()
    const [otel, elastic, fillers] = [await newProject(door), await newProject(door), await newProject(door)]
    await fill(fillers)
    const between = await listen()
    const exporter = new OTLPLogExporter({
      url: `${between.url}/v1/otlp/v1/logs`,
      headers: { authorization: `Bearer ${otel.key}` },
      timeoutMillis: 60_000
    })
    const processor = new BatchLogRecordProcessor({ exporter, exportTimeoutMillis: 60_000, maxExportBatchSize: 500 })
    const provider = new LoggerProvider({ processors: [processor] })
    const logger = provider.getLogger("full")
    const lines = events(500)
    for (const line of lines) logger.emit({ severityNumber: SeverityNumber.INFO, body: line })
    const flushed = provider.forceFlush()
    const client = new Client({ node: `${between.url}/elastic`, auth: { bearer: elastic.key }, maxRetries: 0 })
    const bulk = client.helpers.bulk({
      datasource: lines.map((message) => ({ message })),
      onDocument: () => ({ create: { _index: "a" } }),
      retries: 100,
      wait: 200
    })
    try {
      await eventually("two refusals", () => (between.refused().size === 2 ? true : undefined), 30_000)
      // What fills the stream goes at once: the exporter gives up after five tries.
      await empty()
      await flushed
      expect(await bulk).toMatchObject({ successful: 500, failed: 0 })
    } finally {
      await provider.shutdown()
      await client.close()
      await between.close()
    }
    const worker = await work()
    try {
      for (const project of [otel, elastic]) {
        const found = await stored(door, project, 500)
        expect(found.map(({ message }) => message).toSorted()).toEqual(lines.toSorted())
      }
    } finally {
      await worker.stop()
    }
  }, 180_000)
})

const passed = ["authorization", "content-type", "content-encoding", "accept", "user-agent", "x-elastic-client-meta"]

/** Passes requests on to the door and notes which paths were refused. */
const listen = async () => {
  const refused = new Set<string>()
  const server = createServer((request, response) => {
    void (async () => {
      const body = await buffer(request)
      const headers = Object.fromEntries(passed.map((name) => [name, String(request.headers[name] ?? "")]))
      const answer = await fetch(door.url + request.url!, {
        method: request.method!,
        headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== "")),
        ...(body.length === 0 ? {} : { body })
      })
      const text = Buffer.from(await answer.arrayBuffer())
      if (answer.status === 429 || text.includes('"status":429')) refused.add(request.url!)
      const back = ["content-type", "retry-after", "x-elastic-product"].flatMap((name) => {
        const value = answer.headers.get(name)
        return value === null ? [] : [[name, value]]
      })
      response.writeHead(answer.status, Object.fromEntries(back)).end(text)
    })()
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((done) => {
      server.close(() => done()).closeAllConnections()
    })
  return { url: `http://127.0.0.1:${port}`, refused: () => refused, close }
}

/** Takes everything off the stream, as if it had been stored. */
const empty = async (): Promise<void> => {
  const redis = new Redis(process.env["REDIS_URL"]!)
  const keys = `${room.namespace}:{logs:0}`
  await redis.multi().xtrim(`${keys}:batches`, "MAXLEN", 0).hset(`${keys}:meta`, "bytes", 0).exec()
  redis.disconnect()
}

const depth = async (): Promise<number> => {
  const text = await (await fetch(`${door.url}/metrics`)).text()
  return Number(/^loglytics_log_backlog_batches\{[^}]*\} (\d+)/mu.exec(text)?.[1] ?? Number.NaN)
}
