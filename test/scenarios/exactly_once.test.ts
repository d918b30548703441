/** Whatever is killed when: each accepted line is stored once, and counted once by the rules. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
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

interface Stats {
  readonly lastHour: { readonly total: number; readonly byLevel: Readonly<Record<string, number>> }
}

describe("a worker that is killed amid a stream of lines", () => {
  it("loses none, stores none twice, and counts each once", { timeout: 60_000 }, async () => {
    const batches = 60
    const perBatch = 500
    const errors = batches * 5
    await ask(door, "POST", "/v1/projects", { id: "killed", name: "killed" })
    await ask(door, "POST", "/v1/rules?project=killed", {
      name: "exactly all",
      type: "threshold",
      query: "level:error",
      window: "1 hour",
      threshold: errors,
      for: "0 seconds"
    })
    await ask(door, "POST", "/v1/rules?project=killed", {
      name: "one too many",
      type: "threshold",
      query: "level:error",
      window: "1 hour",
      threshold: errors + 1,
      for: "0 seconds"
    })
    const lines = (batch: number) =>
      Array.from({ length: perBatch }, (_, i) => `level=${i < 5 ? "error" : "info"} msg=line-${batch}-${i}`).join("\n")
    const total = async (): Promise<number> =>
      (await ask<Stats>(door, "GET", "/v1/stats?project=killed")).body.lastHour.total

    let worker = await startApp(room, { roles: "work" })
    for (let batch = 0; batch < batches; batch++) {
      const { status } = await ask(door, "POST", "/v1/logs", lines(batch), { "x-loglytics-project": "killed" })
      expect(status).toBe(202)
      if (batch % 20 === 10) {
        await eventually("some lines to be stored", async () => ((await total()) > batch * 20 ? true : undefined))
        await worker.stop("SIGKILL")
        worker = await startApp(room, { roles: "work" })
      }
    }
    const sent = batches * perBatch
    const seen = await eventually(
      "all lines to be stored",
      async () => ((await total()) >= sent ? await total() : undefined),
      30_000
    )
    expect(seen).toBe(sent)
    const names = await eventually("an alert", async () => {
      const { body } = await ask<ReadonlyArray<{ ruleName: string; state: string; value: number }>>(
        door,
        "GET",
        "/v1/alerts?project=killed"
      )
      return body.length > 0 ? body : undefined
    })
    expect(names.map(({ ruleName, value }) => [ruleName, value])).toEqual([["exactly all", errors]])
    await worker.stop()
  })
})

describe("workers that come and go amid streams of lines", () => {
  it("share them, lose none and count each once", { timeout: 90_000 }, async () => {
    const projects = ["share-a", "share-b", "share-c", "share-d", "share-e", "share-f"]
    const [batches, perBatch] = [40, 100]
    for (const id of projects) {
      await ask(door, "POST", "/v1/projects", { id, name: id })
      for (const threshold of [batches * perBatch, batches * perBatch + 1]) {
        const rule = { name: `${threshold}`, type: "threshold", query: "level:error", window: "1 hour", threshold }
        await ask(door, "POST", `/v1/rules?project=${id}`, { ...rule, for: "0 seconds" })
      }
    }
    const total = async (id: string): Promise<number> =>
      (await ask<Stats>(door, "GET", `/v1/stats?project=${id}`)).body.lastHour.total
    const working = new Set([await startApp(room, { roles: "work" })])
    for (let batch = 0; batch < batches; batch++) {
      const lines = Array.from({ length: perBatch }, (_, i) => `level=error msg=line-${batch}-${i}`).join("\n")
      for (const id of projects) {
        expect((await ask(door, "POST", "/v1/logs", lines, { "x-loglytics-project": id })).status).toBe(202)
      }
      if (batch === 5 || batch === 25) working.add(await startApp(room, { roles: "work" }))
      if (batch === 15 || batch === 35) {
        const [first] = working
        working.delete(first!)
        await first!.stop(batch === 15 ? "SIGTERM" : "SIGKILL")
      }
    }
    const sent = batches * perBatch
    for (const id of projects) {
      await eventually(`all lines of ${id}`, async () => ((await total(id)) >= sent ? true : undefined), 40_000)
      expect(await total(id)).toBe(sent)
      const alerts = await eventually("an alert", async () => {
        const { body } = await ask<ReadonlyArray<{ ruleName: string }>>(door, "GET", `/v1/alerts?project=${id}`)
        return body.length > 0 ? body : undefined
      })
      expect(alerts.map(({ ruleName }) => ruleName)).toEqual([String(sent)])
    }
    for (const one of working) await one.stop()
  })
})

describe("a process that is asked to stop", () => {
  it("drains, exits with 0, and finds its data again", async () => {
    const first = await startApp(room)
    await ask(first, "POST", "/v1/projects", { id: "again", name: "again" })
    await ask(first, "POST", "/v1/logs", "still here", { "x-loglytics-project": "again" })
    expect(await first.stop("SIGTERM")).toBe(0)
    const second = await startApp(room)
    const events = await eventually("the line", async () => {
      const { body } = await ask<{ events: ReadonlyArray<{ message: string }> }>(
        second,
        "GET",
        "/v1/logs?project=again"
      )
      return body.events.length > 0 ? body.events : undefined
    })
    expect(events).toMatchObject([{ message: "still here" }])
    expect(await second.stop("SIGINT")).toBe(0)
  })
})
