/** Questions about real lines through the real application: what was sent is mined, found by meaning, counted and shown. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type App, ask, makeRoom, startApp } from "../support/app.ts"
import { type EmbeddingsServer, startEmbeddingsServer } from "../support/embeddings_server.ts"
import { eventually } from "../support/eventually.ts"

let app: App
let server: EmbeddingsServer
beforeAll(async () => {
  server = await startEmbeddingsServer()
  const env = { LOGLYTICS_EMBEDDINGS_URL: server.url, LOGLYTICS_EMBEDDINGS_MODEL: "small" }
  app = await startApp(await makeRoom(), { env })
}, 60_000)
afterAll(async () => {
  await app.stop()
  await app.room.clear()
  await server.stop()
})

interface Answer {
  readonly provider: string
  readonly degraded: boolean
  readonly reason: string | null
  readonly searched: number
  readonly templates: ReadonlyArray<{
    readonly id: string
    readonly text: string
    readonly score: number
    readonly why: ReadonlyArray<{ readonly asked: string; readonly found: string; readonly concept: string | null }>
    readonly count: number
    readonly samples: ReadonlyArray<string>
  }>
}

const path = "/v1/search/semantic"
const question = (body: unknown) => ask<Answer>(app, "POST", path, body)

const lines = [
  ...Array.from({ length: 5 }, (_, i) => `Failed password for user${i} from 10.0.0.${i} port 22`),
  ...Array.from({ length: 3 }, (_, i) => `ServerFileSystem domain storage${i} is full`),
  ...Array.from({ length: 4 }, (_, i) => `Task attempt_${i} completed in ${i * 7} ms`)
]

const found = (text: string, wanted: (answer: Answer) => boolean) =>
  eventually(
    `an answer to ${JSON.stringify(text)}`,
    async () => {
      const { body, status } = await question({ question: text, limit: 3 })
      return status === 200 && wanted(body) ? body : undefined
    },
    50_000
  )

describe("POST /v1/search/semantic", { timeout: 120_000 }, () => {
  it("finds patterns by meaning, with counts, reasons and lines; first offline, then with the provider's vectors", async () => {
    const sent = await ask(app, "POST", "/v1/logs", lines.join("\n"), { "content-type": "text/plain" })
    expect(sent.status).toBe(202)
    const first = await found("hard drive has no space left", (answer) => (answer.templates[0]?.count ?? 0) === 3)
    expect(first.templates[0]).toMatchObject({ count: 3 })
    expect(first.templates[0]?.text).toContain("full")
    expect(first.templates[0]?.samples).toHaveLength(3)
    expect(first.templates[0]?.samples[0]).toMatch(/^ServerFileSystem domain storage\d is full$/u)
    expect(first.templates[0]?.why.map(({ asked }) => asked)).toContain("no space left")
    const login = await found("someone could not sign in", (answer) => (answer.templates[0]?.count ?? 0) === 5)
    expect(login.templates[0]?.text).toContain("password")

    // The search has asked for the missing vectors by itself.
    const whole = await found("someone could not sign in", (answer) => !answer.degraded)
    expect(whole).toMatchObject({ provider: "small", reason: null })
    expect(whole.searched).toBeGreaterThanOrEqual(3)
    server.fate = "down"
    const degraded = await question({ question: "someone could not sign in" })
    expect(degraded.body).toMatchObject({ provider: "offline", degraded: true })
    expect(degraded.body.reason).toContain("503")
    expect(degraded.body.templates[0]?.text).toContain("password")
  })

  it("counts in the range only, and leaves out patterns that had no line in it", async () => {
    const hour = 3_600_000
    const now = Date.now()
    const recent = await question({
      question: "hard drive has no space left",
      from: new Date(now - 2 * hour).toISOString(),
      to: String(now + hour)
    })
    expect(recent.body.templates[0]?.count).toBe(3)
    const old = await question({ question: "hard drive has no space left", from: "0", to: String(now - 48 * hour) })
    expect(old).toMatchObject({ status: 200, body: { templates: [] } })
  })

  it.each([
    [{}, "payload.question"],
    [{ question: "   " }, "payload.question"],
    [{ question: "x".repeat(501) }, "payload.question"],
    [{ question: 7 }, "payload.question"],
    [{ question: "disk", limit: 0 }, "payload.limit"],
    [{ question: "disk", limit: 51 }, "payload.limit"],
    [{ question: "disk", from: "yesterday-ish" }, "payload.from"],
    [{ question: "disk", from: "200000000000", to: "100000000000" }, "payload.from"],
    [{ question: "disk", other: 1 }, "payload.other"]
  ])("refuses %j with the path of the fault", async (body, fault) => {
    const answer = await ask<{ issues: ReadonlyArray<{ path: string }> }>(app, "POST", path, body)
    expect(answer.status).toBe(422)
    expect(answer.body.issues.map((issue) => issue.path)).toContain(fault)
  })

  it("wants a key, and takes the strangest question", async () => {
    expect((await ask({ url: app.url, key: "lg_wrong_wrong_wrong" }, "POST", path, { question: "disk" })).status).toBe(
      401
    )
    for (const strange of [
      "'; drop table templates; --",
      "\u0000\ud800",
      "<*> [REDACTED]",
      "???",
      "日本語の質問",
      "NOT no not"
    ]) {
      expect((await question({ question: strange })).status).toBe(200)
    }
  })
})
