/** Schedules over HTTP and from the terminal: made, changed, steered, deleted; admin keys only; faults by their path. */
import { execFile } from "node:child_process"
import { resolve } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type App, ask, makeRoom, startApp } from "../support/app.ts"
import { eventually } from "../support/eventually.ts"

const main = resolve(import.meta.dirname, "../../src/cli/main.ts")
let app: App
beforeAll(async () => {
  app = await startApp(await makeRoom())
})
afterAll(async () => {
  await app.stop()
  await app.room.clear()
})

interface View {
  readonly when: string
  readonly nextAt: string | null
  readonly paused: boolean
  readonly runs: number
  readonly last: ReadonlyArray<{ readonly job: string | null; readonly why: string; readonly state: string | null }>
  readonly next: ReadonlyArray<string>
}
const path = "/v1/schedules"
const cli = (
  ...args: ReadonlyArray<string>
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> =>
  new Promise((done) => {
    const env = {
      ...process.env,
      NODE_OPTIONS: "",
      LOGLYTICS_NAMESPACE: app.room.namespace,
      LOGLYTICS_DATABASE_SCHEMA: app.room.schema,
      LOGLYTICS_DATA_DIR: app.room.dataDir
    }
    execFile(process.execPath, [main, "schedule", ...args], { env, timeout: 15_000 }, (error, out, err) =>
      done({ code: error === null ? 0 : Number(error.code ?? 1), out, err })
    )
  })

describe("over HTTP", () => {
  it("adds a schedule that fires, changes it, pauses, runs and deletes it", async () => {
    const made = await ask<View>(app, "POST", path, { name: "often", task: "health_check", every: "1 second" })
    expect(made).toMatchObject({ status: 201, body: { when: "every 1 second", paused: false } })
    const ran = await eventually("a run", async () => {
      const { body } = await ask<View>(app, "GET", `${path}/often`)
      return body.last.some((run) => run.state === "done") ? body : undefined
    })
    expect(ran.last[0]).toMatchObject({ why: "on time" })
    expect((await ask(app, "POST", path, { name: "often", task: "health_check", every: "1 hour" })).status).toBe(409)
    const changed = await ask<View>(app, "PATCH", `${path}/often`, { cron: "0 7 * * mon-fri", timeZone: "Asia/Tokyo" })
    expect(changed).toMatchObject({ status: 200, body: { when: "0 7 * * mon-fri" } })
    expect(changed.body.next.every((at) => at.endsWith("T22:00:00.000Z"))).toBe(true)
    expect((await ask(app, "POST", `${path}/often/pause`)).status).toBe(204)
    expect((await ask<View>(app, "GET", `${path}/often`)).body).toMatchObject({ paused: true, nextAt: null })
    const run = await ask<{ task_id: string }>(app, "POST", `${path}/often/run`)
    expect(run).toMatchObject({ status: 202, body: { status: "queued" } })
    expect((await ask(app, "GET", `/tasks/${run.body.task_id}`)).status).toBe(200)
    expect((await ask(app, "POST", `${path}/often/resume`)).status).toBe(204)
    const range = { from: "2026-06-01T00:00:00Z", to: "2026-06-07T23:00:00Z" }
    const filled = await ask<{ task_ids: ReadonlyArray<string> }>(app, "POST", `${path}/often/backfill`, range)
    expect([filled.status, filled.body.task_ids.length]).toEqual([202, 5])
    expect(await ask(app, "POST", `${path}/often/backfill`, range)).toMatchObject({ body: { task_ids: [], known: 5 } })
    expect((await ask(app, "DELETE", `${path}/often`)).status).toBe(204)
    expect((await ask(app, "GET", `${path}/often`)).status).toBe(404)
  })

  it("says what is wrong by its path, and that code stays", async () => {
    const bad = await ask<{ issues: ReadonlyArray<{ path: string; message: string }> }>(app, "POST", path, {
      name: "bad",
      task: "health_check",
      cron: "61 * * * *",
      timeZone: "Nowhere"
    })
    expect(bad.status).toBe(422)
    expect(bad.body.issues.map((issue) => issue.path)).toEqual(
      expect.arrayContaining(["payload.cron", "payload.timeZone"])
    )
    expect((await ask(app, "POST", path, { name: "bad", task: "nothing", every: "1 hour" })).status).toBe(422)
    expect((await ask(app, "DELETE", `${path}/health_check`)).status).toBe(409)
    expect((await ask(app, "POST", `${path}/nothing/run`)).status).toBe(404)
    expect((await ask(app, "POST", `${path}/health_check/backfill`, { from: "x", to: "y" })).status).toBe(422)
  })

  it("is an admin's matter", async () => {
    const { body } = await ask<{ apiKey: { secret: string } }>(app, "POST", "/v1/projects", { name: "Other" })
    const key = { url: app.url, key: body.apiKey.secret }
    const spec = { name: "a", task: "health_check", every: "1 hour" }
    expect((await ask(key, "POST", path, spec)).status).toBe(403)
    expect((await ask(key, "POST", `${path}/health_check/run`)).status).toBe(403)
  })
})

describe("from the terminal", () => {
  it("adds, shows, pauses, runs and deletes", async () => {
    expect(
      await cli("create", "nightly", "health_check", "--cron", "0 2 * * *", "--time-zone", "Europe/Berlin")
    ).toMatchObject({
      code: 0,
      err: ""
    })
    expect((await cli("list")).out).toMatch(/health_check +health_check +every 15 minutes[^]*nightly +health_check/u)
    expect((await cli("run", "nightly")).out).toMatch(/^[hdl]-beat:nightly:now:/u)
    expect((await cli("show", "nightly")).out).toMatch(/0 2 \* \* \*  Europe\/Berlin[^]*by hand[^]*next/u)
    expect((await cli("update", "nightly", "--cron", "0 25 * * *")).err).toContain("expected a cron expression")
    expect((await cli("delete", "nightly")).code).toBe(0)
  }, 60_000)
})
