import { execFile, spawn } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { gzipSync } from "node:zlib"
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

const environment = (): NodeJS.ProcessEnv => {
  const { LOGLYTICS_API_KEY: _, ...env } = process.env
  return {
    ...env,
    NODE_OPTIONS: "",
    LOGLYTICS_NAMESPACE: app.room.namespace,
    LOGLYTICS_DATABASE_SCHEMA: app.room.schema,
    LOGLYTICS_DATA_DIR: app.room.dataDir
  }
}

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}
/** Runs a command to its end. URL and key come from the file that the server left. */
const run = (...args: ReadonlyArray<string>): Promise<Ended> =>
  new Promise((done) => {
    execFile(process.execPath, [main, ...args], { env: environment(), timeout: 15_000 }, (error, out, err) =>
      done({ code: error === null ? 0 : Number(error.code ?? 1), out, err })
    )
  })

const stored = (lines: number) =>
  eventually(`${lines} lines`, async () => {
    const { body } = await ask<{ events: ReadonlyArray<{ message: string }> }>(app, "GET", "/v1/logs?limit=1000")
    return body.events.length >= lines ? body.events : undefined
  })

describe("logs", () => {
  it("sends files, packed or not, and follows what is stored", async () => {
    const plain = join(app.room.dataDir, "a.log")
    const packed = join(app.room.dataDir, "b.log.gz")
    await writeFile(plain, "level=warn msg=one\nlevel=info msg=two")
    await writeFile(packed, gzipSync("three\nfour\n"))
    const sent = await run("send", plain, packed)
    expect(sent).toMatchObject({ code: 0, err: "" })
    expect(sent.out).toMatch(/a\.log: 2 lines accepted[^]*b\.log\.gz: 2 lines accepted/u)
    expect((await stored(4)).map(({ message }) => message).toSorted()).toEqual(["four", "one", "three", "two"])

    const tail = spawn(process.execPath, [main, "tail", "level:warn"], { env: environment() })
    let heard = ""
    tail.stdout.on("data", (chunk: Buffer) => (heard += String(chunk)))
    await eventually("the stored warning", () => (heard.includes("one") ? true : undefined))
    await ask(app, "POST", "/v1/logs", "level=warn msg=fresh\u001b[31m\nlevel=info msg=not-this")
    await eventually("the new warning", () => (heard.includes("fresh") ? true : undefined))
    expect(heard).not.toContain("not-this")
    expect(heard).not.toContain("\u001b")
    const ended = new Promise((done) => tail.on("exit", done))
    tail.kill("SIGINT")
    await ended
  })

  it("says what is wrong with a file, a server or a key", async () => {
    expect(await run("send", "/nowhere.log")).toMatchObject({ code: 1, err: expect.stringContaining("/nowhere.log") })
    const file = join(app.room.dataDir, "a.log")
    expect((await run("send", file, "--key", "lg_wrong")).err).toContain("401")
    expect((await run("tail", "level:loud")).err).toContain("expected a level")
  })
})

describe("jobs", () => {
  it("queues a task and tells its result", async () => {
    const waited = await run("enqueue", "health_check", "--wait")
    expect(waited.code).toBe(0)
    expect(JSON.parse(waited.out)).toMatchObject({ checks: expect.any(Array) })
    const id = (await run("enqueue", "health_check", "--delay", "1 hour")).out.trim()
    expect((await run("result", id)).out).toContain("PENDING")
    expect((await run("inspect", "scheduled")).out).toContain(id)
    expect((await run("revoke", id)).code).toBe(0)
    expect((await run("result", id)).out).toContain("REVOKED")
    expect((await run("purge", "--yes")).out).toContain("low-priority")
  })

  it("says what it expected", async () => {
    expect(await run("enqueue", "nothing")).toMatchObject({
      code: 1,
      err: expect.stringContaining("no task is named nothing")
    })
    expect((await run("enqueue", "health_check", "{")).err).toContain("expected JSON")
    const bad = await run("enqueue", "process_log_file", '{"projectId":1,"fileId":"f"}')
    expect(bad).toMatchObject({ code: 1, err: expect.stringContaining("projectId") })
    expect((await run("enqueue", "health_check", "--delay", "soon")).code).toBe(1)
    expect((await run("result", "d-nothing")).code).toBe(1)
  })

  it("shows queues, partitions and workers", async () => {
    expect((await run("status")).out).toMatch(/high-priority[^]*log partition[^]*worker/u)
    expect((await run("inspect", "registered")).out).toContain("process_log_file")
    expect(JSON.parse((await run("inspect", "stats", "--json")).out)).toMatchObject([{ concurrency: 4 }])
  })
})

describe("control", () => {
  it("warns of a task that no worker knows, since a mistyped queue is taken for one", async () => {
    const mistyped = await run("control", "pause", "defualt")
    expect(mistyped).toMatchObject({
      code: 0,
      err: expect.stringContaining('no running worker knows a task named "defualt"')
    })
    expect(await run("control", "resume", "defualt")).toMatchObject({ code: 0, err: "" })
    expect(await run("control", "pause", "health_check")).toMatchObject({ code: 0, err: "" })
    expect(await run("control", "resume", "health_check")).toMatchObject({ code: 0, err: "" })
    expect((await run("control", "rate_limit", "helth_check", "1/s")).err).toContain("helth_check")
    expect(await run("control", "rate_limit", "helth_check", "default")).toMatchObject({ code: 0, err: "" })
  })

  it("ends quietly when its reader has had enough", async () => {
    const child = spawn(process.execPath, [main, "inspect", "tasks"], { env: environment() })
    let err = ""
    child.stderr.on("data", (chunk: Buffer) => (err += String(chunk)))
    child.stdout.destroy()
    await new Promise((done) => child.on("close", done))
    expect(err).toBe("")
  })
})

describe("keys and settings", () => {
  it("makes a key, lists and withdraws it", async () => {
    const secret = (await run("keys", "create", "--name", "ci")).out.trim()
    expect((await ask({ url: app.url, key: secret }, "GET", "/v1/queues")).status).toBe(200)
    const keys = JSON.parse((await run("keys", "list", "--json")).out) as ReadonlyArray<{ id: string; name: string }>
    const { id = "" } = keys.find(({ name }) => name === "ci") ?? {}
    expect((await run("keys", "revoke", id)).code).toBe(0)
    expect((await run("keys", "revoke", id)).code).toBe(1)
  })

  it("prints .env.example as it is kept", async () => {
    const { readFile } = await import("node:fs/promises")
    expect((await run("env")).out).toBe(await readFile(resolve(import.meta.dirname, "../../.env.example"), "utf8"))
  })
})

describe("projects", () => {
  it("are made with a key that opens them, listed and set", async () => {
    const made = await run("project", "create", "Night Shop")
    expect(made).toMatchObject({ code: 0, err: "" })
    const [said, secret = ""] = made.out.split("\n")
    expect(said).toBe("night-shop made; its key, which is told only here:")
    expect((await run("project", "list")).out).toMatch(/night-shop +Night Shop/u)
    expect(JSON.parse((await run("project", "list", "--key", secret, "--json")).out)).toMatchObject([
      { project: "night-shop" }
    ])
    const kept = await run("project", "settings", "night-shop", "--set", '{"retentionDays":7}')
    expect(JSON.parse(kept.out)).toMatchObject({ retentionDays: 7 })
    expect(await run("project", "create", "Night Shop")).toMatchObject({
      code: 1,
      err: expect.stringContaining("night-shop")
    })
    expect(await run("project", "create", "Other", "--id", "No Slug")).toMatchObject({ code: 1, out: "" })
    expect(await run("project", "create", "Other", "--key", secret)).toMatchObject({ code: 1, out: "" })
  })
})

describe("rules", () => {
  it("come from a file, are tried, listed and written again", async () => {
    const file = join(app.room.dataDir, "rules.yaml")
    await writeFile(file, "rules:\n  - { name: odd, type: threshold, query: oddity, window: 1 minute, threshold: 1 }\n")
    await ask(app, "POST", "/v1/logs", "level=error msg=oddity")
    await eventually("the line", async () =>
      (await run("rules", "try", file)).out.includes("odd: would have fired 1 ×") ? true : undefined
    )
    expect((await run("rules", "import", "--dry-run", file)).out).toBe(
      "+ odd\n1 made, 0 changed, 0 removed, 0 as they were; nothing was done (--dry-run)\n"
    )
    expect((await run("rules", "import", file)).out).toContain("1 made")
    expect((await run("rules", "import", file)).out).toContain("1 as they were")
    expect((await run("rules", "list")).out).toMatch(/name +state.*\nodd +ok /u)
    expect((await run("rules", "export")).out).toBe(
      "rules:\n  - name: odd\n    type: threshold\n    query: oddity\n    window: 1 minute\n    threshold: 1\n"
    )
    await writeFile(file, "rules:\n  - { name: odd, type: threshold }\n")
    expect(await run("rules", "import", file)).toMatchObject({ code: 1, err: expect.stringContaining("rules.0.query") })
  })
})
