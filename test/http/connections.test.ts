/** poll_all_connections → poll_cloud_logs → pipeline, from a remote file over HTTP and from a cloud's API; connections by HTTP. */
import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, expect, it } from "vitest"
import { type App, ask, makeRoom, startApp } from "../support/app.ts"
import { startAws } from "../support/clouds/aws.ts"
import type { CloudServer } from "../support/clouds/Server.ts"
import { eventually } from "../support/eventually.ts"

let app: App
let remote: Server
let content = ""
let broken = false
let cloud: CloudServer
const env = { LOGLYTICS_ALLOW_PRIVATE_URLS: "true" }
beforeAll(async () => {
  app = await startApp(await makeRoom(), { env })
  remote = createServer((request, response) => {
    if (broken) return void response.writeHead(500).end()
    const from = Number(/^bytes=(\d+)-/u.exec(request.headers.range ?? "")?.[1] ?? 0)
    const bytes = Buffer.from(content)
    if (from >= bytes.length) return void response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end()
    response
      .writeHead(206, { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` })
      .end(bytes.subarray(from))
  }).listen(0, "127.0.0.1")
  await once(remote, "listening")
  cloud = await startAws()
})
afterAll(async () => {
  remote.close()
  await cloud.stop()
  await app.stop()
  await app.room.clear()
})

const messages = async (): Promise<ReadonlyArray<string>> =>
  (await ask<{ events: ReadonlyArray<{ message: string }> }>(app, "GET", "/v1/logs?limit=1000")).body.events.map(
    ({ message }) => message
  )
const poll = async (): Promise<void> => {
  const { body } = await ask<{ task_id: string }>(app, "POST", "/tasks/poll_all_connections", {})
  await eventually("the poll to end", async () => {
    const { body: task } = await ask<{ status: string }>(app, "GET", `/tasks/${body.task_id}`)
    return task.status === "SUCCESS" ? true : undefined
  })
}

it("fetches what is new, once, says what went wrong, and stops when told to", async () => {
  const url = `http://127.0.0.1:${(remote.address() as AddressInfo).port}/app.log`
  const wrong = await ask<{ issues: ReadonlyArray<{ path: string }> }>(app, "POST", "/v1/connections", {
    name: "x",
    kind: "http_pull",
    config: { url: "ftp://x" }
  })
  expect([wrong.status, wrong.body.issues[0]?.path]).toEqual([422, "payload.config.url"])
  const secret = "hunter2-of-the-cloud"
  const repeated = await ask(app, "POST", "/v1/connections", {
    name: "x",
    kind: "cloudwatch",
    config: { region: "eu-west-1", log_group: ["x".repeat(10_000)] },
    secrets: { secret_access_key: [secret], access_key_id: { value: secret } },
    secret: { secret_access_key: secret }
  })
  expect([repeated.status, JSON.stringify(repeated.body).includes(secret)]).toEqual([422, false])
  expect(JSON.stringify(repeated.body).length).toBeLessThan(1_000)
  content = "line 1\nline 2\nhalf a li"
  const made = await ask<{ id: string }>(app, "POST", "/v1/connections", {
    name: "app",
    kind: "http_pull",
    config: { url }
  })
  expect(made.status).toBe(201)
  await poll()
  await eventually("two lines", async () => ((await messages()).length === 2 ? true : undefined))
  content += "ne\nline 4\n"
  await poll()
  await poll()
  await eventually("four lines", async () => ((await messages()).length === 4 ? true : undefined))
  expect((await messages()).toSorted()).toEqual(["half a line", "line 1", "line 2", "line 4"])

  broken = true
  await poll()
  await eventually("the error", async () => {
    const { body } = await ask<ReadonlyArray<{ lastError: string | null }>>(app, "GET", "/v1/connections")
    return body[0]?.lastError ?? undefined
  })
  expect((await ask(app, "DELETE", `/v1/connections/${made.body.id}`)).status).toBe(204)
})

interface Shown {
  readonly id: string
  readonly state: string
  readonly secretNames: ReadonlyArray<string>
  readonly lastError: string | null
  readonly failures: number
  readonly lines: number
  readonly lagMs: number | null
}
const secret = "very-secret-key-of-somebody"
const secrets = { access_key_id: "AKIASECRETID", secret_access_key: secret }
const placed = () => ({ endpoint: cloud.url, region: "eu-west-1", log_group: "/aws/lambda/checkout", history_hours: 1 })
const append = (from: number, count: number): void => {
  const now = Date.now()
  for (let n = from; n < from + count; n++) {
    cloud.model.append({ id: `e${n}`, time: now, ingested: now, visible: now, message: `cloud ${n}` })
  }
  cloud.now = now + 60_000
}
/** Of all pages. */
const everyMessage = async (): Promise<ReadonlyArray<string>> => {
  const all: Array<string> = []
  let cursor = ""
  do {
    const { body } = await ask<{ events: ReadonlyArray<{ message: string }>; next: string | null }>(
      app,
      "GET",
      `/v1/logs?limit=500${cursor}`
    )
    all.push(...body.events.map(({ message }) => message))
    cursor = body.next === null ? "" : `&cursor=${encodeURIComponent(body.next)}`
  } while (cursor !== "")
  return all
}
const cloudMessages = async () => (await messages()).filter((message) => message.startsWith("cloud "))
const one = async (id: string): Promise<Shown> => (await ask<Shown>(app, "GET", `/v1/connections/${id}`)).body

it("tries a place before and after it is saved, and never tells credentials", { timeout: 60_000 }, async () => {
  const tried = await ask(app, "POST", "/v1/connections/test", { kind: "cloudwatch", config: placed(), secrets })
  expect([tried.status, tried.body]).toMatchObject([200, { ok: true, fault: null }])
  cloud.failing.push("denied")
  const refused = await ask(app, "POST", "/v1/connections/test", { kind: "cloudwatch", config: placed(), secrets })
  expect(refused.body).toMatchObject({ ok: false, fault: "denied" })
  const wrong = await ask<{ issues: ReadonlyArray<{ path: string }> }>(app, "POST", "/v1/connections", {
    name: "x",
    kind: "cloudwatch",
    config: { ...placed(), region: 5 },
    secrets: { access_key_id: secret }
  })
  expect([wrong.status, wrong.body.issues.map(({ path }) => path)]).toEqual([
    422,
    ["payload.config.region", "payload.secrets"]
  ])
  const made = await ask<Shown>(app, "POST", "/v1/connections", {
    name: "aws",
    kind: "cloudwatch",
    config: placed(),
    secrets
  })
  expect(made.status).toBe(201)
  expect(made.body.secretNames).toEqual(["access_key_id", "secret_access_key"])
  const path = `/v1/connections/${made.body.id}`
  cloud.failing.push("denied")
  const again = await ask(app, "POST", `${path}/test`)
  expect(again.body).toMatchObject({ ok: false, fault: "denied" })

  cloud.failing.push("denied", "denied")
  await poll()
  const failing = await eventually("a failing state", async () => {
    const shown = await one(made.body.id)
    return shown.state === "failing" ? shown : undefined
  })
  expect(failing).toMatchObject({ failures: 1 })
  expect(failing.lastError).toMatch(/UnrecognizedClientException/u)
  const changed = await ask<Shown>(app, "PATCH", path, { name: "new name", secrets })
  expect(changed.body).toMatchObject({ name: "new name" })
  cloud.failing.length = 0
  append(0, 30)
  await poll()
  await eventually("the lines", async () => ((await cloudMessages()).length === 30 ? true : undefined), 30_000)
  const well = await eventually("a good state", async () => {
    const shown = await one(made.body.id)
    return shown.state === "ok" ? shown : undefined
  })
  expect([well.lines, well.lastError, (well.lagMs ?? -1) >= 0]).toEqual([30, null, true])

  expect((await ask(app, "POST", `${path}/pause`)).body).toMatchObject({ state: "paused", active: false })
  expect((await ask(app, "POST", `${path}/resume`)).body).toMatchObject({ state: "ok", active: true })
  expect((await ask(app, "DELETE", path)).status).toBe(204)
  expect((await ask(app, "GET", path)).status).toBe(404)
  const told = [tried, refused, wrong, made, again, failing, changed, well]
    .map((answer) => JSON.stringify(answer))
    .join()
  expect(`${told}${app.output()}`).not.toMatch(new RegExp(`${secret}|AKIASECRETID`, "u"))
})

it("loses and doubles nothing when it is killed while it polls", { timeout: 180_000 }, async () => {
  const before = (await cloudMessages()).length
  let count = 1_000
  append(count, 500)
  const made = await ask<Shown>(app, "POST", "/v1/connections", {
    name: "k",
    kind: "cloudwatch",
    config: placed(),
    secrets
  })
  expect(made.status).toBe(201)
  for (let kill = 0; kill < 2; kill++) {
    count += 500
    append(count, 500)
    const asked = cloud.requests.length
    await ask(app, "POST", "/tasks/poll_all_connections", {})
    await eventually("a request", () => (cloud.requests.length > asked ? true : undefined), 30_000)
    await app.stop("SIGKILL")
    app = await startApp(app.room, { env })
  }
  const expected = cloud.model.stored.length - 30
  const done = async () => {
    await ask(app, "POST", "/tasks/poll_all_connections", {})
    return (await one(made.body.id)).lines >= expected ? true : undefined
  }
  await eventually("all lines", done, 90_000)
  expect(before).toBe(30)
  const wanted = cloud.model.stored
    .map(({ message }) => message)
    .filter((message) => message.length > "cloud 29".length)
  const found = await eventually(
    "all lines in the store",
    async () => {
      const all = (await everyMessage()).filter((message) => /^cloud \d{4}$/u.test(message))
      return all.length >= wanted.length ? all : undefined
    },
    60_000
  )
  expect(found.toSorted()).toEqual(wanted.toSorted())
})
