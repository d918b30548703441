/** Figures over HTTP and to those who watch, from lines that were sent in. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type App, ask, makeRoom, startApp } from "../support/app.ts"
import { eventually } from "../support/eventually.ts"
import { type Message, openSocket } from "../support/socket.ts"

let app: App
const minute = 60_000
const hour = 60 * minute
const at = Math.floor((Date.now() - 5 * hour) / hour) * hour
const total = 400

const get = async <A>(path: string): Promise<A> => {
  const { body, status } = await ask<A>(app, "GET", path)
  expect({ status, body }).toMatchObject({ status: 200 })
  return body
}

beforeAll(async () => {
  app = await startApp(await makeRoom())
  await ask(app, "POST", "/v1/projects", { id: "shop", name: "Shop" })
  const lines = Array.from({ length: total }, (_, n) =>
    JSON.stringify({
      time: new Date(at + n * 30_000).toISOString(),
      level: n % 10 === 0 ? "error" : "info",
      service: n % 4 === 0 ? "web" : "api",
      message: `order ${n} took its time`,
      duration_ms: 10 + (n % 100),
      host: `host-${n % 2}`,
      route: "/orders"
    })
  )
  await ask(app, "POST", "/v1/logs", lines.join("\n"), { "x-loglytics-project": "shop" })
  await eventually(
    "all lines",
    async () => {
      const { body } = await ask<{ events: ReadonlyArray<unknown> }>(app, "GET", "/v1/logs?project=shop&limit=1000")
      return body.events.length === total ? true : undefined
    },
    60_000
  )
  await ask(app, "POST", "/tasks/update_project_analytics", { projectId: "shop" })
}, 120_000)
afterAll(async () => {
  await app.stop()
  await app.room.clear()
})

const range = `project=shop&from=${at}&to=${at + 4 * hour}`

describe("analytics", () => {
  it("answer with volumes at once, and with the rest once it is rolled up", async () => {
    interface Volume {
      stepMs: number
      points: ReadonlyArray<{ at: string; total: number; errorRate: number; byLevel: Record<string, number> }>
    }
    const volume = await get<Volume>(`/v1/analytics/volume?${range}&step=1h`)
    expect(volume.points.map((point) => point.total)).toEqual([120, 120, 120, 40])
    expect(volume.points[0]).toMatchObject({ at: new Date(at).toISOString(), errorRate: 0.1, byLevel: { error: 12 } })
    const fine = await get<Volume>(`/v1/analytics/volume?${range}&step=10m`)
    expect(fine.points.map((point) => point.total).slice(0, 3)).toEqual([20, 20, 20])
    await eventually(
      "roll-ups",
      async () => {
        const found = await get<{ rolledUpTo: string | null }>(`/v1/analytics/overview?${range}`)
        return found.rolledUpTo ?? undefined
      },
      60_000
    )
    const overview = await get(`/v1/analytics/overview?${range}`)
    expect(overview).toMatchObject({
      lines: total,
      before: 0,
      change: null,
      errorRate: 0.1,
      servicesTotal: 2,
      services: [
        { service: "api", lines: 300 },
        { service: "web", lines: 100 }
      ],
      latency: { count: total, max: 109 }
    })
    const services = await get<{ services: ReadonlyArray<{ points: ReadonlyArray<{ lines: number }> }> }>(
      `/v1/analytics/services?${range}&step=1h&limit=1`
    )
    expect(services.services[0]!.points.map(({ lines }) => lines)).toEqual([90, 90, 90, 30])
    const latency = await get<{ endpoints: ReadonlyArray<object>; points: ReadonlyArray<{ p50: number }> }>(
      `/v1/analytics/latency?${range}&service=api`
    )
    expect(latency.endpoints[0]).toMatchObject({ service: "api", endpoint: "/orders" })
    expect(Math.abs(latency.points[0]!.p50 - 49)).toBeLessThan(5)
    expect(await get(`/v1/analytics/hosts?${range}`)).toMatchObject({
      total: 2,
      hosts: [{ lines: 200 }, { lines: 200 }]
    })
    expect(await get(`/v1/analytics/templates?project=shop`)).toMatchObject({ new: { total: 0 } })
    // The hours before had a sixth as many.
    const causes = await get<{ lines: number; linesBefore: number; causes: ReadonlyArray<{ key: string }> }>(
      `/v1/analytics/causes?project=shop&from=${at + hour}&to=${at + 2 * hour}`
    )
    expect([causes.lines, causes.linesBefore]).toEqual([120, 120])
    expect(causes.causes.find(({ key }) => key === "api")).toMatchObject({
      kind: "service",
      change: "more",
      lines: 90,
      expected: 15
    })
    expect(await get(`/v1/insights?project=shop`)).toEqual([])
  }, 90_000)

  it.each([
    ["volume?project=shop&step=7x", "query.step"],
    ["services?project=shop&step=10m", "query.step"],
    [`volume?project=shop&from=0&to=${at}&step=1h`, "query.step"],
    [`hosts?project=shop&from=${at}&to=${at}`, "query.from"],
    [`causes?project=shop&from=0&to=${at}`, "query.from"]
  ])("refuse %s", async (path, field) => {
    const { body, status } = await ask(app, "GET", `/v1/analytics/${path}`)
    expect(status).toBe(422)
    expect(JSON.stringify(body)).toContain(field)
  })

  it("know no alert of another project", async () => {
    expect((await ask(app, "GET", "/v1/alerts/al_none/causes?project=shop")).status).toBe(404)
  })

  it("come to those who watch", async () => {
    const socket = await openSocket(app, app.key, "?topics=metrics&project=shop")
    const about = (type: string) => (message: Message) => message.topic === "metrics" && message.type === type
    await socket.next("a snapshot", about("snapshot"))
    const { data } = await socket.next("figures", about("event"))
    expect((data as ReadonlyArray<{ minutes: ReadonlyArray<unknown> }>)[0]!.minutes).toHaveLength(15)
    socket.close()
  }, 60_000)
})
