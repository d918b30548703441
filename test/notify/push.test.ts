import { Effect } from "effect"
import { createECDH } from "node:crypto"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import type { PushTarget } from "../../src/domain/Push.ts"
import { push } from "../../src/notify/channels/push.ts"
import { Subscribers } from "../../src/notify/Subscribers.ts"
import { type FakePush, startPush } from "../support/services/push.ts"
import { alerting, now, send } from "./messages.ts"

const run = Effect.runPromise
const pair = createECDH("prime256v1")
const publicKey = pair.generateKeys("base64url")
const privateKey = Buffer.from(pair.getPrivateKey("hex").padStart(64, "0"), "hex").toString("base64url")

describe("push", () => {
  let fake: FakePush
  const targets: Array<PushTarget> = []
  beforeAll(async () => void (fake = await startPush()))
  afterAll(() => fake.close())
  beforeEach(() => {
    targets.length = 0
    fake.faults.length = 0
    fake.devices.clear()
    fake.wrong.length = 0
  })
  const subscribe = (name: string, person: string | null = null) => {
    const browser = fake.browser(name)
    targets.push({ id: `ps_${name}`, person, to: { browser: browser.subscription } })
    return browser
  }
  const device = (token: string) => {
    targets.push({ id: `ps_${token}`, person: null, to: { token } })
    fake.devices.set(token, [])
  }
  const sending = (fields: Parameters<typeof alerting>[1] = {}) =>
    send(push, {
      settings: { contact: "mailto:ops@example.com", fcmUrl: fake.fcm.url },
      secrets: { serviceAccount: fake.serviceAccount },
      message: alerting("firing", fields),
      now: Date.now()
    }).pipe(
      Effect.provideService(Subscribers, {
        list: () => Effect.succeed([...targets]),
        remove: (_project, id) =>
          Effect.sync(
            () =>
              void targets.splice(
                targets.findIndex((one) => one.id === id),
                1
              )
          ),
        keys: Effect.succeed({ publicKey, privateKey })
      })
    )

  it("shows a message in a browser that opens it by the RFCs", async () => {
    const browser = subscribe("a")
    await run(sending())
    await run(sending())
    expect(fake.wrong).toEqual([])
    expect(browser.shown[0]).toMatchObject({
      title: "Firing: payments <fail>",
      url: "https://logs.example.com/alerts/al_1",
      severity: "critical"
    })
    expect(browser.shown[1]!.tag).toBe(browser.shown[0]!.tag)
  })

  it("fits whatever is written into what push services take", async () => {
    const browser = subscribe("long")
    await run(
      sending({ title: "😀".repeat(3_000), text: "я".repeat(90_000), url: `https://a.example/${"x".repeat(1_900)}` })
    )
    expect(fake.wrong).toEqual([])
    expect(Buffer.byteLength(JSON.stringify(browser.shown[0]))).toBeLessThan(3_500)
  })

  it("reaches a device of Firebase with a token of Google's", async () => {
    device("device-token-0123456789")
    await run(sending())
    expect(fake.devices.get("device-token-0123456789")![0]).toMatchObject({
      notification: { title: "Firing: payments <fail>" },
      android: { priority: "HIGH" }
    })
  })

  it("forgets browsers and devices that are gone, and reaches the others", async () => {
    const gone = subscribe("gone")
    gone.gone = true
    const there = subscribe("there")
    device("device-token-unregistered")
    fake.devices.clear()
    const sent = await run(sending())
    expect(there.shown.length).toBe(1)
    expect(targets.map(({ id }) => id)).toEqual(["ps_there"])
    expect(sent.warning).toContain("2 of 3 recipients")
  })

  it("goes only to those it is for", async () => {
    const anna = subscribe("anna", "anna@example.com")
    const ben = subscribe("ben", "ben@example.com")
    await run(sending({ to: ["anna@example.com"] }))
    expect([anna.shown.length, ben.shown.length]).toEqual([1, 0])
    expect((await run(Effect.flip(sending({ to: ["nobody"] })))).reason).toContain("of those it is for")
  })

  it.each([
    [{ kind: "status", status: 429, headers: { "retry-after": "5" } }, true, 5_000],
    [{ kind: "status", status: 500 }, true, undefined],
    [{ kind: "cut" }, true, undefined],
    [{ kind: "status", status: 403 }, false, undefined],
    [{ kind: "status", status: 413 }, false, undefined]
  ] as const)("fails well: %o", async (fault, retryable, retryAfterMs) => {
    subscribe("f")
    fake.faults.push(fault)
    const error = await run(Effect.flip(sending()))
    expect(error.retryable).toBe(retryable)
    expect(error.retryAfterMs).toBe(retryAfterMs)
  })

  it("tells no key, and refuses what is no service account", async () => {
    device("device-token-0123456789")
    fake.faults.push({ kind: "status", status: 400, body: { error: "invalid_grant", error_description: "no" } })
    const error = await run(Effect.flip(sending()))
    expect(error).toMatchObject({ retryable: false })
    expect(JSON.stringify(error)).not.toContain("PRIVATE KEY")
    expect(push.secretsFault?.({ serviceAccount: '{"a":1}' })).toContain("service account")
    expect(push.secretsFault?.({ serviceAccount: fake.serviceAccount })).toBeUndefined()
    expect(now).toBeGreaterThan(0)
  })
})
