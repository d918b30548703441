/** Postgres or Redis goes away while lines come in: what was accepted is stored once, and alerts do not wait. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type App, ask, makeRoom, startApp } from "../support/app.ts"
import { eventually } from "../support/eventually.ts"
import { makeWire, type Wire } from "../support/proxy.ts"
import { openSocket } from "../support/socket.ts"

let app: App
let postgres: Wire
let redis: Wire
beforeAll(async () => {
  postgres = await makeWire(process.env["DATABASE_URL"] ?? "")
  redis = await makeWire(process.env["REDIS_URL"] ?? "")
  app = await startApp(await makeRoom(), { env: { DATABASE_URL: postgres.url, REDIS_URL: redis.url } })
})
afterAll(async () => {
  postgres.mend()
  redis.mend()
  await app.stop()
  postgres.close()
  redis.close()
  await app.room.clear()
})

const messages = async (project: string): Promise<ReadonlyArray<string>> => {
  const { body, status } = await ask<{ events: ReadonlyArray<{ message: string }> }>(
    app,
    "GET",
    `/v1/logs?limit=1000&project=${project}`
  )
  return status === 200 ? body.events.map(({ message }) => message) : []
}

/** Sends numbered lines one request each, and returns those that were accepted. */
const send = async (project: string, from: number, count: number): Promise<Array<string>> => {
  const accepted: Array<string> = []
  for (let i = from; i < from + count; i++) {
    const { status } = await ask(app, "POST", "/v1/logs", `line-${i}`, { "x-loglytics-project": project })
    if (status === 202) accepted.push(`line-${i}`)
    else expect([429, 503]).toContain(status)
  }
  return accepted
}

const allStored = (project: string, lines: ReadonlyArray<string>) =>
  eventually(
    `${lines.length} lines of ${project}`,
    async () => {
      const found = await messages(project)
      return found.length >= lines.length ? found.toSorted() : undefined
    },
    30_000
  )

describe("Postgres", () => {
  for (const [how, harm] of [
    ["is cut off", () => postgres.cut()],
    ["hangs", () => postgres.freeze()]
  ] as const) {
    it(
      `${how}: the door stays open, the alert comes at once, every line is stored once`,
      { timeout: 60_000 },
      async () => {
        const project = how.replaceAll(" ", "-")
        await ask(app, "POST", "/v1/projects", { id: project, name: project })
        await ask(app, "POST", `/v1/rules?project=${project}`, {
          name: "line",
          type: "threshold",
          query: "line",
          window: "1 hour",
          threshold: 15,
          for: "0 seconds"
        })
        const socket = await openSocket(app, app.key, `?topics=alerts&project=${project}`)
        await socket.next("a snapshot", ({ type }) => type === "snapshot")
        const lines = await send(project, 0, 10)
        await allStored(project, lines)
        harm()
        lines.push(...(await send(project, 10, 20)))
        expect(lines).toHaveLength(30)
        expect(
          (await socket.next("the alert", ({ topic, type }) => topic === "alerts" && type === "event")).data
        ).toMatchObject([{ state: "firing", value: 15 }])
        postgres.mend()
        expect(await allStored(project, lines)).toEqual(lines.toSorted())
        const { body } = await ask<ReadonlyArray<{ state: string }>>(app, "GET", `/v1/alerts?project=${project}`)
        expect(body).toMatchObject([{ state: "firing" }])
        socket.close()
      }
    )
  }
})

describe("Redis", () => {
  it(
    "is cut off: what was accepted is stored once, and work goes on when it is back",
    { timeout: 60_000 },
    async () => {
      await ask(app, "POST", "/v1/projects", { id: "redis", name: "redis" })
      const lines = await send("redis", 0, 10)
      redis.cut()
      lines.push(...(await send("redis", 10, 3)))
      redis.mend()
      await eventually("a line to be accepted", async () => {
        const more = await send("redis", 100, 1)
        lines.push(...more)
        return more.length > 0 ? true : undefined
      })
      lines.push(...(await send("redis", 200, 10)))
      const found = await allStored("redis", lines)
      // A line whose answer was lost on the way may be in, although its sender was told 503; no line may be in twice.
      expect(new Set(found).size).toBe(found.length)
      expect(found).toEqual(expect.arrayContaining(lines))
      const queued = await ask<{ task_id: string }>(app, "POST", "/tasks/health_check", {})
      await eventually("a job to end", async () => {
        const { body } = await ask<{ status: string }>(app, "GET", `/tasks/${queued.body.task_id}`)
        return body.status === "SUCCESS" ? true : undefined
      })
    }
  )
})
