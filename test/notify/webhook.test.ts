import { Effect, Schema } from "effect"
import { createHmac, timingSafeEqual } from "node:crypto"
import { readFile } from "node:fs/promises"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { Payload, payloadOf, signatureOf, webhook } from "../../src/notify/channels/webhook.ts"
import { type Fake, startFake, type Taken } from "../support/services/Fake.ts"
import { alerting, now, send } from "./messages.ts"

const run = Effect.runPromise
const first = `whsec_${Buffer.alloc(32, 1).toString("base64")}`
const second = `whsec_${Buffer.alloc(32, 2).toString("base64")}`

/** What a receiver does, by the specification's own steps. */
const isSigned = ({ body, headers }: Pick<Taken, "body" | "headers">, secret: string): boolean => {
  const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`
  const expected = createHmac("sha256", Buffer.from(secret.slice("whsec_".length), "base64"))
    .update(signed)
    .digest()
  return String(headers["webhook-signature"])
    .split(" ")
    .map((part) => part.split(","))
    .some(([version, text = ""]) => {
      const given = Buffer.from(text, "base64")
      return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected)
    })
}

describe("webhook", () => {
  let fake: Fake
  beforeAll(async () => void (fake = await startFake(() => ({ status: 200 }))))
  afterAll(() => fake.close())
  beforeEach(() => {
    fake.taken.length = 0
    fake.faults.length = 0
  })
  const given = (secrets: Record<string, string> = { signingSecret: first }) => ({
    settings: { url: `${fake.url}/hook?token=1` },
    secrets
  })

  it("signs as the example of Standard Webhooks", () => {
    expect(
      signatureOf(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        '{"test": 2432232314}'
      )
    ).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
  })

  it("tells an alert with a signature for each secret, under an id that stays", async () => {
    const secrets = { signingSecret: `${second} ${first}`, headers: "Authorization: Bearer abc-def\nX-Team: shop" }
    const sending = { ...given(secrets), message: alerting("firing") }
    await run(send(webhook, sending))
    await run(send(webhook, { ...sending, now: now + 60_000 }))
    const [one, two] = fake.taken
    expect([isSigned(one!, first), isSigned(one!, second), isSigned(two!, first)]).toEqual([true, true, true])
    expect(isSigned({ ...one!, body: `${one!.body} ` }, first)).toBe(false)
    expect(one!.headers["webhook-id"]).toBe(two!.headers["webhook-id"])
    expect(Number(two!.headers["webhook-timestamp"]) - Number(one!.headers["webhook-timestamp"])).toBe(60)
    expect(one!.headers).toMatchObject({ authorization: "Bearer abc-def", "x-team": "shop" })
    expect(JSON.parse(one!.body)).toMatchObject({
      type: "alert.firing",
      data: { severity: "critical", incident: { id: "al_1", alerts: [{ group: { service: "api" } }] } }
    })
    await run(send(webhook, { ...given(), message: alerting("resolved", { key: "al_1.resolved.ch_1" }) }))
    expect(fake.taken[2]!.headers["webhook-id"]).not.toBe(one!.headers["webhook-id"])
  })

  it.each([
    [{ kind: "status", status: 410, body: "gone" }, { retryable: false }, "remove the channel"],
    [{ kind: "status", status: 400 }, { retryable: false }, "refused"],
    [{ kind: "status", status: 302, headers: { location: "http://127.0.0.1/" } }, { retryable: false }, "redirect"],
    [{ kind: "status", status: 503 }, { retryable: true }, "503"],
    [
      { kind: "status", status: 429, headers: { "retry-after": "9" } },
      { retryable: true, retryAfterMs: 9_000 },
      "fewer"
    ],
    [{ kind: "cut after" }, { retryable: true, unsure: true }, "no answer"]
  ] as const)("fails well: %o", async (fault, expected, words) => {
    fake.faults.push(fault)
    const error = await run(Effect.flip(send(webhook, { ...given(), message: alerting("firing") })))
    expect(error).toMatchObject(expected)
    expect(error.reason).toContain(words)
  })

  it("tells no secret that the server repeats", async () => {
    fake.faults.push({ kind: "status", status: 401, body: "bad token tok-123456789" })
    const secrets = { signingSecret: first, headers: "Authorization: Bearer tok-123456789" }
    const error = await run(Effect.flip(send(webhook, { ...given(secrets), message: alerting("firing") })))
    expect(error.reason).toContain("bad token <secret>")
  })

  it("refuses secrets that can't be", () => {
    const fault = (secrets: Record<string, string>) => webhook.secretsFault?.(secrets)
    expect(fault({ signingSecret: `${first}  ${second}`, headers: "A: b" })).toBeUndefined()
    expect(fault({ signingSecret: "" })).toBeUndefined()
    expect(fault({ signingSecret: "hunter2" })).toContain("whsec_")
    expect(fault({ signingSecret: "hunter2" })).not.toContain("hunter2")
    expect(fault({ signingSecret: "whsec_c2hvcnQ=" })).toContain("24 to 64 bytes")
    expect(fault({ headers: "A: b\nno colon" })).toContain("line 2")
    expect(fault({ headers: "Webhook-Id: mine" })).toContain("line 1")
    expect(fault({ headers: "Host: inside" })).toContain("line 1")
  })

  it("sends what its schema says, which the documentation shows", async () => {
    const { definitions, schema } = Schema.toJsonSchemaDocument(Payload)
    const document = { $schema: "https://json-schema.org/draft/2020-12/schema", ...schema, $defs: definitions }
    const file = new URL("../../docs/alerts/webhook.schema.json", import.meta.url)
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual(JSON.parse(JSON.stringify(document)))
    const strict = { onExcessProperty: "error" } as const
    for (const state of ["firing", "resolved"] as const) {
      const body: unknown = JSON.parse(JSON.stringify(payloadOf(alerting(state))))
      expect(Schema.decodeUnknownSync(Payload, strict)(body)).toMatchObject({ type: `alert.${state}` })
    }
  })

  it("has a type for every message", () => {
    const typed = (fields: Parameters<typeof alerting>[1]) => payloadOf(alerting("firing", fields)).type
    expect([typed({}), typed({ state: "resolved" }), typed({ kind: "report" }), typed({ kind: "test" })]).toEqual([
      "alert.firing",
      "alert.resolved",
      "report",
      "test"
    ])
  })
})
