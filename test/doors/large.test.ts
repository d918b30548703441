/** Bodies that are read beside the main thread: as complete as small ones, refused as well as they. */
import { gzipSync } from "node:zlib"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { snappyLiteral } from "../ingest/protocols/speak.ts"
import { type App, ask, makeRoom, startApp } from "../support/app.ts"
import { newProject, search, type TestProject } from "../support/doors.ts"
import { eventually } from "../support/eventually.ts"

let app: App
beforeAll(async () => {
  app = await startApp(await makeRoom())
}, 60_000)
afterAll(async () => {
  await app.stop()
  await app.room.clear()
})

const post = (project: TestProject, path: string, type: string, body: string | Uint8Array, more = {}) =>
  fetch(app.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${project.key}`, "content-type": type, ...more },
    body: body as string
  })

const total = (project: TestProject, wanted: number): Promise<number> =>
  eventually(
    `${wanted} stored events`,
    async () => {
      const { body } = await ask<{ lastHour: { total: number } }>(app, "GET", `/v1/stats?project=${project.id}`)
      return body.lastHour.total >= wanted ? body.lastHour.total : undefined
    },
    90_000
  )

const count = 6_000
const records = Array.from({ length: count }, (_, i) => ({
  severityNumber: 17,
  body: { stringValue: `large ${i} ${"x".repeat(100)}` }
}))

describe("large bodies", () => {
  it("of OTLP are taken whole, and what is rejected in them is told", async () => {
    const project = await newProject(app)
    const body = { resourceLogs: [{ scopeLogs: [{ logRecords: [...records, 7] }] }] }
    const answer = await post(project, "/v1/otlp/v1/logs", "application/json", gzipSync(JSON.stringify(body)), {
      "content-encoding": "gzip"
    })
    expect([answer.status, await answer.json()]).toMatchObject([200, { partialSuccess: { rejectedLogRecords: "1" } }])
    expect(await total(project, count)).toBe(count)
    expect((await search(app, project))[0]).toMatchObject({ level: "error" })
  }, 120_000)

  it("of Loki and Elasticsearch, several at once, too", async () => {
    const [loki, elastic] = [await newProject(app), await newProject(app)]
    const lines = records.map(({ body }, i) => [`${1_795_521_600_000 + i}000000`, body.stringValue])
    const push = JSON.stringify({ streams: [{ stream: { app: "a" }, values: lines }] })
    const bulk = records.map(({ body }) => `{"create":{}}\n{"message":"${body.stringValue}"}\n`).join("")
    const answers = await Promise.all([
      post(loki, "/loki/api/v1/push", "application/json", push),
      post(elastic, "/app/_bulk", "application/x-ndjson", bulk),
      post(elastic, "/app/_bulk", "application/x-ndjson", `${bulk}broken\n`),
      post(loki, "/loki/api/v1/push", "application/json", push.slice(0, -1)),
      post(loki, "/loki/api/v1/push", "application/x-protobuf", snappyLiteral(Buffer.alloc(2_000_000, 0xff)))
    ])
    expect(answers.map(({ status }) => status)).toEqual([204, 200, 400, 400, 400])
    expect(await answers[1]?.json()).toMatchObject({ errors: false, items: { length: count } })
    expect(await total(loki, count)).toBe(count)
    expect(await total(elastic, count)).toBe(count)
  }, 120_000)

  it("beyond the limit are refused in each protocol's way, and the connection goes on", async () => {
    const project = await newProject(app)
    const long = gzipSync(`{"resourceLogs":[],"x":"${"x".repeat(66 * 1024 * 1024)}"}`)
    for (const path of ["/v1/otlp/v1/logs", "/_bulk"]) {
      const answer = await post(project, path, "application/json", long, { "content-encoding": "gzip" })
      expect([path, answer.status]).toEqual([path, 413])
      await answer.text()
    }
    expect((await post(project, "/v1/otlp/v1/logs", "application/json", "{}")).status).toBe(200)
  }, 120_000)
})
