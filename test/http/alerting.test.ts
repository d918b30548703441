/** Alerts over HTTP: their story, who took them on, and who is told of them: routes, silences, inhibitions, preview. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type App, ask, makeRoom, type Room, startApp } from "../support/app.ts"
import { eventually } from "../support/eventually.ts"

let room: Room
let app: App
let reader: { readonly url: string; readonly key: string }
beforeAll(async () => {
  room = await makeRoom()
  app = await startApp(room, { roles: "serve,work" })
  const made = await ask<{ apiKey: { secret: string } }>(app, "POST", "/v1/projects", { id: "shop", name: "Shop" })
  reader = { url: app.url, key: made.body.apiKey.secret }
}, 60_000)
afterAll(async () => {
  await app.stop()
  await room.clear()
})

interface Listed {
  readonly id: string
  readonly ruleName: string
  readonly state: string
  readonly silencedBy: string | null
  readonly incidentId: string | null
}

const list = async (params: string): Promise<ReadonlyArray<Listed>> =>
  (await ask<ReadonlyArray<Listed>>(reader, "GET", `/v1/alerts?${params}`)).body

/** A rule and the line that fires it; the alert once it has been looked at. */
const fire = async (name: string): Promise<Listed> => {
  const rule = { name, type: "threshold", query: `"${name}"`, window: "1 hour", threshold: 1, for: "0 seconds" }
  expect((await ask(reader, "POST", "/v1/rules", rule)).status).toBe(201)
  await ask(reader, "POST", "/v1/logs", `level=error msg="${name} broke"`, { "content-type": "text/plain" })
  return eventually(
    `an alert of ${name}`,
    async () => (await list(`rule=${name}`)).find(({ incidentId }) => incidentId !== null),
    30_000
  )
}

interface Story {
  readonly timeline: ReadonlyArray<{ readonly what: string; readonly by: string | null }>
  readonly comments: ReadonlyArray<{ readonly text: string; readonly by: string }>
  readonly decision: string | null
  readonly incidents: ReadonlyArray<{ readonly id: string; readonly state: string }>
  readonly deliveries: ReadonlyArray<{ readonly title: string; readonly status: string }>
}
const storyOf = async (id: string): Promise<Story> => (await ask<Story>(reader, "GET", `/v1/alerts/${id}`)).body

describe("one alert", () => {
  it(
    "tells its story: fired, told, taken on, assigned, commented; in the name of the key",
    { timeout: 60_000 },
    async () => {
      const { id, incidentId } = await fire("fault1x")
      const told = await eventually("the message to be sent", async () => {
        const story = await storyOf(id)
        return story.deliveries.some(({ status }) => status === "sent") ? story : undefined
      })
      expect(told).toMatchObject({
        decision: "told as firing by in_app",
        incidents: [{ id: incidentId, state: "firing" }],
        deliveries: [{ title: "Firing: fault1x" }]
      })
      const acked = await ask(reader, "POST", `/v1/alerts/${id}/acknowledge`, { note: "on it" })
      expect(acked).toMatchObject({ status: 200, body: { acknowledged: { note: "on it" } } })
      expect((await ask(reader, "POST", `/v1/alerts/${id}/assign`, { assignee: "ada" })).status).toBe(200)
      const comment = await ask(reader, "POST", `/v1/alerts/${id}/comments`, { text: "disk is full" })
      expect(comment).toMatchObject({ status: 201, body: { text: "disk is full" } })
      const story = await eventually("the acknowledgement to be told", async () => {
        const now = await storyOf(id)
        return now.deliveries.some(({ title }) => title === "Acknowledged: fault1x") ? now : undefined
      })
      const whats = story.timeline.map(({ what }) => what)
      expect(whats.filter((what) => what !== "routed").slice(0, 3)).toEqual(["firing", "told", "acknowledged"])
      expect(whats).toContain("assigned")
      expect(story.comments).toMatchObject([{ text: "disk is full" }])
      expect((await list("acked=true")).map((one) => one.id)).toEqual([id])
      expect(await list("acked=false")).toEqual([])
      expect((await list(`incident=${incidentId}&severity=warning&state=firing`)).length).toBe(1)
      expect(await list("to=2020-01-01T00:00:00Z")).toEqual([])
      expect((await ask(reader, "POST", `/v1/alerts/${id}/unacknowledge`)).body).toMatchObject({ acknowledged: null })
      const incident = await ask(reader, "GET", `/v1/incidents/${incidentId}`)
      expect(incident.body).toMatchObject({ incident: { state: "firing" }, alerts: [{ id, assignee: "ada" }] })
      const all = await ask(reader, "POST", `/v1/incidents/${incidentId}/acknowledge`, {})
      expect(all.body).toMatchObject([{ id }])
      // Another project knows nothing of it.
      expect((await ask(app, "GET", `/v1/alerts/${id}?project=default`)).status).toBe(404)
      expect((await ask(reader, "GET", "/v1/alerts/none")).status).toBe(404)
    }
  )

  it("is held back by a silence and told when that ends", { timeout: 60_000 }, async () => {
    const endsAt = new Date(Date.now() + 3_600_000).toISOString()
    const spec = { matchers: ["rule=fault2x"], endsAt, comment: "upgrade" }
    const made = await ask<{ id: string; active: boolean }>(reader, "POST", "/v1/silences", spec)
    expect(made).toMatchObject({ status: 201, body: { active: true, next: { to: endsAt } } })
    const { id, silencedBy } = await fire("fault2x")
    expect(silencedBy).toBe(made.body.id)
    const before = await storyOf(id)
    expect(before.decision).toContain("upgrade")
    expect(before.deliveries).toEqual([])
    const preview = await ask(reader, "POST", "/v1/alerting/preview", { rule: "fault2x", severity: "critical" })
    expect(preview.body).toMatchObject({
      silence: { id: made.body.id },
      routes: [{ id: "default", channels: ["in_app"] }]
    })
    expect((await ask(reader, "DELETE", `/v1/silences/${made.body.id}`)).status).toBe(204)
    await eventually("the message", async () => ((await storyOf(id)).deliveries.length > 0 ? true : undefined))
    expect((await ask(reader, "GET", "/v1/silences")).body).toEqual([])
    expect((await ask(reader, "GET", "/v1/silences?over=true")).body).toMatchObject([{ active: false, next: null }])
  })
})

describe("routes, silences and inhibitions", () => {
  it("are made, moved, changed and removed by a key of the project", async () => {
    const route = { name: "pager", match: ['severity="critical"'], channels: ["in_app"], groupBy: ["team"] }
    const first = await ask<{ id: string }>(reader, "POST", "/v1/routes", route)
    const second = await ask<{ id: string }>(reader, "POST", "/v1/routes", { ...route, name: "b", position: 0 })
    expect([first.status, second.status]).toEqual([201, 201])
    const names = async () =>
      (await ask<ReadonlyArray<{ name: string }>>(reader, "GET", "/v1/routes")).body.map(({ name }) => name)
    expect(await names()).toEqual(["b", "pager"])
    await ask(reader, "PUT", `/v1/routes/${second.body.id}`, { ...route, name: "c", position: 9 })
    expect(await names()).toEqual(["pager", "c"])
    expect((await ask(reader, "DELETE", `/v1/routes/${second.body.id}`)).status).toBe(204)
    const preview = await ask(reader, "POST", "/v1/alerting/preview", { severity: "critical", labels: { team: "db" } })
    expect(preview.body).toMatchObject({ routes: [{ name: "pager", group: { team: "db" }, groupWaitMs: 0 }] })
    await ask(reader, "DELETE", `/v1/routes/${first.body.id}`)
    const inhibition = { name: "down", source: ["rule=down"], target: ["severity=warning"], equal: ["site"] }
    const made = await ask<{ id: string }>(reader, "POST", "/v1/inhibitions", inhibition)
    expect(made.status).toBe(201)
    const changed = await ask(reader, "PUT", `/v1/inhibitions/${made.body.id}`, { ...inhibition, name: "off" })
    expect(changed.body).toMatchObject({ name: "off" })
    expect((await ask(reader, "DELETE", `/v1/inhibitions/${made.body.id}`)).status).toBe(204)
  })

  it("name channels of their own project only, also when they are changed", async () => {
    const foreign = await ask<{ id: string }>(app, "POST", "/v1/channels?project=default", {
      name: "hook",
      kind: "webhook",
      settings: { url: "https://a.example/hook" }
    })
    expect(foreign.status).toBe(201)
    const route = { name: "mine", match: ["team=nobody"], channels: ["in_app"] }
    const made = await ask<{ id: string }>(reader, "POST", "/v1/routes", route)
    const changed = await ask(reader, "PUT", `/v1/routes/${made.body.id}`, { ...route, channels: [foreign.body.id] })
    expect(changed.status).toBe(422)
    expect((await ask(reader, "DELETE", `/v1/routes/${made.body.id}`)).status).toBe(204)
  })

  it.each([
    ["/v1/silences", { matchers: [], endsAt: "2030-01-01T00:00:00Z", comment: "" }, "payload.matchers"],
    ["/v1/silences", { matchers: ["a=b"], comment: "" }, "payload.endsAt"],
    ["/v1/silences", { matchers: ["a=~("], endsAt: "2030-01-01T00:00:00Z", comment: "" }, "payload.matchers.0"],
    [
      "/v1/silences",
      { matchers: ["a=b"], comment: "", recurring: { zone: "Mars/Base", days: [], from: "22:00", to: "06:00" } },
      "payload.recurring.zone"
    ],
    ["/v1/routes", { name: "x", match: ["nothing"], channels: "all" }, "payload.match.0"],
    ["/v1/routes", { name: "x", match: [], channels: "all", groupWait: "soon" }, "payload.groupWait"],
    ["/v1/routes", { name: "x", match: [], channels: ["in_app", "ch_nowhere"] }, "payload.channels.1"],
    [
      "/v1/routes",
      { name: "x", match: [], channels: "all", escalate: [{ after: "1 minute", channels: ["ch_pager"] }] },
      "payload.escalate.0.channels.0"
    ]
  ])("%s refuses %j with the path of the fault", async (path, body, fault) => {
    const answer = await ask<{ issues: ReadonlyArray<{ path: string }> }>(reader, "POST", path, body)
    expect(answer.status).toBe(422)
    expect(answer.body.issues.map((issue) => issue.path)).toContain(fault)
  })
})
