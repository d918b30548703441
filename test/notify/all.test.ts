/** What every channel promises, whatever its kind: tried on each against a server that fails like its own. */
import { Effect, Redacted, Schema } from "effect"
import { createECDH } from "node:crypto"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { type ChannelKind, channelKinds } from "../../src/domain/Channel.ts"
import { ProjectId } from "../../src/domain/Ids.ts"
import type { Outgoing } from "../../src/domain/Outgoing.ts"
import { channels } from "../../src/notify/all.ts"
import { Defaults } from "../../src/notify/Channel.ts"
import { AllowPrivate } from "../../src/notify/Http.ts"
import { Inbox } from "../../src/notify/Inbox.ts"
import { LiveBus } from "../../src/notify/LiveBus.ts"
import { Subscribers } from "../../src/notify/Subscribers.ts"
import { prepare } from "../../src/tasks/notifications/Sending.ts"
import { exampleMessage, previewOf } from "../../src/tasks/notifications/Preview.ts"
import { type Fake, startFake } from "../support/services/Fake.ts"
import { startJira } from "../support/services/jira.ts"
import { startPush } from "../support/services/push.ts"
import { startSendGrid } from "../support/services/sendgrid.ts"
import { startSlack } from "../support/services/slack.ts"
import { startTwilio } from "../support/services/twilio.ts"
import { alerting, now } from "./messages.ts"

interface Place {
  readonly settings: Record<string, unknown>
  readonly secrets: Record<string, string>
  readonly fake: Pick<Fake, "faults">
  readonly close: () => Promise<void>
}

const pair = createECDH("prime256v1")
const publicKey = pair.generateKeys("base64url")
const privateKey = Buffer.from(pair.getPrivateKey("hex").padStart(64, "0"), "hex").toString("base64url")
const signingSecret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`

/** A server for each kind that makes calls, and how to reach it. */
const places: Readonly<Record<string, { readonly kind: ChannelKind; readonly start: () => Promise<Place> }>> = {
  email: {
    kind: "email",
    start: async () => {
      const fake = await startSendGrid()
      const settings = { from: "a@example.com", to: ["b@example.com"], sendgridUrl: fake.url }
      return { fake, close: fake.close, settings, secrets: { sendgridApiKey: "SG.test-key-0000" } }
    }
  },
  "slack by token": {
    kind: "slack",
    start: async () => {
      const fake = await startSlack()
      const settings = { channel: fake.channel, apiUrl: `${fake.url}/api` }
      return { fake, close: fake.close, settings, secrets: { botToken: fake.token } }
    }
  },
  "slack by webhook": {
    kind: "slack",
    start: async () => {
      const fake = await startSlack()
      return { fake, close: fake.close, settings: {}, secrets: { webhookUrl: fake.webhook } }
    }
  },
  jira: {
    kind: "jira",
    start: async () => {
      const fake = await startJira()
      const settings = { url: fake.url, username: "bot@example.com", project: "OPS" }
      return { fake, close: fake.close, settings, secrets: { apiToken: "token-of-jira" } }
    }
  },
  webhook: {
    kind: "webhook",
    start: async () => {
      const fake = await startFake(() => ({ status: 204 }))
      const secrets = { signingSecret, headers: "X-Api-Key: key-of-the-receiver" }
      return { fake, close: fake.close, settings: { url: fake.url }, secrets }
    }
  },
  sms: {
    kind: "sms",
    start: async () => {
      const fake = await startTwilio()
      const settings = { accountSid: fake.accountSid, from: "+15005550006", to: ["+4915111111111"], apiUrl: fake.url }
      return { fake, close: fake.close, settings, secrets: { authToken: "token-of-twilio" } }
    }
  },
  "push by Firebase": {
    kind: "push",
    start: async () => {
      const fake = await startPush()
      fake.devices.set("device-token-0123456789", [])
      const settings = { contact: "mailto:ops@example.com", fcmUrl: fake.fcm.url }
      return { fake, close: fake.close, settings, secrets: { serviceAccount: fake.serviceAccount } }
    }
  }
}

/** Texts that have broken something somewhere. */
const oddTexts: ReadonlyArray<readonly [string, string]> = [
  ["100 kB", "A long title. ".repeat(7_300)],
  ["100 kB without a space", "x".repeat(100_000)],
  ["halves of pairs", "\ud800 a \udc00 b \udbff"],
  ["NUL and controls", "a\u0000b\u0001c\u001b[31md\r\nBcc: evil@example.com\r\n\r\nbody\u0085\u2028"],
  ["emoji in families", "👨‍👩‍👧‍👦".repeat(2_000)],
  ["right to left and stacked", `\u202e${"z\u0351\u035a\u0322".repeat(500)} مرحبا`],
  ["markup of all kinds", `<script>alert(1)</script> <!channel> <@U1> *b* {noformat} \`\`\` {{title}} \${x} %s "'&amp;`]
]

const project = ProjectId.make("default")
const ports = {
  inbox: Inbox.of({
    keep: () => Effect.succeed({ created: true, notification: {} as never })
  }),
  bus: LiveBus.of({ push: () => Effect.void })
}

const sending = (
  kind: ChannelKind,
  place: Pick<Place, "settings" | "secrets">,
  message: Outgoing,
  allowPrivate = true
) =>
  channels[kind]
    .send({
      project,
      settings: place.settings,
      secrets: place.secrets,
      message,
      previous: null,
      repeated: false,
      progress: null,
      note: () => Effect.void,
      now
    })
    .pipe(
      Effect.provideService(Inbox, ports.inbox),
      Effect.provideService(LiveBus, ports.bus),
      Effect.provideService(AllowPrivate, allowPrivate),
      Effect.provideService(Subscribers, {
        list: () => Effect.succeed([{ id: "ps_1", person: null, to: { token: "device-token-0123456789" } }]),
        remove: () => Effect.void,
        keys: Effect.succeed({ publicKey, privateKey })
      })
    )

const run = Effect.runPromise

/** Statuses of each kind that pass by themselves, though the server says that it is the client's fault. */
const passing: Partial<Record<ChannelKind, ReadonlyArray<number>>> = {
  email: [408, 429],
  jira: [408, 409, 425, 429],
  sms: [408, 409, 425, 429],
  webhook: [408, 409, 425, 429]
}

describe.each(Object.entries(places))("%s", (_name, { kind, start }) => {
  let place: Place
  beforeAll(async () => void (place = await start()))
  afterAll(() => place.close())
  beforeEach(() => void (place.fake.faults.length = 0))
  const failing = () => run(Effect.flip(sending(kind, place, alerting("firing"))))

  it("sends", async () => {
    await run(sending(kind, place, alerting("firing")))
  })

  it.each([500, 502, 503, 504])("tries again after %i", async (status) => {
    place.fake.faults.push({ kind: "status", status })
    expect(await failing()).toMatchObject({ retryable: true })
  })

  it("tries again after 429, when it was told to", async () => {
    place.fake.faults.push({ kind: "status", status: 429, headers: { "retry-after": "7" } })
    expect(await failing()).toMatchObject({ retryable: true, retryAfterMs: 7_000 })
  })

  it("tries again after a cut, and knows that the message may have left", async () => {
    place.fake.faults.push({ kind: "cut after" })
    expect(await failing()).toMatchObject({ retryable: true, unsure: true })
  })

  it.each([400, 403, 422])("does not try again after %i", async (status) => {
    place.fake.faults.push({ kind: "status", status, body: "<html>no</html>" })
    expect(await failing()).toMatchObject({ retryable: false })
  })

  it("says of every status whether trying again can help", { timeout: 60_000 }, async () => {
    const statuses = Array.from({ length: 300 }, (_, i) => 300 + i).filter((status) => status !== 304)
    const again: Array<number> = []
    for (const status of statuses) {
      place.fake.faults.push({ kind: "status", status, body: "<html>no</html>" })
      if ((await failing()).retryable) again.push(status)
    }
    expect(again.filter((status) => status < 500)).toEqual(passing[kind] ?? [408, 425, 429])
    // Of those that are a fault of the server's own, one at most is for good: it can't do this at all.
    expect(again.filter((status) => status >= 500).length).toBeGreaterThanOrEqual(99)
  })

  it("follows no redirect", async () => {
    place.fake.faults.push({ kind: "status", status: 307, headers: { location: "http://127.0.0.1:9/" } })
    const error = await failing()
    expect(error.retryable).toBe(false)
    expect(error.reason).not.toContain("ECONNREFUSED")
  })

  it("tells no secret, even where the server repeats them all", async () => {
    const words = Object.entries(place.secrets).flatMap(([name, value]) =>
      name === "serviceAccount"
        ? (JSON.parse(value) as { private_key: string }).private_key.split("\n").filter((line) => !line.startsWith("-"))
        : value.split(/\s+/u)
    )
    const all = words.filter((word) => word.length >= 12)
    const text = all.join(" ")
    for (const body of [text, { message: text, error: text, errors: [{ message: text }], errorMessages: [text] }]) {
      place.fake.faults.push({ kind: "status", status: 400, body })
      const told = JSON.stringify(await failing())
      for (const secret of all) expect(told).not.toContain(secret)
      expect(told.length).toBeLessThan(1_000)
    }
  })

  it.each(oddTexts)("brings %s", async (_about, odd) => {
    const fields = { title: odd, text: odd }
    const message = alerting("firing", fields)
    const alerts = message.incident!.alerts.map((alert) => ({
      ...alert,
      labels: { odd },
      group: { [odd.slice(0, 50)]: odd },
      samples: [odd, odd]
    }))
    await run(sending(kind, place, { ...message, incident: { ...message.incident!, alerts } }))
  })
})

describe("all of them", () => {
  it("are there", () => {
    expect(Object.keys(channels).toSorted()).toEqual([...channelKinds].toSorted())
    for (const kind of channelKinds) expect(channels[kind].kind).toBe(kind)
  })

  it("end in time when nothing is ever said", async () => {
    const tried = Object.entries(places).map(async ([name, { kind, start }]) => {
      const place = await start()
      place.fake.faults.push({ kind: "silence" })
      const begun = Date.now()
      const error = await run(Effect.flip(sending(kind, place, alerting("firing"))))
      await place.close()
      return [name, error.retryable, error.unsure, Date.now() - begun < 35_000]
    })
    expect(await Promise.all(tried)).toEqual(Object.keys(places).map((name) => [name, true, true, true]))
  }, 60_000)

  it.each(channelKinds.filter((kind) => kind !== "in_app"))("%s names the setting that is wrong", (kind) => {
    for (const rubbish of [{ surprise: 1 }, { to: 7, from: [], url: 5, channel: 1, project: 1, contact: 1 }]) {
      const fault = prepare(kind, rubbish)
      expect("fault" in fault && fault.fault).toMatch(/\b(?:surprise|to|url|channel|project|contact)\b/u)
      expect("fault" in fault && fault.fault.length).toBeLessThan(1_100)
    }
  })

  it("reach nobody inside", async () => {
    const inside: ReadonlyArray<readonly [ChannelKind, Record<string, unknown>, Record<string, string>]> = [
      ["webhook", { url: "http://169.254.169.254/latest" }, {}],
      ["slack", {}, { webhookUrl: "http://[::1]:1/services" }],
      ["slack", { channel: "C024BE91L", apiUrl: "http://localhost:1" }, { botToken: "xoxb-1234" }],
      ["jira", { url: "http://10.0.0.1", project: "OPS" }, { apiToken: "abcd" }],
      ["sms", { accountSid: "AC", from: "a", to: ["+4915111111111"], apiUrl: "http://127.1" }, { authToken: "abcd" }],
      ["email", { from: "a@b.c", to: ["a@b.c"], sendgridUrl: "http://localhost:1" }, { sendgridApiKey: "SG.abcd" }],
      ["email", { from: "a@b.c", to: ["a@b.c"], smtp: { host: "localhost", port: 25 } }, {}]
    ]
    for (const [kind, settings, secrets] of inside) {
      const error = await run(Effect.flip(sending(kind, { settings, secrets }, alerting("firing"), false)))
      expect([kind, error.retryable, error.reason]).toEqual([
        kind,
        false,
        expect.stringContaining("expected a public address")
      ])
    }
  })

  it.each(channelKinds)("%s shows what it would send", (kind) => {
    const shown = previewOf({ kind, settings: undefined, template: undefined, message: exampleMessage(now) })
    expect(JSON.stringify(shown)).toContain("payments fail")
    for (const [, odd] of oddTexts) {
      const message = alerting("firing", { title: odd, text: odd })
      const json = JSON.stringify(previewOf({ kind, settings: undefined, template: undefined, message }))
      expect(Schema.is(Schema.Json)(JSON.parse(json))).toBe(true)
    }
  })

  it("take what is missing from the environment", async () => {
    const slack = await places["slack by webhook"]!.start()
    await run(
      sending("slack", { settings: {}, secrets: {} }, alerting("firing")).pipe(
        Effect.provideService(Defaults, { slackWebhookUrl: Redacted.make(slack.secrets["webhookUrl"]!) })
      )
    )
    await slack.close()
  })
})
