/** A project's settings over HTTP: who may see and change them, what is refused, and that they apply to the lines that follow. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type App, ask, makeRoom, type Room, startApp } from "../support/app.ts"
import { eventually } from "../support/eventually.ts"

let room: Room
let app: App
let projectKey: string
beforeAll(async () => {
  room = await makeRoom()
  app = await startApp(room, { roles: "serve,work" })
  const made = await ask<{ apiKey: { secret: string } }>(app, "POST", "/v1/projects", { id: "shop", name: "Shop" })
  projectKey = made.body.apiKey.secret
}, 60_000)
afterAll(async () => {
  await app.stop()
  await room.clear()
})

interface Issue {
  readonly issues: ReadonlyArray<{ readonly path: string; readonly message: string }>
}

describe("GET and PATCH /v1/projects/{id}/settings", () => {
  it("begin with the defaults, and merge what is changed", async () => {
    const path = "/v1/projects/shop/settings"
    const start = await ask(app, "GET", path)
    expect(start).toMatchObject({
      status: 200,
      body: { retentionDays: 30, redaction: { builtIn: {}, custom: [] }, formats: [] }
    })
    await ask(app, "PATCH", path, { retentionDays: 7, redaction: { builtIn: { email: false } } })
    const after = await ask(app, "PATCH", path, { redaction: { builtIn: { iban: true } } })
    expect(after.body).toEqual({
      retentionDays: 7,
      redaction: { builtIn: { email: false, iban: true }, custom: [] },
      formats: []
    })
    expect((await ask(app, "GET", path)).body).toEqual(after.body)
    await ask(app, "PATCH", path, { retentionDays: 30, redaction: { builtIn: { email: true, iban: false } } })
  })

  it("let a project's key read its own and change nothing", async () => {
    const asProject = { url: app.url, key: projectKey }
    expect((await ask(asProject, "GET", "/v1/projects/shop/settings")).status).toBe(200)
    expect((await ask(asProject, "GET", "/v1/projects/default/settings")).status).toBe(403)
    expect((await ask(asProject, "PATCH", "/v1/projects/shop/settings", { retentionDays: 1 })).status).toBe(403)
    expect((await ask(app, "GET", "/v1/projects/nowhere/settings")).status).toBe(404)
  })

  it.each([
    [{ retentionDays: 0 }, "payload.retentionDays"],
    [{ retentionDays: 4_000 }, "payload.retentionDays"],
    [{ redaction: { builtIn: { nothing: true } } }, "payload.redaction.builtIn.nothing"],
    [{ redaction: { custom: [{ name: "a", pattern: "(", replacement: "" }] } }, "payload.redaction.custom.0"],
    [{ redaction: { custom: [{ name: "a", pattern: "a", replacement: "$2" }] } }, "payload.redaction.custom.0"],
    [{ redaction: { custom: [{ name: "A b", pattern: "a", replacement: "" }] } }, "payload.redaction.custom.0.name"],
    [{ formats: [{ name: "own", kind: "grok", pattern: "%{NOTHING:x}" }] }, "payload.formats.0"],
    [
      { redaction: { custom: [{ name: "a", pattern: "a".repeat(1_025), replacement: "" }] } },
      "payload.redaction.custom.0.pattern"
    ],
    [
      { redaction: { custom: Array.from({ length: 65 }, () => ({ name: "a", pattern: "a", replacement: "" })) } },
      "payload.redaction.custom"
    ]
  ])("refuse %o", async (change, path) => {
    const { body, status } = await ask<Issue>(app, "PATCH", "/v1/projects/shop/settings", change)
    expect(status).toBe(422)
    expect(body.issues.map((issue) => issue.path)).toContain(path)
    for (const { message } of body.issues) expect(message).not.toBe("")
  })

  it("apply to exactly the lines that follow", async () => {
    const send = (text: string) => ask(app, "POST", "/v1/logs", text, { "x-loglytics-project": "shop" })
    const patch = (change: unknown) => ask(app, "PATCH", "/v1/projects/shop/settings", change)
    const rule = { name: "patient", pattern: "patient-\\d+", replacement: "patient-…" }
    // From its first line on the pipeline has the project's settings at hand.
    await send("the first")
    const seen = async (count: number) => {
      const { body } = await ask<{ events: ReadonlyArray<{ message: string }> }>(
        app,
        "GET",
        "/v1/logs?project=shop&limit=100"
      )
      return body.events.length === count ? body.events.map(({ message }) => message) : undefined
    }
    await eventually("the first line to be stored", () => seen(1), 30_000)
    const rounds = 6
    for (let round = 0; round < rounds; round++) {
      expect((await send(`round ${round} of patient-1234 by bob@example.com`)).status).toBe(202)
      const custom = round % 2 === 0 ? [rule] : []
      expect((await patch({ redaction: { builtIn: { email: round % 2 === 1 }, custom } })).status).toBe(200)
    }
    const messages = await eventually("all rounds to be stored", () => seen(rounds + 1), 30_000)
    expect(messages.filter((message) => message !== "the first").toSorted()).toEqual(
      Array.from({ length: rounds }, (_, round) =>
        round % 2 === 0
          ? `round ${round} of patient-1234 by [email]@example.com`
          : `round ${round} of patient-… by bob@example.com`
      )
    )
  }, 60_000)
})

describe("POST /v1/redaction/preview", () => {
  it("says which rule masks what, and tries settings without keeping them", async () => {
    const line = '{"level":"error","msg":"login of bob@example.com","db":{"password":"hunter2!"},"id":"p-77"}'
    const asked = {
      lines: [line, "all is well"],
      settings: { redaction: { custom: [{ name: "ids", pattern: "p-(\\d)\\d+", replacement: "p-$1…" }] } }
    }
    const { body, status } = await ask<
      ReadonlyArray<{ line: string; hits: ReadonlyArray<{ rule: string; from: number; to: number }>; event: object }>
    >(app, "POST", "/v1/redaction/preview", asked)
    expect(status).toBe(200)
    expect(body[0]?.line).toBe(
      '{"level":"error","msg":"login of [email]@example.com","db":{"password":"[redacted]"},"id":"p-7…"}'
    )
    expect(body[0]?.hits.map(({ from, rule, to }) => [rule, line.slice(from, to)])).toEqual([
      ["email", "bob"],
      ["password", "hunter2!"],
      ["ids", "p-77"]
    ])
    expect(body[0]?.event).toMatchObject({
      level: "error",
      message: "login of [email]@example.com",
      attributes: { db: { password: "[redacted]" }, id: "p-7…" }
    })
    expect(body[1]).toMatchObject({ line: "all is well", hits: [] })
    expect((await ask(app, "GET", "/v1/projects/default/settings")).body).toMatchObject({ redaction: { custom: [] } })
  })

  it("lets a project's key look at its own settings' doing, and try no others", async () => {
    const asProject = { url: app.url, key: projectKey }
    const asked = { lines: ["password=hunter2!"] }
    const { body } = await ask<ReadonlyArray<{ line: string }>>(asProject, "POST", "/v1/redaction/preview", asked)
    expect(body[0]?.line).toBe("password=[redacted]")
    const tried = await ask(asProject, "POST", "/v1/redaction/preview", { ...asked, settings: {} })
    expect(tried.status).toBe(403)
  })

  it("reads by a format of the project's own", async () => {
    const formats = [{ name: "shop", kind: "regex", pattern: "^ORDER (?<order>\\d+) (?<level>\\w+) (?<message>.*)$" }]
    const asked = { lines: ["ORDER 17 ERROR refused bob@example.com"], settings: { formats } }
    const { body } = await ask<ReadonlyArray<{ event: object }>>(app, "POST", "/v1/redaction/preview", asked)
    expect(body[0]?.event).toMatchObject({
      level: "error",
      message: "refused [email]@example.com",
      attributes: { order: "17" }
    })
  })

  it("refuses what can't be used", async () => {
    const settings = { redaction: { custom: [{ name: "a", pattern: "[", replacement: "" }] } }
    const { body, status } = await ask<Issue>(app, "POST", "/v1/redaction/preview", { lines: ["x"], settings })
    expect(status).toBe(422)
    expect(body.issues[0]?.path).toBe("payload.settings.redaction.custom.0")
    expect((await ask(app, "POST", "/v1/redaction/preview", { lines: [] })).status).toBe(422)
  })
})
