import { Effect } from "effect"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { blocksOf, slack } from "../../src/notify/channels/slack.ts"
import { type FakeSlack, startSlack } from "../support/services/slack.ts"
import { alerting, send } from "./messages.ts"

let fake: FakeSlack
beforeAll(async () => void (fake = await startSlack()))
afterAll(() => fake.close())
beforeEach(() => {
  fake.messages.length = 0
  fake.taken.length = 0
  fake.faults.length = 0
})

const byToken = () => ({
  settings: { channel: fake.channel, mention: "<!here>", apiUrl: `${fake.url}/api` },
  secrets: { botToken: fake.token }
})
const run = Effect.runPromise

describe("slack by a bot's token", () => {
  it("posts an incident once, edits it as it goes on, and tells what is new in its thread", async () => {
    const first = await run(send(slack, { ...byToken(), message: alerting("firing") }))
    expect(first.reference).toEqual({ channel: fake.channel, ts: fake.messages[0]!.ts })
    const text = JSON.stringify(fake.messages[0])
    expect(text).toContain("payments &lt;fail&gt;")
    expect(text).toContain("<!here> *Firing: payments &lt;fail&gt;*")
    expect(text).toContain("7 lines in 1 minute &amp; more")
    expect(text.match(/payments &lt;fail&gt;/gu)).toHaveLength(1)
    expect(text).toContain("team=shop, service=api")
    await run(send(slack, { ...byToken(), message: alerting("resolved"), previous: first.reference }))
    expect(
      fake.messages.map(({ edited, thread_ts, ts }) => [ts === fake.messages[0]!.ts, thread_ts !== undefined, edited])
    ).toEqual([
      [true, false, 1],
      [false, true, 0]
    ])
    expect(fake.messages[0]!.text).toContain("Resolved")
  })

  it("lists the alerts of an incident, and never cuts an escaped sign or a link in two", async () => {
    const message = alerting("firing")
    const [one] = message.incident!.alerts
    const alerts = Array.from({ length: 30 }, (_, n) => ({ ...one!, rule: `rule <${n}>`, reason: "&".repeat(n * 20) }))
    const incident = { ...message.incident!, count: 40, alerts }
    const text = JSON.stringify(blocksOf(alerting("firing", { incident, text: "&".repeat(2_000) }), "<!here>"))
    expect(text).toContain("• rule &lt;1&gt;: &amp;")
    expect(text).not.toMatch(/&(?!amp;|lt;|gt;)/u)
    expect(text).toContain("<https://logs.example.com/alerts/al_1|Open in Loglytics>")
    expect(
      JSON.stringify(blocksOf(alerting("firing", { incident: { ...incident, alerts: [one!, one!] } }), undefined))
    ).toContain("and 38 more")
  })

  it("looks for a message that may have been posted before it posts again", async () => {
    fake.faults.push({ kind: "cut after" })
    const error = await run(Effect.flip(send(slack, { ...byToken(), message: alerting("firing") })))
    expect(error).toMatchObject({ retryable: true, unsure: true })
    const again = await run(send(slack, { ...byToken(), message: alerting("firing"), repeated: true }))
    expect(fake.messages.length).toBe(1)
    expect(again.reference).toEqual({ channel: fake.channel, ts: fake.messages[0]!.ts })
    const reply = { ...byToken(), message: alerting("resolved"), previous: again.reference }
    await run(send(slack, reply))
    await run(send(slack, { ...reply, repeated: true }))
    expect(fake.messages.length).toBe(2)
  })

  it("finds it behind pages of other messages, in the channel and in the thread", async () => {
    const first = await run(send(slack, { ...byToken(), message: alerting("firing") }))
    for (let i = 0; i < 5; i++) {
      const other = alerting("firing", { key: `al_2.${i}`, incident: { id: "al_2", count: 0, alerts: [] } })
      await run(send(slack, { ...byToken(), message: other }))
      await run(send(slack, { ...byToken(), message: other, previous: first.reference }))
    }
    const answer = alerting("resolved")
    await run(send(slack, { ...byToken(), message: answer, previous: first.reference }))
    const before = fake.messages.length
    expect(await run(send(slack, { ...byToken(), message: alerting("firing"), repeated: true }))).toEqual(first)
    await run(send(slack, { ...byToken(), message: answer, previous: first.reference, repeated: true }))
    expect(fake.messages.length).toBe(before)
  })

  it("goes on where somebody has removed its message, or Slack no longer lets it be edited", async () => {
    const gone = { channel: fake.channel, ts: "1.000" }
    const anew = await run(send(slack, { ...byToken(), message: alerting("firing"), previous: gone }))
    expect(anew.reference).toEqual({ channel: fake.channel, ts: fake.messages[0]!.ts })
    fake.faults.push({ kind: "status", status: 200, body: { ok: false, error: "edit_window_closed" } })
    const over = await run(send(slack, { ...byToken(), message: alerting("resolved"), previous: anew.reference }))
    expect(over).toEqual(anew)
    expect(fake.messages.map(({ edited, thread_ts }) => [edited, thread_ts !== undefined])).toEqual([
      [0, false],
      [0, true]
    ])
  })

  it("sends again where it may not look", async () => {
    fake.faults.push({ kind: "status", status: 200, body: { ok: false, error: "missing_scope" } })
    await run(send(slack, { ...byToken(), message: alerting("firing"), repeated: true }))
    expect(fake.messages.length).toBe(1)
    fake.faults.push({ kind: "status", status: 503 })
    const error = await run(Effect.flip(send(slack, { ...byToken(), message: alerting("firing"), repeated: true })))
    expect(error).toMatchObject({ retryable: true })
    expect(fake.messages.length).toBe(1)
  })

  it.each([
    [
      { kind: "status", status: 429, headers: { "retry-after": "30" } },
      { retryable: true, retryAfterMs: 30_000 }
    ],
    [{ kind: "status", status: 503 }, { retryable: true }],
    [{ kind: "garbage" }, { retryable: true }],
    [{ kind: "cut" }, { retryable: true }],
    [{ kind: "status", status: 200, body: { ok: false, error: "ratelimited" } }, { retryable: true }],
    [{ kind: "status", status: 200, body: { ok: false, error: "is_archived" } }, { retryable: false }]
  ] as const)("fails well: %o", async (fault, expected) => {
    fake.faults.push(fault)
    expect(await run(Effect.flip(send(slack, { ...byToken(), message: alerting("firing") })))).toMatchObject(expected)
  })

  it("never tells the token", async () => {
    const secrets = { botToken: "xoxb-wrong-token-9" }
    const error = await run(Effect.flip(send(slack, { ...byToken(), secrets, message: alerting("firing") })))
    expect(error.reason).toContain("invalid_auth")
    expect(JSON.stringify(error)).not.toContain("xoxb-wrong")
  })
})

describe("slack by a webhook", () => {
  it("posts, and tells why it can't without the URL", async () => {
    const secrets = { webhookUrl: fake.webhook }
    expect(await run(send(slack, { settings: {}, secrets, message: alerting("firing") }))).toEqual({ reference: null })
    expect(fake.messages.length).toBe(1)
    fake.faults.push({ kind: "status", status: 410, body: "channel_is_archived" })
    const error = await run(Effect.flip(send(slack, { settings: {}, secrets, message: alerting("firing") })))
    expect(error).toMatchObject({ retryable: false })
    expect(error.reason).toContain("channel_is_archived")
    expect(JSON.stringify(error)).not.toContain("secretpart")
  })

  it("says what is missing", async () => {
    const error = await run(Effect.flip(send(slack, { settings: {}, message: alerting("firing") })))
    expect(error.reason).toContain("SLACK_WEBHOOK_URL")
  })
})
