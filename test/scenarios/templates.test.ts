/** Templates the whole way: lines in, patterns out, the same ids after a kill, and no stored line without a known template. */
import postgres from "postgres"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Pattern } from "../../src/domain/Pattern.ts"
import type { StoredEvent } from "../../src/domain/LogEvent.ts"
import { type App, ask, makeRoom, type Room, startApp } from "../support/app.ts"
import { eventually } from "../support/eventually.ts"

let room: Room
let door: App
beforeAll(async () => {
  room = await makeRoom()
  door = await startApp(room, { roles: "serve" })
})
afterAll(async () => {
  await door.stop()
  await room.clear()
})

/** Of this day, or lines count elsewhere than the last day's patterns look. */
const today = new Date().toISOString().slice(0, 10)
const users = ["ann", "bob", "cat", "dan", "eve", "fay", "gus", "hal"]
/** Lines of three templates, one of them found by its words only. */
const linesOf = (batch: number): string =>
  Array.from({ length: 60 }, (_, i) => {
    if (i % 3 === 0)
      return `${today} 00:00:${String(i).padStart(2, "0")} INFO session opened for user ${users[(batch + i) % 8]} by root`
    return i % 3 === 1
      ? JSON.stringify({ level: "error", message: `request ${batch}-${i} failed after ${i} ms` })
      : `level=warn msg="disk /dev/sd${batch}${i} is ${i}% full"`
  }).join("\n")

const patterns = async (query = ""): Promise<ReadonlyArray<Pattern>> =>
  (await ask<{ patterns: ReadonlyArray<Pattern> }>(door, "GET", `/v1/patterns?project=ways${query}`)).body.patterns

describe("templates", () => {
  it("are the same whoever owns the partition, and count each line once", { timeout: 240_000 }, async () => {
    await ask(door, "POST", "/v1/projects", { id: "ways", name: "ways" })
    let worker = await startApp(room, { roles: "work" })
    const total = async (): Promise<number> => (await patterns()).reduce((sum, { count }) => sum + count, 0)
    const batches = 20
    for (let batch = 0; batch < batches; batch++) {
      const { status } = await ask(door, "POST", "/v1/logs", linesOf(batch), { "x-loglytics-project": "ways" })
      expect(status).toBe(202)
      if (batch % 10 === 5) {
        await eventually(
          "some lines to be counted",
          async () => ((await total()) > batch * 40 ? true : undefined),
          30_000
        )
        await worker.stop("SIGKILL")
        worker = await startApp(room, { roles: "work" })
      }
    }
    await eventually(
      "all lines to be counted",
      async () => ((await total()) >= batches * 60 ? true : undefined),
      60_000
    )
    const found = await patterns()
    expect(found.map(({ count, share, text }) => ({ text, count, share }))).toEqual(
      expect.arrayContaining([
        { text: "session opened for user <*> by root", count: batches * 20, share: 0.3333 },
        { text: "request <*> failed after <*> ms", count: batches * 20, share: 0.3333 },
        { text: "disk <*> is <*> full", count: batches * 20, share: 0.3333 }
      ])
    )
    expect(found.map(({ levels }) => levels)).toEqual(
      expect.arrayContaining([
        { warnings: 0, errors: batches * 20 },
        { warnings: batches * 20, errors: 0 }
      ])
    )
    expect((await patterns("&q=SESSION")).map(({ text }) => text)).toEqual(["session opened for user <*> by root"])
    expect(await patterns("&sort=new&limit=1")).toHaveLength(1)

    const failed = found.find(({ text }) => text.startsWith("request"))!
    const one = await ask<Pattern & { ids: ReadonlyArray<string>; samples: ReadonlyArray<StoredEvent> }>(
      door,
      "GET",
      `/v1/patterns/${failed.id}?project=ways`
    )
    expect(one.body.ids).toEqual([failed.id])
    expect(one.body.samples).toHaveLength(3)
    for (const { message, template } of one.body.samples) {
      expect(message).toMatch(/^request .* failed after \d+ ms$/u)
      expect(template).toBe(failed.id)
    }
    expect((await ask(door, "GET", "/v1/patterns/123?project=ways")).status).toBe(404)
    expect((await ask(door, "GET", "/v1/patterns?project=ways&from=never")).status).toBe(422)

    const sql = postgres(process.env["DATABASE_URL"]!, { max: 1, connection: { search_path: room.schema } })
    const unknown = await sql`
      select count(*)::int as lines from logs l where project = 'ways' and (template is null or not exists (
        select from templates t where t.project = l.project and t.id = l.template))`
    await sql.end()
    expect(unknown[0]).toEqual({ lines: 0 })
    await worker.stop()
  })

  it("are tidied by calculate_log_patterns", { timeout: 120_000 }, async () => {
    const worker = await startApp(room, { roles: "work" })
    const { body } = await ask<{ task_id: string }>(door, "POST", "/tasks/calculate_log_patterns", {
      projectId: "ways"
    })
    const done = await eventually(
      "the task to end",
      async () => {
        const { body: task } = await ask<{
          status: string
          result: { templates: number; top: ReadonlyArray<unknown> }
        }>(door, "GET", `/tasks/${body.task_id}`)
        return task.status === "SUCCESS" ? task.result : undefined
      },
      60_000
    )
    expect(done).toMatchObject({ templates: 3, forgotten: 0 })
    expect(done.top).toHaveLength(3)
    await worker.stop()
  })
})
