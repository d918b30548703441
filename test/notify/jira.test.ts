import { Effect } from "effect"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { jira } from "../../src/notify/channels/jira.ts"
import { type FakeJira, startJira } from "../support/services/jira.ts"
import { alerting, send } from "./messages.ts"

let fake: FakeJira
beforeAll(async () => void (fake = await startJira()))
afterAll(() => fake.close())
beforeEach(() => {
  fake.issues.length = 0
  fake.faults.length = 0
})

const given = (more: Record<string, string> = {}) => ({
  settings: { url: `${fake.url}/`, username: "bot@example.com", project: "OPS", closeBy: "close", ...more },
  secrets: { apiToken: "token-of-jira" }
})
const run = Effect.runPromise

describe("jira", () => {
  it("makes an issue, comments it, closes it, and reopens it when the incident comes back", async () => {
    const { reference } = await run(send(jira, { ...given(), message: alerting("firing") }))
    expect(reference).toEqual({ key: "OPS-1" })
    expect(fake.issues[0]!.fields).toMatchObject({
      summary: "Firing: payments <fail>",
      labels: ["loglytics", "loglytics-al_1"]
    })
    await run(send(jira, { ...given(), message: alerting("resolved"), previous: reference }))
    expect(fake.issues[0]).toMatchObject({ done: true, comments: [expect.stringContaining("Resolved")] })
    await run(send(jira, { ...given(), message: alerting("firing", { key: "al_1.firing.2" }), previous: reference }))
    expect(fake.issues[0]!.done).toBe(false)
    expect(fake.issues.length).toBe(1)
  })

  it("makes no second issue and no second comment after a crash", async () => {
    fake.faults.push({ kind: "status", status: 200, body: { issues: [] } }, { kind: "cut after" })
    expect(await run(Effect.flip(send(jira, { ...given(), message: alerting("firing") })))).toMatchObject({
      unsure: true
    })
    const again = await run(send(jira, { ...given(), message: alerting("firing"), repeated: true }))
    expect(again.reference).toEqual({ key: "OPS-1" })
    await run(send(jira, { ...given(), message: alerting("firing"), repeated: true }))
    // It was made of this message, so no comment says the same again.
    expect(fake.issues.map(({ comments }) => comments.length)).toEqual([0])
    const over = { ...given(), message: alerting("resolved"), previous: again.reference }
    await run(send(jira, over))
    await run(send(jira, { ...over, repeated: true }))
    expect(fake.issues.map(({ comments }) => comments.length)).toEqual([1])
  })

  it("finds issues in Cloud under a name of one's own", async () => {
    fake.is.cloud = true
    try {
      await run(send(jira, { ...given(), message: alerting("firing") }))
      await run(send(jira, { ...given(), message: alerting("firing", { key: "al_1.firing.2" }) }))
      expect(fake.issues.map(({ comments }) => comments.length)).toEqual([1])
    } finally {
      fake.is.cloud = false
    }
  })

  it("says where the workflow does not let it close or reopen", async () => {
    const { reference } = await run(send(jira, { ...given(), message: alerting("firing") }))
    const over = { ...given({ closeBy: "Ship it" }), message: alerting("resolved"), previous: reference }
    expect(await run(send(jira, over))).toEqual({
      reference,
      warning: 'OPS-1 has the comment but stands where it stood: its workflow does not offer the transition "Ship it"'
    })
  })

  it("makes a new issue where the old one was deleted, and none for an end without one", async () => {
    expect(await run(send(jira, { ...given(), message: alerting("resolved") }))).toEqual({ reference: null })
    const { reference } = await run(
      send(jira, { ...given(), message: alerting("firing"), previous: { key: "OPS-99" } })
    )
    expect(reference).toEqual({ key: "OPS-1" })
  })

  it("says why Jira refused, and that trying again can't help", async () => {
    const error = await run(Effect.flip(send(jira, { ...given({ issueType: "Saga" }), message: alerting("firing") })))
    expect(error).toMatchObject({ retryable: false })
    expect(error.reason).toContain("issuetype: valid issue type is required")
    fake.faults.push({ kind: "status", status: 401 })
    const denied = await run(Effect.flip(send(jira, { ...given(), message: alerting("firing") })))
    expect(denied.retryable).toBe(false)
    fake.faults.push({ kind: "garbage" }, { kind: "status", status: 502 })
    expect((await run(Effect.flip(send(jira, { ...given(), message: alerting("firing") })))).retryable).toBe(true)
  })

  it("writes what strangers wrote as text: no link, mention, picture or macro", async () => {
    const text =
      "see [x|http://evil.example/a_b!c] [~admin] !http://evil.example/t.png! \\[~bob] |a| {color:red} *b* -c- snake_case"
    await run(send(jira, { ...given(), message: alerting("firing", { text }) }))
    expect(String(fake.issues[0]!.fields["description"]).split("\n")[0]).toBe(
      "see \\[x\\|http://evil.example/a_b%21c%5D \\[\\~admin\\] \\!http://evil.example/t.png%21 &#92;\\[\\~bob\\] \\|a\\| \\{color:red\\} \\*b\\* \\-c- snake_case"
    )
  })

  it("keeps sample lines in their block, and its own sign however long all else is", async () => {
    const firing = alerting("firing")
    const [alert] = firing.incident!.alerts
    const many = Array.from({ length: 20 }, (_, i) => ({
      ...alert!,
      rule: "r".repeat(200),
      reason: "{".repeat(2_000),
      samples: [`${i} {nofor{noformat}mat} {NoFormat} ${"s".repeat(4_000)}`]
    }))
    const message = { ...firing, text: "\\".repeat(4_000), incident: { ...firing.incident!, count: 20, alerts: many } }
    const { reference } = await run(send(jira, { ...given(), message }))
    const description = String(fake.issues[0]!.fields["description"])
    expect(description.length).toBeLessThan(32_767)
    expect(description.match(/\{noformat/giu)).toHaveLength(2)
    expect(description.endsWith(`_loglytics:${message.key}_`)).toBe(true)
    // So a crash after it was taken makes neither a second issue nor a comment.
    await run(send(jira, { ...given(), message, repeated: true }))
    await run(send(jira, { ...given(), message: { ...message, key: "al_1.firing.2" }, previous: reference }))
    await run(
      send(jira, { ...given(), message: { ...message, key: "al_1.firing.2" }, previous: reference, repeated: true })
    )
    expect(fake.issues.map(({ comments }) => comments.length)).toEqual([1])
  })

  it("tells no credentials, however the server says them back", async () => {
    const sent = Buffer.from("bot@example.com:token-of-jira").toString("base64")
    fake.faults.push({ kind: "status", status: 400, body: { errorMessages: [`Basic ${sent} token-of-jira`] } })
    const { reason } = await run(Effect.flip(send(jira, { ...given(), message: alerting("firing") })))
    expect(reason).toContain("Basic <secret> <secret>")
  })
})
