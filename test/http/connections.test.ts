/** poll_all_connections → poll_cloud_logs → pipeline, from a remote file over HTTP. */
import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, expect, it } from "vitest"
import { type App, ask, makeRoom, startApp } from "../support/app.ts"
import { eventually } from "../support/eventually.ts"

let app: App
let remote: Server
let content = ""
let broken = false
beforeAll(async () => {
  app = await startApp(await makeRoom())
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
})
afterAll(async () => {
  remote.close()
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
