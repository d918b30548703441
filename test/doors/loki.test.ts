/** winston-loki and pino-loki against the application. */
import { pino } from "pino"
import { pinoLoki } from "pino-loki"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import winston from "winston"
import LokiTransport from "winston-loki"
import { snappyLiteral } from "../ingest/protocols/speak.ts"
import { type App, makeRoom, startApp } from "../support/app.ts"
import { newProject, stored } from "../support/doors.ts"

let app: App
beforeAll(async () => {
  app = await startApp(await makeRoom())
}, 60_000)
afterAll(async () => {
  await app.stop()
  await app.room.clear()
})

describe("winston-loki", () => {
  it.each([true, false])(
    "is understood (json: %s)",
    async (json) => {
      const project = await newProject(app)
      const transport = new LokiTransport({
        host: app.url,
        json,
        basicAuth: `any:${project.key}`,
        labels: { job: "shop", hostname: "web1" },
        format: winston.format.json(),
        interval: 1,
        gracefulShutdown: false
      })
      const logger = winston.createLogger({ level: "debug", transports: [transport] })
      const before = Date.now()
      logger.error("payment failed", { orderId: 7 })
      logger.info("all is well", { labels: { zone: "eu" } })
      await transport.flush()
      const events = await stored(app, project, 2)
      expect(events.map(({ level }) => level).toSorted()).toEqual(["error", "info"])
      // In JSON winston-loki repeats all fields as structured metadata, which is text.
      const failed = events.find(({ level }) => level === "error")!
      expect(failed).toMatchObject({ service: "shop", message: "payment failed" })
      expect(failed.attributes).toMatchObject({ "host.name": "web1", orderId: json ? "7" : 7 })
      expect(Date.parse(failed.time)).toBeGreaterThanOrEqual(before)
      expect(Date.parse(failed.time)).toBeLessThan(before + 60_000)
      expect(events.find(({ level }) => level === "info")?.attributes).toMatchObject({ zone: "eu" })
      logger.close()
    },
    90_000
  )
})

describe("pino-loki", () => {
  it("is understood", async () => {
    const project = await newProject(app)
    const stream = pinoLoki({
      host: app.url,
      basicAuth: { username: "any", password: project.key },
      labels: { app: "shop" },
      propsToLabels: ["level"],
      batching: { interval: 1 }
    })
    const logger = pino({ level: "debug" }, stream)
    const at = Date.now()
    logger.warn({ orderId: 7, meta: { trace_id: "5b8efff798038103d269b633813fc60c" } }, "slow payment")
    logger.debug("details")
    const closed = new Promise((done) => stream.once("close", done))
    stream.end()
    await closed
    const events = await stored(app, project, 2)
    const slow = events.find(({ message }) => message === "slow payment")!
    expect(slow).toMatchObject({
      level: "warn",
      service: "shop",
      traceId: "5b8efff798038103d269b633813fc60c",
      attributes: { orderId: 7 }
    })
    expect(Math.abs(Date.parse(slow.time) - at)).toBeLessThan(60_000)
    expect(events.find(({ message }) => message === "details")?.level).toBe("debug")
  }, 90_000)
})

describe("what shippers ask and send besides", () => {
  const push = (key: string, headers: Record<string, string>, body: string | Uint8Array) =>
    fetch(`${app.url}/loki/api/v1/push`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, ...headers },
      body: body as string
    })

  it("says that it is ready, without a key", async () => {
    const ready = await fetch(`${app.url}/ready`)
    expect([ready.status, await ready.text()]).toEqual([200, "ready\n"])
  })

  it("takes the project from X-Scope-OrgID, and packings that Loki's own clients use", async () => {
    const project = await newProject(app)
    const line = JSON.stringify({
      streams: [{ stream: { app: "a" }, values: [[`${Date.now()}000000`, "level=warn msg=x"]] }]
    })
    const scope = { "x-scope-orgid": project.id, "content-type": "application/json" }
    expect((await push(app.key, scope, line)).status).toBe(204)
    // PushRequest with one stream {app="b"} and one entry that has a line only.
    const proto = Buffer.from([10, 20, 10, 9, ...Buffer.from('{app="b"}'), 18, 7, 18, 5, ...Buffer.from("plain")])
    const snappy = {
      "x-scope-orgid": project.id,
      "content-type": "application/x-protobuf",
      "content-encoding": "snappy"
    }
    expect((await push(app.key, snappy, snappyLiteral(proto))).status).toBe(204)
    const events = await stored(app, project, 2)
    expect(events.map(({ service }) => service).toSorted()).toEqual(["a", "b"])
    expect(events.find(({ service }) => service === "a")).toMatchObject({ level: "warn", message: "x" })
  }, 60_000)

  it("refuses in plain text", async () => {
    const project = await newProject(app)
    const answer = await push("wrong", { "content-type": "application/json" }, "{}")
    expect([answer.status, answer.headers.get("content-type")]).toEqual([401, "text/plain; charset=utf-8"])
    expect((await push(project.key, { "content-type": "application/json" }, "{")).status).toBe(400)
    expect((await push(app.key, { "x-scope-orgid": "nowhere" }, "")).status).toBe(404)
    expect((await push(project.key, { "content-encoding": "lz4" }, "x")).status).toBe(415)
  })
})
