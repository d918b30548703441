/** Channels, previews and push subscriptions as people meet them: over HTTP and at a terminal. */
import { execFile } from "node:child_process"
import { resolve } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, expect, it } from "vitest"
import { channelKinds } from "../../src/domain/Channel.ts"
import { type App, ask, makeRoom, startApp } from "../support/app.ts"
import { type Fake, startFake } from "../support/services/Fake.ts"
import { type FakePush, startPush } from "../support/services/push.ts"

let app: App
let hook: Fake
let service: FakePush
beforeAll(async () => {
  const env = { LOGLYTICS_ALLOW_PRIVATE_URLS: "true", LOGLYTICS_PUBLIC_URL: "https://logs.example.com/" }
  app = await startApp(await makeRoom(), { env })
  hook = await startFake(() => ({ status: 200 }))
  service = await startPush()
}, 60_000)
afterAll(async () => {
  await hook.close()
  await service.close()
  await app.stop()
  await app.room.clear()
})

const signingSecret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`
interface Fault {
  readonly message: string
  readonly issues: ReadonlyArray<{ readonly path: string; readonly message: string }>
}
const cli = (...args: ReadonlyArray<string>) =>
  promisify(execFile)(process.execPath, ["--no-warnings", resolve("src/cli/main.ts"), ...args], {
    env: { ...process.env, NODE_OPTIONS: "", LOGLYTICS_URL: app.url, LOGLYTICS_API_KEY: app.key }
  })

it("makes a webhook, refuses what it can't be, and tests it", async () => {
  const wrong = async (fields: object) => {
    const base = { name: "hook", kind: "webhook", settings: { url: hook.url } }
    const { body, status } = await ask<Fault>(app, "POST", "/v1/channels", { ...base, ...fields })
    return [status, body.issues[0]?.path, body.message] as const
  }
  expect(await wrong({ settings: { url: "gopher://x" } })).toEqual([
    422,
    "payload.settings",
    expect.stringContaining("url: expected an https:// or http:// URL")
  ])
  expect((await wrong({ settings: { url: hook.url, colour: 1 } }))[2]).toContain("colour")
  expect((await wrong({ settings: { url: hook.url, template: { text: "{{nope}}" } } }))[2]).toContain("template.text")
  const secret = await wrong({ secrets: { signingSecret: "hunter2-hunter2" } })
  expect(secret.slice(0, 2)).toEqual([422, "payload.secrets"])
  expect(secret[2]).not.toContain("hunter2")

  const made = await ask<{ id: string; secrets: ReadonlyArray<string> }>(app, "POST", "/v1/channels", {
    name: "hook",
    kind: "webhook",
    settings: { url: hook.url, template: { title: "[{{kind}}] {{title}}" } },
    secrets: { signingSecret }
  })
  expect([made.status, made.body.secrets]).toEqual([201, ["signingSecret"]])
  const tested = await ask<{ ok: boolean }>(app, "POST", `/v1/channels/${made.body.id}/test`)
  expect(tested.body).toMatchObject({ ok: true, message: null })
  expect(JSON.parse(hook.taken[0]!.body)).toMatchObject({
    type: "test",
    data: { title: "[test] Test of the channel hook" }
  })
  hook.faults.push({ kind: "status", status: 410, body: "it is gone" })
  const failed = await ask(app, "POST", `/v1/channels/${made.body.id}/test`)
  expect(failed.body).toMatchObject({ ok: false, retryable: false, message: expect.stringContaining("it is gone") })

  const listed = await cli("channels", "list")
  expect(listed.stdout).toMatch(/webhook +hook +true/u)
  expect((await cli("channels", "test", made.body.id)).stdout).toMatch(/^sent in \d+ ms/u)
  await expect(cli("channels", "test", "ch_none")).rejects.toMatchObject({
    stderr: expect.stringContaining("a channel of")
  })
})

it.each(channelKinds)("shows what a channel of the kind %s would send", async (kind) => {
  const { body, status } = await ask<{ sent: unknown }>(app, "POST", "/v1/channels/preview", {
    kind,
    template: { title: "Look: {{title}}", text: "{{#alerts}}{{reason}}{{/alerts}}" }
  })
  expect([status, JSON.stringify(body.sent)]).toEqual([200, expect.stringContaining("Look: Firing: payments fail")])
  const wrong = await ask<Fault>(app, "POST", "/v1/channels/preview", { kind, template: { text: "{{#alerts}}" } })
  expect([wrong.status, wrong.body.message]).toEqual([422, expect.stringContaining("expected {{/alerts}}")])
})

it("subscribes a browser and a device, pushes to both, and forgets them", async () => {
  const key = await ask<{ publicKey: string }>(app, "GET", "/v1/push/key")
  expect(Buffer.from(key.body.publicKey, "base64url").length).toBe(65)
  expect((await ask<{ publicKey: string }>(app, "GET", "/v1/push/key")).body).toEqual(key.body)
  const browser = service.browser("a")
  service.devices.set("device-token-0123456789", [])
  const one = await ask<{ id: string }>(app, "POST", "/v1/push/subscriptions", {
    ...browser.subscription,
    expirationTime: null,
    person: "anna"
  })
  const again = await ask<{ id: string }>(app, "POST", "/v1/push/subscriptions", browser.subscription)
  expect([one.status, again.body.id]).toEqual([201, one.body.id])
  await ask(app, "POST", "/v1/push/subscriptions", { token: "device-token-0123456789" })
  const wrong = await ask<Fault>(app, "POST", "/v1/push/subscriptions", { endpoint: "https://a.example", keys: {} })
  expect(wrong.status).toBe(422)

  const channel = await ask<{ id: string }>(app, "POST", "/v1/channels", {
    name: "push",
    kind: "push",
    settings: { contact: "mailto:ops@example.com", fcmUrl: service.fcm.url },
    secrets: { serviceAccount: service.serviceAccount }
  })
  const tested = await ask(app, "POST", `/v1/channels/${channel.body.id}/test`)
  expect(tested.body).toMatchObject({ ok: true })
  expect(service.wrong).toEqual([])
  expect([browser.shown.length, service.devices.get("device-token-0123456789")!.length]).toEqual([1, 1])

  const listed = await ask<ReadonlyArray<{ kind: string }>>(app, "GET", "/v1/push/subscriptions")
  expect(listed.body.map(({ kind }) => kind)).toEqual(["web", "fcm"])
  expect(JSON.stringify(listed.body)).not.toContain("device-token")
  const address = encodeURIComponent(browser.subscription.endpoint)
  const forget = () => ask(app, "DELETE", `/v1/push/subscriptions?address=${address}`)
  expect([(await forget()).status, (await forget()).status]).toEqual([204, 404])
  expect((await ask(app, "DELETE", "/v1/push/subscriptions")).status).toBe(422)
})
