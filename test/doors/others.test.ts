/** Splunk's collector, Datadog's intake and GELF, by hand; and keys in every scheme. */
import { gzipSync } from "node:zlib"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type App, makeRoom, startApp } from "../support/app.ts"
import { newProject, stored } from "../support/doors.ts"

let app: App
beforeAll(async () => {
  app = await startApp(await makeRoom())
}, 60_000)
afterAll(async () => {
  await app.stop()
  await app.room.clear()
})

const post = async (path: string, headers: Record<string, string>, body: string | Uint8Array) => {
  const answer = await fetch(app.url + path, { method: "POST", headers, body: body as string })
  const text = await answer.text()
  return { status: answer.status, body: text === "" ? undefined : (JSON.parse(text) as unknown) }
}

describe("Splunk's collector", () => {
  it("takes events and raw lines, packed or not", async () => {
    const project = await newProject(app)
    const key = { authorization: `Splunk ${project.key}` }
    const at = Date.now() - 60_000
    const event = JSON.stringify({
      time: at / 1_000,
      host: "web1",
      sourcetype: "app",
      event: { level: "error", message: "payment failed" },
      fields: { "service.name": "shop" }
    })
    expect(await post("/services/collector/event", key, event)).toEqual({
      status: 200,
      body: { text: "Success", code: 0 }
    })
    const raw = gzipSync("level=warn msg=slow\nlevel=info msg=quick\n")
    expect(await post("/services/collector/raw?host=web2", { ...key, "content-encoding": "gzip" }, raw)).toMatchObject({
      body: { code: 0 }
    })
    const events = await stored(app, project, 3)
    expect(events[0]).toMatchObject({
      time: new Date(at).toISOString(),
      level: "error",
      service: "shop",
      message: "payment failed",
      attributes: { "host.name": "web1", sourcetype: "app" }
    })
    expect(
      events
        .slice(1)
        .map(({ level }) => level)
        .toSorted()
    ).toEqual(["info", "warn"])
  }, 60_000)

  it("answers with its own codes", async () => {
    expect(await post("/services/collector", {}, "{}")).toMatchObject({ status: 401, body: { code: 2 } })
    expect(await post("/services/collector", { authorization: "Splunk no" }, "{}")).toMatchObject({
      status: 403,
      body: { code: 4 }
    })
    const key = { authorization: `Splunk ${app.key}` }
    expect(await post("/services/collector", key, "")).toMatchObject({ status: 400, body: { code: 5 } })
    const health = await fetch(`${app.url}/services/collector/health`)
    expect([health.status, await health.json()]).toEqual([200, { text: "HEC is healthy", code: 17 }])
  })
})

describe("others", () => {
  it("takes Datadog's logs and GELF, with keys in every scheme", async () => {
    const project = await newProject(app)
    const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` })
    const logs = JSON.stringify([{ message: "paid", service: "shop", status: "warn", hostname: "h1" }])
    expect(await post("/api/v2/logs", { "dd-api-key": project.key }, logs)).toMatchObject({ status: 202 })
    const gelf = '{"version":"1.1","host":"h1","short_message":"hello","_user":7}'
    for (const headers of [
      { "x-api-key": project.key },
      basic(`any:${project.key}`),
      basic(`${project.key}:`),
      { authorization: `ApiKey ${Buffer.from(`id:${project.key}`).toString("base64")}` },
      { authorization: `bearer ${project.key}` }
    ]) {
      expect((await post("/gelf", headers as Record<string, string>, gelf)).status).toBe(202)
      expect((await post("/v1/logs", headers as Record<string, string>, "a line")).status).toBe(202)
    }
    const events = await stored(app, project, 11)
    expect(events.find(({ message }) => message === "paid")).toMatchObject({ level: "warn", service: "shop" })
    expect(events.filter(({ message }) => message === "hello")).toHaveLength(5)
    expect((await post("/gelf", {}, gelf)).status).toBe(401)
  }, 60_000)
})
