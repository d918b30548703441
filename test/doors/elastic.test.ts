/** Elasticsearch's own client against the application, and what shippers ask by hand. */
import { Client } from "@elastic/elasticsearch"
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type App, makeRoom, startApp } from "../support/app.ts"
import { newProject, stored, type TestProject } from "../support/doors.ts"
import { eventually } from "../support/eventually.ts"

let app: App
beforeAll(async () => {
  app = await startApp(await makeRoom())
}, 60_000)
afterAll(async () => {
  await app.stop()
  await app.room.clear()
})

const clientOf = (project: TestProject, base: string, auth: "basic" | "apiKey" | "bearer"): Client =>
  new Client({
    node: `${app.url}${base}`,
    auth:
      auth === "basic"
        ? { username: "elastic", password: project.key }
        : auth === "apiKey"
          ? { apiKey: { id: "any", api_key: project.key } }
          : { bearer: project.key }
  })

describe("@elastic/elasticsearch", () => {
  it.each([
    ["", "basic"],
    ["/elastic", "apiKey"],
    ["/elastic", "bearer"]
  ] as const)(
    "is understood at %j with %s",
    async (base, auth) => {
      const project = await newProject(app)
      const client = clientOf(project, base, auth)
      expect((await client.info()).version.number).toMatch(/^8\./u)
      const at = Date.now() - 60_000
      const dropped: Array<unknown> = []
      const result = await client.helpers.bulk({
        datasource: Array.from({ length: 1_200 }, (_, i) => ({
          "@timestamp": new Date(at + i).toISOString(),
          "log.level": i % 2 === 0 ? "error" : "info",
          message: `document ${i}`,
          service: { name: "shop" },
          trace: { id: "5b8efff798038103d269b633813fc60c" },
          user: { id: i }
        })),
        flushBytes: 20_000,
        onDocument: () => ({ create: { _index: "logs-shop-default" } }),
        onDrop: (doc) => void dropped.push(doc)
      })
      expect(result).toMatchObject({ total: 1_200, successful: 1_200, failed: 0 })
      expect(dropped).toEqual([])
      const events = await eventually(
        "the last document",
        async () => {
          const newest = await stored(app, project, 1_000)
          return newest.at(-1)?.message === "document 1199" ? newest : undefined
        },
        60_000
      )
      expect(events.at(-1)).toMatchObject({
        time: new Date(at + 1_199).toISOString(),
        level: "info",
        service: "shop",
        message: "document 1199",
        traceId: "5b8efff798038103d269b633813fc60c",
        attributes: { _index: "logs-shop-default", user: { id: 1_199 } }
      })
      await client.close()
    },
    90_000
  )

  it("is told by its own error that its key is wrong", async () => {
    const client = clientOf({ id: "x", key: "wrong" }, "/elastic", "basic")
    await expect(client.bulk({ operations: [{ index: { _index: "a" } }, { message: "x" }] })).rejects.toMatchObject({
      statusCode: 401,
      body: { status: 401, error: { type: "security_exception" } }
    })
    await client.close()
  }, 60_000)
})

describe("what shippers ask and send", () => {
  const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: string | Uint8Array) =>
    fetch(app.url + path, { method, headers, ...(body === undefined ? {} : { body: body as string }) })

  it("names the product on every answer, refusals too", async () => {
    const project = await newProject(app)
    const key = { authorization: `Basic ${Buffer.from(`x:${project.key}`).toString("base64")}` }
    for (const [method, path, status] of [
      ["GET", "/elastic/", 200],
      ["HEAD", "/", 200],
      ["GET", "/_license", 200],
      ["PUT", "/_ilm/policy/filebeat", 200],
      ["GET", "/_cluster/health", 200],
      ["GET", "/elastic/nothing/here", 404],
      ["PUT", "/elastic/_index_template/x", 200]
    ] as const) {
      const answer = await ask(method, path, key)
      expect([path, answer.status, answer.headers.get("x-elastic-product")]).toEqual([path, status, "Elasticsearch"])
    }
    expect((await ask("GET", "/_license")).status).toBe(401)
    const page = await ask("GET", "/", { accept: "text/html" })
    expect(page.headers.get("x-elastic-product")).toBeNull()
  })

  it("takes PUT, and bodies in every packing, with the index in the path", async () => {
    const project = await newProject(app)
    const headers = { authorization: `ApiKey ${project.key}`, "content-type": "application/x-ndjson" }
    const body = (n: number) => `{"create":{}}\n{"message":"line ${n}","level":"warn"}\n`
    const packed = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync }
    let n = 0
    for (const [encoding, pack] of Object.entries(packed)) {
      const answer = await ask("PUT", "/web/_bulk", { ...headers, "content-encoding": encoding }, pack(body(n++)))
      expect(await answer.text()).toMatch(
        /^\{"took":\d+,"errors":false,"items":\[\{"create":\{"_index":"web","status":201\}\}\]\}$/u
      )
    }
    const events = await stored(app, project, 4)
    expect(events.map(({ message }) => message).toSorted()).toEqual(["line 0", "line 1", "line 2", "line 3"])
    expect(events[0]).toMatchObject({ level: "warn", attributes: { _index: "web" } })
  }, 60_000)

  it("adds a repeated request with an Idempotency-Key once", async () => {
    const project = await newProject(app)
    const headers = { authorization: `Bearer ${project.key}`, "idempotency-key": "once" }
    const send = (path: string, body: string, type: string) =>
      ask("POST", path, { ...headers, "content-type": type }, body)
    for (let i = 0; i < 3; i++) {
      expect((await send("/_bulk", '{"index":{}}\n{"message":"a"}\n', "application/json")).status).toBe(200)
    }
    // The same bytes without a key are two requests.
    const again = { authorization: `Bearer ${project.key}` }
    for (let i = 0; i < 2; i++)
      expect((await ask("POST", "/_bulk", again, '{"index":{}}\n{"message":"b"}\n')).status).toBe(200)
    const events = await stored(app, project, 3)
    expect(events.map(({ message }) => message).toSorted()).toEqual(["a", "b", "b"])
  }, 60_000)

  it("refuses a body that is not what its encoding says, and one that unpacks to more than may be", async () => {
    const project = await newProject(app)
    const key = { authorization: `Bearer ${project.key}` }
    expect((await ask("POST", "/_bulk", { ...key, "content-encoding": "gzip" }, "nonsense")).status).toBe(400)
    const bomb = gzipSync(Buffer.alloc(70 * 1024 * 1024, 32))
    const answer = await ask("POST", "/_bulk", { ...key, "content-encoding": "gzip" }, bomb)
    expect([answer.status, await answer.json()]).toMatchObject([413, { status: 413 }])
  }, 60_000)
})
