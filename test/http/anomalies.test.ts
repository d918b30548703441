/** GET /v1/anomalies: what a run of the task found, narrowed by kind and time; requests that are wrong are told why. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Anomaly } from "../../src/domain/Anomaly.ts"
import { type App, ask, makeRoom, startApp } from "../support/app.ts"
import { eventually } from "../support/eventually.ts"

let app: App
beforeAll(async () => {
  app = await startApp(await makeRoom())
  await ask(app, "POST", "/v1/projects", { id: "odd", name: "Odd" })
}, 120_000)
afterAll(async () => {
  await app.stop()
  await app.room.clear()
})

interface Answer {
  readonly from: string
  readonly to: string
  readonly anomalies: ReadonlyArray<Anomaly>
}

describe("anomalies over HTTP", () => {
  it("tells of an odd session after the task has run", { timeout: 120_000 }, async () => {
    const at = Date.now() - 3_600_000
    const said = ["request starts", "user is known", "page is drawn", "request ends"]
    const session = (n: number, lines: ReadonlyArray<string>) =>
      lines.map((message, i) =>
        JSON.stringify({ time: new Date(at + n * 1_000 + i).toISOString(), level: "info", message, visit: `v${n}` })
      )
    const usual = Array.from({ length: 250 }, (_, n) => session(n, said)).flat()
    const odd = session(250, ["request starts", "disk refuses to write", "request ends"])
    await ask(app, "POST", "/v1/logs", [...usual, ...odd].join("\n"), { "x-loglytics-project": "odd" })
    await eventually(
      "all lines",
      async () => {
        const { body } = await ask<{ events: ReadonlyArray<unknown> }>(app, "GET", "/v1/logs?project=odd&q=disk")
        return body.events.length === 1 ? true : undefined
      },
      60_000
    )
    const queued = await ask(app, "POST", "/tasks/detect_anomalies", { projectId: "odd", sessionBy: "visit" })
    expect(queued.status).toBe(202)
    const [found] = await eventually(
      "a finding",
      async () => {
        const { body } = await ask<Answer>(app, "GET", "/v1/anomalies?project=odd&kind=sequence")
        return body.anomalies.length > 0 ? body.anomalies : undefined
      },
      60_000
    )
    expect(found).toMatchObject({ project: "odd", kind: "sequence", query: 'visit:"v250"' })
    expect(found!.explanation).toContain("disk refuses to write")
    const { body } = await ask<Answer>(app, "GET", `/v1/anomalies?project=odd&to=${at - 1}`)
    expect(body.anomalies).toEqual([])
  })

  it("refuses a kind that there is none of, and times the wrong way round", async () => {
    expect((await ask(app, "GET", "/v1/anomalies?project=odd&kind=strange")).status).toBe(422)
    expect((await ask(app, "GET", "/v1/anomalies?project=odd&from=2000&to=1000")).status).toBe(422)
    expect((await ask(app, "GET", "/v1/anomalies?project=nobody")).status).toBe(404)
  })
})
