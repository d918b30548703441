/** Rules over HTTP: tried on stored lines, as a file, and how they stand. */
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

const plain = { "content-type": "text/plain" }
const yaml = { "content-type": "application/yaml" }
const errors = { name: "errors", type: "threshold", query: "level:error boom", window: "1 minute", threshold: 2 }

interface Trial {
  readonly summary: string
  readonly fired: number
  readonly lines: number
  readonly complete: boolean
  readonly alerts: ReadonlyArray<{ readonly firedAt: string; readonly resolvedAt: string | null }>
}

describe("a rule that is tried", () => {
  it("says when it would have fired, and keeps nothing", { timeout: 60_000 }, async () => {
    const now = Date.now()
    const at = (minutes: number) => new Date(now - minutes * 60_000).toISOString()
    const lines = [50, 50, 40, 30, 30, 20]
      .map((minutes) => `time=${at(minutes)} level=error msg="boom of ${minutes}"`)
      .join("\n")
    await ask(reader, "POST", "/v1/logs", lines, plain)
    const trial = await eventually("the lines to be there", async () => {
      const { body } = await ask<Trial>(reader, "POST", "/v1/rules/try", { rule: errors, from: at(60), to: at(0) })
      return body.lines === 6 ? body : undefined
    })
    expect(trial).toMatchObject({ fired: 2, complete: true, summary: `would have fired 2 ×: ${at(50)}, ${at(30)}` })
    expect(trial.alerts.map(({ firedAt }) => firedAt)).toEqual([at(50), at(30)])
    const part = await ask<Trial>(reader, "POST", "/v1/rules/try", { rule: errors, from: at(45), to: at(35) })
    expect(part.body).toMatchObject({ fired: 0, lines: 1, summary: "would not have fired" })
    expect((await ask(reader, "GET", "/v1/rules")).body).toEqual([])
    expect((await ask(reader, "GET", "/v1/alerts")).body).toEqual([])
    // Another project has none of these lines.
    const other = await ask<Trial>(app, "POST", "/v1/rules/try", { rule: errors, from: at(60) })
    expect(other.body).toMatchObject({ fired: 0, lines: 0 })
  })
  it.each([
    [{ rule: { ...errors, window: "1 fortnight" } }, "payload.rule.window"],
    [{ rule: errors, from: "yesterday" }, "payload.from"],
    [{ rule: errors, from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z" }, "payload.from"],
    [{ rule: errors, from: "2020-01-02T00:00:00Z" }, "payload.from"]
  ])("is refused with the place of its fault: %j", async (body, path) => {
    const { body: said, status } = await ask<{ issues: ReadonlyArray<{ path: string }> }>(
      reader,
      "POST",
      "/v1/rules/try",
      body
    )
    expect([status, said.issues[0]?.path]).toEqual([422, path])
  })
})

interface Done {
  readonly created: ReadonlyArray<string>
  readonly changed: ReadonlyArray<string>
  readonly unchanged: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
}
const load = async (text: string, params = "") =>
  (await ask<Done>(reader, "POST", `/v1/rules/import${params}`, text, yaml)).body

describe("rules as a file", () => {
  const file = `
rules:
  - name: fires
    type: threshold
    query: faultx
    window: 1 hour
    threshold: 1
    labels: { team: core }
  - name: backup is silent
    type: absence
    query: service:backup
    window: 1 hour
    enabled: false
`
  it("are made, changed and removed by it; what stays the same goes on", { timeout: 60_000 }, async () => {
    const two = ["fires", "backup is silent"]
    expect(await load(file, "?dryRun=true")).toMatchObject({ dryRun: true, created: two })
    expect((await ask(reader, "GET", "/v1/rules")).body).toEqual([])
    expect(await load(file)).toMatchObject({ created: two, changed: [], unchanged: [], removed: [] })
    await ask(reader, "POST", "/v1/logs", "level=error msg=faultx", plain)
    const list = async () =>
      (
        await ask<ReadonlyArray<{ id: string; state: string; incidentId: string | null }>>(
          reader,
          "GET",
          "/v1/alerts?rule=fires"
        )
      ).body
    const [alert] = await eventually("the alert", async () => {
      const found = await list()
      return typeof found[0]?.incidentId === "string" ? found : undefined
    })
    const stands = async () => {
      const { body } = await ask<ReadonlyArray<{ name: string; state: string }>>(reader, "GET", "/v1/rules/status")
      return body.map(({ name, state }) => `${name} ${state}`).toSorted()
    }
    const stand = await eventually("the state to be committed", async () => {
      const found = await stands()
      return found.includes("fires firing") ? found : undefined
    })
    expect(stand).toEqual(["backup is silent off", "fires firing"])

    const written = await ask<string>(reader, "GET", "/v1/rules/export")
    expect(written.headers.get("content-type")).toContain("yaml")
    expect(await load(written.body, "?prune=true")).toMatchObject({
      unchanged: two.toSorted(),
      changed: [],
      removed: []
    })
    expect((await list())[0]).toMatchObject({ id: alert!.id, state: "firing" })

    // A label changes nothing of what is judged; another threshold does.
    expect(await load(file.replace("core", "shop"))).toMatchObject({
      changed: ["fires"],
      unchanged: ["backup is silent"]
    })
    expect((await list())[0]).toMatchObject({ id: alert!.id, state: "firing" })
    expect((await load("rules: []", "?prune=true")).removed.toSorted()).toEqual(two.toSorted())
    expect((await list())[0]).toMatchObject({ id: alert!.id, state: "resolved" })
    // Its end is told at once, not when the safety net finds it.
    await eventually(
      "the end to be told",
      async () => {
        const { body } = await ask<ReadonlyArray<{ title: string }>>(reader, "GET", "/v1/notifications")
        return body.some(({ title }) => title.startsWith("Resolved")) ? true : undefined
      },
      20_000
    )
  })
  it("does nothing where anything is wrong with it", async () => {
    const wrong = file.replace("1 hour", "1 fortnight")
    const { body, status } = await ask<{ message: string }>(reader, "POST", "/v1/rules/import", wrong, yaml)
    expect([status, body.message]).toEqual([422, expect.stringMatching(/^payload\.rules\.0\.window: .*\("fires"\)/u)])
    await ask(reader, "POST", "/v1/rules", errors)
    await ask(reader, "POST", "/v1/rules", errors)
    const twice = JSON.stringify({
      rules: [
        { ...errors, threshold: 3 },
        { ...errors, name: "new" }
      ]
    })
    const again = await ask<{ message: string }>(reader, "POST", "/v1/rules/import", twice, yaml)
    expect([again.status, again.body.message]).toEqual([422, expect.stringContaining('"errors" twice')])
    expect((await ask<ReadonlyArray<unknown>>(reader, "GET", "/v1/rules")).body).toHaveLength(2)
  })
})
