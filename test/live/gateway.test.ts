import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type App, ask, makeRoom, startApp } from "../support/app.ts"
import { type Message, openSocket } from "../support/socket.ts"

let app: App
beforeAll(async () => {
  app = await startApp(await makeRoom())
})
afterAll(async () => {
  await app.stop()
  await app.room.clear()
})

const about =
  (topic: string, type = "event") =>
  (message: Message) =>
    message.topic === topic && message.type === type
const text = (message: Message) => JSON.stringify(message.data ?? [])
const send = (lines: ReadonlyArray<string>, project = "default") =>
  ask(app, "POST", "/v1/logs", lines.join("\n"), { "x-loglytics-project": project })
const newProject = async (id: string) => {
  const { body } = await ask<{ apiKey: { secret: string } }>(app, "POST", "/v1/projects", { id, name: id })
  return body.apiKey.secret
}

describe("signing in", () => {
  it("takes the key of the upgrade or of a first message", async () => {
    const one = await openSocket(app, app.key)
    expect(await one.next("ready", ({ type }) => type === "ready")).toMatchObject({ projects: "*" })
    const two = await openSocket(app, undefined)
    two.send({ type: "auth", key: await newProject("signs-in") })
    expect(await two.next("ready", ({ type }) => type === "ready")).toMatchObject({ projects: ["signs-in"] })
    one.close()
    two.close()
  })

  it("refuses a wrong key and closes", async () => {
    const socket = await openSocket(app, "lg_wrong_key_0123456789")
    expect(await socket.next("an error", ({ type }) => type === "error")).toMatchObject({ code: "unauthorized" })
    expect(await socket.closed).toBe(4401)
  })

  it("tells nothing before, and says what it expected", async () => {
    const socket = await openSocket(app, undefined)
    socket.send({ type: "subscribe", topic: "tail" })
    expect(await socket.next("an error", ({ type }) => type === "error")).toMatchObject({ code: "unauthorized" })
    socket.send("{ not json")
    socket.send({ type: "subscribe", topic: "everything" })
    await socket.next("errors", () => socket.heard.filter(({ code }) => code === "invalid").length === 2)
    socket.close()
  })
})

describe("floods", () => {
  it("cuts off a client that says too much", async () => {
    const socket = await openSocket(app, app.key)
    await socket.next("ready", ({ type }) => type === "ready")
    for (let i = 0; i < 200; i++) socket.send({ type: "ping" })
    expect(await socket.closed).toBe(1008)
  })
})

describe("tail", () => {
  it("sends stored lines first, then new ones, filtered by the query", async () => {
    await newProject("tails")
    await send(["level=info msg=before"], "tails")
    const socket = await openSocket(app, app.key)
    socket.send({ type: "subscribe", topic: "tail", project: "tails" })
    await socket.next("the stored line", (m) => m.topic === "tail" && text(m).includes("before"))
    const errors = await openSocket(app, app.key)
    errors.send({ type: "subscribe", topic: "tail", project: "tails", query: "level:error" })
    expect(await errors.next("a snapshot", about("tail", "snapshot"))).toMatchObject({ data: [] })
    await send(["level=info msg=quiet", "level=error msg=loud"], "tails")
    const loud = await errors.next("the error", about("tail"))
    expect(loud.data).toMatchObject([{ level: "error", message: "loud", project: "tails" }])
    await socket.next("both lines", (m) => about("tail")(m) && text(m).includes("quiet"))
    expect(socket.heard.map(text).join("").split("before")).toHaveLength(2)
    socket.close()
    errors.close()
  })

  it("goes on after the last number seen", async () => {
    await newProject("resumes")
    const first = await openSocket(app, app.key, "?topics=tail&project=resumes")
    await first.next("a snapshot", about("tail", "snapshot"))
    await send(["one"], "resumes")
    const { seq } = await first.next("one", about("tail"))
    await send(["two"], "resumes")
    await first.next("two", (m) => about("tail")(m) && text(m).includes("two"))
    first.close()
    const again = await openSocket(app, app.key)
    again.send({ type: "subscribe", topic: "tail", project: "resumes", after: seq })
    const missed = await again.next("what was missed", about("tail"))
    expect(missed.data).toMatchObject([{ message: "two" }])
    expect(again.heard.some(about("tail", "snapshot"))).toBe(false)
    again.close()
  })

  it("says that lines may be missing where they are no longer kept, or were never published", async () => {
    await newProject("gaps")
    await send(["stored"], "gaps")
    const first = await openSocket(app, app.key, "?topics=tail&project=gaps")
    await first.next("the stored line", (m) => m.topic === "tail" && text(m).includes("stored"))
    first.close()
    const again = await openSocket(app, app.key)
    again.send({ type: "subscribe", topic: "tail", project: "gaps", after: "1-1" })
    expect(await again.next("a gap", about("tail", "gap"))).toMatchObject({ after: "1-1" })
    expect((await again.next("a snapshot", about("tail", "snapshot"))).data).toMatchObject([{ message: "stored" }])
    again.close()
    // Nobody has watched this one: what came after a number was not published, so it can't be told.
    await newProject("unwatched")
    await send(["unseen"], "unwatched")
    const other = await openSocket(app, app.key)
    other.send({ type: "subscribe", topic: "tail", project: "unwatched", after: `${Date.now() - 60_000}-0` })
    await other.next("a gap", about("tail", "gap"))
    await other.next("the line", (m) => m.topic === "tail" && text(m).includes("unseen"))
    other.close()
  })

  it("keeps projects apart", async () => {
    const key = await newProject("inside")
    await newProject("outside")
    const socket = await openSocket(app, key)
    socket.send({ type: "subscribe", topic: "tail", project: "outside" })
    expect(await socket.next("an error", ({ type }) => type === "error")).toMatchObject({ code: "forbidden" })
    socket.send({ type: "subscribe", topic: "jobs" })
    await socket.next("two errors", () => socket.heard.filter(({ code }) => code === "forbidden").length === 2)
    socket.send({ type: "subscribe", topic: "tail" })
    await socket.next("a snapshot", about("tail", "snapshot"))
    await send(["not for you"], "outside")
    await send(["for you"], "inside")
    await socket.next("its line", about("tail"))
    expect(JSON.stringify(socket.heard)).not.toContain("not for you")
    socket.close()
  })

  it("says where a query is wrong", async () => {
    const socket = await openSocket(app, app.key)
    socket.send({ type: "subscribe", topic: "tail", query: "level:loud" })
    expect((await socket.next("an error", ({ type }) => type === "error")).message).toMatch(/at 6: expected a level/u)
    socket.close()
  })
})

describe("alerts, notifications, jobs", () => {
  it("brings an alert and its notification to those who listen, and shows it to those who come later", async () => {
    await newProject("alerts")
    await ask(app, "POST", "/v1/rules?project=alerts", {
      name: "boom",
      type: "threshold",
      query: "boom",
      window: "1 minute",
      threshold: 2,
      for: "0 seconds"
    })
    const socket = await openSocket(app, app.key, "?topics=alerts,notifications,jobs&project=alerts")
    await socket.next("a snapshot", about("alerts", "snapshot"))
    await send(["boom 1", "quiet", "boom 2"], "alerts")
    const alert = await socket.next("the alert", about("alerts"))
    expect(alert.data).toMatchObject([{ ruleName: "boom", state: "firing", value: 2, samples: ["boom 1", "boom 2"] }])
    expect((await socket.next("the notification", about("notifications"))).data).toMatchObject([{ project: "alerts" }])
    await socket.next("the job", (m) => about("jobs")(m) && text(m).includes("send_alerts"))
    const later = await openSocket(app, app.key, "?topics=alerts&project=alerts")
    expect((await later.next("a snapshot", about("alerts", "snapshot"))).data).toMatchObject([{ ruleName: "boom" }])
    socket.close()
    later.close()
  })
})
