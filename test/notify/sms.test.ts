import { Effect, type Schema } from "effect"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { sms } from "../../src/notify/channels/sms.ts"
import { fit, segmentsOf } from "../../src/notify/Sms.ts"
import { type FakeTwilio, startTwilio } from "../support/services/twilio.ts"
import { alerting, send } from "./messages.ts"

const run = Effect.runPromise
const to = ["+4915111111111", "+4915122222222", "+4915133333333"]

describe("sms", () => {
  let fake: FakeTwilio
  beforeAll(async () => void (fake = await startTwilio()))
  afterAll(() => fake.close())
  beforeEach(() => {
    fake.messages.length = 0
    fake.taken.length = 0
    fake.faults.length = 0
    fake.refused.clear()
  })
  const given = () => ({
    settings: { accountSid: fake.accountSid, from: "+15005550006", to, apiUrl: fake.url },
    secrets: { authToken: "token-of-twilio" },
    message: alerting("firing")
  })
  /** Sends as a task would: what is noted is there at the next attempt. */
  const attempts = () => {
    let progress: Schema.Json | null = null
    const note = (kept: Schema.Json) => Effect.sync(() => void (progress = kept))
    return (more: Partial<ReturnType<typeof given>> & { readonly repeated?: boolean } = {}) =>
      Effect.suspend(() => send(sms, { ...given(), ...more, progress, note }))
  }

  it("sends to each recipient, short, with the address", async () => {
    const { reference } = await run(send(sms, given()))
    expect(fake.messages.map((one) => one.to).toSorted()).toEqual(to)
    expect(Object.keys((reference as { sent: object }).sent)).toEqual(expect.arrayContaining(to))
    expect(fake.messages[0]!.body).toBe(
      "Firing: payments <fail>\n7 lines in 1 minute & more, threshold 5\nhttps://logs.example.com/alerts/al_1"
    )
  })

  it("doubles nobody when some did not get it", async () => {
    const attempt = attempts()
    fake.refused.set(to[1]!, [429, 20_429])
    const error = await run(Effect.flip(attempt()))
    expect(error).toMatchObject({ retryable: true })
    expect(error.reason).toMatch(/of 3 recipients have it/u)
    fake.refused.clear()
    await run(attempt())
    expect(fake.messages.map((one) => one.to).toSorted()).toEqual(to)
  })

  it("looks for a message whose answer was lost", async () => {
    const attempt = attempts()
    fake.faults.push({ kind: "cut after" })
    const error = await run(Effect.flip(attempt()))
    expect(error).toMatchObject({ retryable: true, unsure: true })
    await run(attempt({ repeated: true }))
    expect(fake.messages.map((one) => one.to).toSorted()).toEqual(to)
  })

  it("sends again what did not arrive before the cut", async () => {
    const attempt = attempts()
    fake.faults.push({ kind: "cut" })
    await run(Effect.flip(attempt()))
    await run(attempt({ repeated: true }))
    expect(fake.messages.map((one) => one.to).toSorted()).toEqual(to)
  })

  it("reaches the others when one can't be reached, and says so", async () => {
    fake.refused.set(to[0]!, [400, 21_610])
    const sent = await run(send(sms, given()))
    expect(fake.messages.length).toBe(2)
    expect(sent.warning).toContain("1 of 3 recipients can't be reached (+4915111111111: unsubscribed (STOP) (21610))")
    for (const one of to) fake.refused.set(one, [400, 21_211])
    expect(await run(Effect.flip(send(sms, given())))).toMatchObject({ retryable: false })
  })

  it.each([
    [[401, 20_003], false],
    [[400, 21_606], false],
    [[429, 20_429], true],
    [[503, 20_503], true],
    [[400, 21_611], true]
  ] as const)("knows code %o", async (fault, retryable) => {
    fake.refused.set(to[0]!, fault)
    const settings = { ...given().settings, to: [to[0]!] }
    expect(await run(Effect.flip(send(sms, { ...given(), settings })))).toMatchObject({ retryable })
  })

  it("tells no token, and what is missing", async () => {
    const error = await run(Effect.flip(send(sms, { ...given(), secrets: { authToken: "wrong-token" } })))
    expect(error).toMatchObject({ retryable: false })
    expect(JSON.stringify(error)).not.toContain("wrong-token")
    expect((await run(Effect.flip(send(sms, { ...given(), secrets: {} })))).reason).toContain("authToken")
  })
})

describe("short messages", () => {
  it("are counted as networks do", () => {
    expect([segmentsOf("a".repeat(160)), segmentsOf("a".repeat(161)), segmentsOf("€".repeat(81))]).toEqual([1, 2, 2])
    expect([segmentsOf("я".repeat(70)), segmentsOf("я".repeat(71)), segmentsOf("😀".repeat(35))]).toEqual([1, 2, 1])
  })

  it("fit, keep the address, and cost no more for a fine dash", () => {
    const url = "https://logs.example.com/alerts/al_1"
    for (const text of ["x".repeat(5_000), "я".repeat(5_000), "😀".repeat(3_000), "\ud800 broken", ""]) {
      const made = fit("Firing: a – “b” …", text, url, 2)
      expect(segmentsOf(made)).toBeLessThanOrEqual(2)
      expect(made.endsWith(url)).toBe(true)
      expect(made.isWellFormed()).toBe(true)
    }
    expect(fit("a – b", "c…", undefined, 1)).toBe("a - b\nc...")
    expect(fit("t", "x", `https://a.example/${"p".repeat(400)}`, 2)).toBe("t\nx")
  })
})
