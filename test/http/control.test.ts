/** Steering over HTTP and on the command line, against a whole running product. */
import { execFile } from "node:child_process"
import { resolve } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { type App, ask, makeRoom, startApp } from "../support/app.ts"

const main = resolve(import.meta.dirname, "../../src/cli/main.ts")
let app: App
beforeAll(async () => {
  app = await startApp(await makeRoom())
})
afterAll(async () => {
  await app.stop()
  await app.room.clear()
})

const run = (...args: ReadonlyArray<string>): Promise<{ code: number; out: string; err: string }> => {
  const { LOGLYTICS_API_KEY: _, ...rest } = process.env
  const env = {
    ...rest,
    NODE_OPTIONS: "",
    LOGLYTICS_NAMESPACE: app.room.namespace,
    LOGLYTICS_DATABASE_SCHEMA: app.room.schema,
    LOGLYTICS_DATA_DIR: app.room.dataDir
  }
  return new Promise((done) => {
    execFile(process.execPath, [main, ...args], { env, timeout: 15_000 }, (error, out, err) =>
      done({ code: error === null ? 0 : Number(error.code ?? 1), out, err })
    )
  })
}
interface Replies {
  readonly replies: ReadonlyArray<{ readonly worker: string; readonly ok: boolean; readonly value: unknown }>
  readonly silent: ReadonlyArray<string>
}
const post = <A>(path: string, body: unknown = {}) => ask<A>(app, "POST", `/v1/control${path}`, body)

it("asks and tells workers over HTTP", async () => {
  const ping = await post<Replies>("/inspect/ping")
  expect(ping.status).toBe(200)
  expect(ping.body.replies).toHaveLength(1)
  const grown = await post<Replies>("/workers/pool", { by: 1 })
  expect(grown.body.replies[0]).toMatchObject({ ok: true, value: { concurrency: expect.any(Number) } })
  expect((await post("/workers/pool")).status).toBe(422)
  const nobody = await post<Replies>("/inspect/conf", { to: ["nobody"], timeoutMs: 50 })
  expect(nobody.body).toEqual({ replies: [], silent: ["nobody"] })
})

it("limits, pauses and revokes over HTTP", async () => {
  expect((await post("/tasks/health_check/limits", { rate: "10/x" })).status).toBe(422)
  expect((await post("/tasks/health_check/limits", { rate: "100/s", concurrency: 2 })).status).toBe(200)
  expect((await post("/tasks/health_check/pause")).status).toBe(200)
  const { body } = await ask<{ task_id: string }>(app, "POST", "/tasks/health_check", {})
  const revoked = await post<ReadonlyArray<{ status: string }>>("/revoke", { ids: [body.task_id, "d-nobody"] })
  expect(revoked.body[1]?.status).toBe("unknown")
  expect(["cancelled", "requested"]).toContain(revoked.body[0]?.status)
  expect((await post("/tasks/health_check/resume")).status).toBe(200)
  expect((await post("/queues/default/pause")).status).toBe(200)
  expect((await post("/queues/default/resume")).status).toBe(200)
})

it("does the same on the command line", async () => {
  const ping = await run("inspect", "ping", "--json")
  expect(ping).toMatchObject({ code: 0, err: "" })
  expect((JSON.parse(ping.out) as Replies).replies).toHaveLength(1)
  expect(await run("control", "rate_limit", "health_check", "5/s")).toMatchObject({ code: 0 })
  expect((await run("inspect", "limits")).out).toContain("5/s")
  expect(await run("inspect", "conf", "--destination", "nobody", "--timeout", "0.1")).toMatchObject({
    code: 1,
    err: expect.stringContaining("nobody")
  })
  expect(await run("inspect", "query_task", "d-nobody")).toMatchObject({
    code: 1,
    err: expect.stringContaining("no worker holds d-nobody")
  })
  for (const what of ["pool_grow", "pool_shrink"]) {
    const { code, err, out } = await run("control", what, "--", "-1")
    expect([what, code]).toEqual([what, 1])
    expect(err + out).toContain("1 or more, got -1")
  }
  expect(await run("revoke", "d-nobody")).toMatchObject({ code: 1, err: expect.stringContaining("d-nobody") })
}, 60_000)
