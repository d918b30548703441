/** Dead jobs through both doors, HTTP and the command line, of a whole app. */
import { Redis as IORedis } from "ioredis"
import { execFile } from "node:child_process"
import { resolve } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type App, ask, makeRoom, startApp } from "../support/app.ts"
import { redisUrl } from "../support/engine.ts"
import { eventually } from "../support/eventually.ts"

let app: App
let redis: IORedis
beforeAll(async () => {
  app = await startApp(await makeRoom(), { roles: "serve,work" })
  redis = new IORedis(redisUrl)
})
afterAll(async () => {
  redis.disconnect()
  await app.stop()
  await app.room.clear()
})

interface Letter {
  readonly id: string
  readonly task: string
  readonly payload: unknown
  readonly fingerprint: string
  readonly error: { readonly _tag: string }
}
interface Letters {
  readonly letters: ReadonlyArray<Letter>
  readonly cursor: string | null
}

/** Jobs whose payload no schema takes, so that they die at once. */
const die = async (...ids: ReadonlyArray<string>): Promise<void> => {
  const { body: before } = await ask<Letters>(app, "GET", "/v1/dead?limit=500")
  for (const id of ids) {
    await redis.xadd(`${app.room.namespace}:{default}:jobs`, "*", "id", id, "task", "health_check", "payload", "null")
  }
  await eventually("they are dead", async () => {
    const { body } = await ask<Letters>(app, "GET", "/v1/dead?limit=500")
    return body.letters.length === before.letters.length + ids.length ? true : undefined
  })
}

const cli = (
  ...args: ReadonlyArray<string>
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> =>
  new Promise((done) => {
    execFile(
      process.execPath,
      [resolve(import.meta.dirname, "../../src/cli/main.ts"), "dead", ...args],
      {
        env: {
          ...process.env,
          NODE_OPTIONS: "",
          LOGLYTICS_NAMESPACE: app.room.namespace,
          LOGLYTICS_DATA_DIR: app.room.dataDir
        },
        timeout: 15_000
      },
      (error, out, err) => done({ code: error === null ? 0 : Number(error.code ?? 1), out, err })
    )
  })

const state = async (id: string): Promise<string> =>
  (await ask<{ readonly status: string }>(app, "GET", `/tasks/${id}`)).body.status

describe("dead jobs", () => {
  it("are listed, mended and put back over HTTP", async () => {
    await die("d-a", "d-b", "d-c")
    const { body } = await ask<Letters>(app, "GET", "/v1/dead?task=health_check&limit=2")
    expect(body.letters.map(({ error, id }) => [id, error._tag])).toEqual([
      ["d-c", "PayloadInvalid"],
      ["d-b", "PayloadInvalid"]
    ])
    const rest = await ask<Letters>(app, "GET", `/v1/dead?task=health_check&cursor=${body.cursor}`)
    expect(rest.body).toMatchObject({ letters: [{ id: "d-a" }], cursor: null })
    const strange = await ask(app, "GET", "/v1/dead?cursor=zzz")
    expect([strange.status, JSON.stringify(strange.body)]).toEqual([
      422,
      expect.stringContaining("cursor: expected one")
    ])
    const early = await ask<Letters>(app, "GET", "/v1/dead?task=health_check&since=1901-01-01")
    expect(early.body.letters).toHaveLength(3)
    const groups = await ask<ReadonlyArray<{ readonly count: number }>>(app, "GET", "/v1/dead/groups")
    expect(groups.body).toMatchObject([{ task: "health_check", count: 3, sample: "d-c" }])
    const one = await ask<Letter>(app, "GET", "/v1/dead/jobs/d-a")
    expect(one.body).toMatchObject({ id: "d-a", payload: null, attempts: 1 })
    expect((await ask(app, "PUT", "/v1/dead/jobs/d-a", { payload: null })).status).toBe(422)
    expect((await ask<Letter>(app, "PUT", "/v1/dead/jobs/d-a", { payload: {} })).body.payload).toEqual({})
    expect((await ask(app, "POST", "/v1/dead/jobs/d-a/replay", {})).body).toEqual({ id: "d-a" })
    await eventually("it is done", async () => ((await state("d-a")) === "SUCCESS" ? true : undefined))
    expect((await ask(app, "POST", "/v1/dead/jobs/d-a/replay", {})).status).toBe(404)
    expect((await ask(app, "DELETE", "/v1/dead/jobs/d-b")).status).toBe(204)
    expect((await ask(app, "POST", "/v1/dead/replay", { rate: "fast" })).status).toBe(422)
    for (const what of ["discard", "replay"]) {
      expect((await ask(app, "POST", `/v1/dead/${what}`, {})).status).toBe(422)
    }
    const discarded = await ask(app, "POST", "/v1/dead/discard", { task: "health_check" })
    expect(discarded.body).toEqual({ done: 1, skipped: 0 })
  })

  it("are an admin's matter", async () => {
    const { body } = await ask<{ apiKey: { secret: string } }>(app, "POST", "/v1/projects", { name: "Dead" })
    const key = { url: app.url, key: body.apiKey.secret }
    expect((await ask(key, "GET", "/v1/dead")).status).toBe(403)
    expect((await ask(key, "POST", "/v1/dead/discard", {})).status).toBe(403)
  })

  it("are listed, mended, put back and thrown away from the terminal", async () => {
    await die("d-x", "d-y", "d-z")
    const listed = JSON.parse((await cli("list", "--json")).out) as ReadonlyArray<{ readonly job: string }>
    expect(listed.map(({ job }) => job)).toEqual(["d-z", "d-y", "d-x"])
    expect((await cli("list", "--groups")).out).toMatch(/health_check/u)
    expect(JSON.parse((await cli("show", "d-x")).out)).toMatchObject({ id: "d-x", history: [{ attempt: 1 }] })
    expect(await cli("edit", "d-x", "null")).toMatchObject({ code: 1 })
    expect(await cli("edit", "d-x", "{}")).toMatchObject({ code: 0, out: "{}\n" })
    expect(await cli("replay", "d-x")).toMatchObject({ code: 0, out: "d-x  queued\n" })
    await eventually("it is done", async () => ((await state("d-x")) === "SUCCESS" ? true : undefined))
    expect(await cli("discard", "d-y", "d-x")).toMatchObject({ out: "d-y  discarded\nd-x  not there\n" })
    expect((await cli("replay", "--task", "health_check", "--rate", "100/s", "-y")).out).toBe("replayed 1\n")
    await eventually("it died again", async () => {
      const { body } = await ask<Letters>(app, "GET", "/v1/dead")
      return body.letters[0]?.id === "d-z" ? true : undefined
    })
    expect((await cli("discard", "--text", "health", "-y")).out).toMatch(/^discarded \d\n$/u)
  }, 90_000)
})
