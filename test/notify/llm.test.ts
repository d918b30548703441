/** A question to a language model ends, whatever the server does, and says whether trying again can help. */
import { Effect, Redacted } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { complete } from "../../src/notify/Llm.ts"
import type { Fault } from "../support/services/Fake.ts"
import { type FakeLlm, startLlm } from "../support/services/llm.ts"

let fake: FakeLlm
beforeAll(async () => void (fake = await startLlm()))
afterAll(() => fake.close())

const secret = "sk-very-secret-key"
const ask = (fault?: Fault, timeoutMs = 20_000) => {
  fake.content = "hi"
  if (fault !== undefined) fake.faults.push(fault)
  return Effect.runPromise(
    complete(
      { url: `${fake.url}/v1`, model: "m", apiKey: Redacted.make(secret) },
      { system: "be brief", user: "hello", maxTokens: 10, timeoutMs }
    ).pipe(Effect.result)
  )
}

describe("a question to a language model", () => {
  it("gives the text of the answer", async () => {
    expect(await ask()).toMatchObject({ success: "hi" })
    const { body, headers } = fake.taken.at(-1)!
    expect(headers.authorization).toBe(`Bearer ${secret}`)
    expect(JSON.parse(body)).toMatchObject({
      model: "m",
      max_tokens: 10,
      messages: [{ role: "system" }, { content: "hello" }]
    })
  })

  it.each<[Fault, object]>([
    [
      { kind: "status", status: 429, headers: { "retry-after": "7" } },
      { retryable: true, retryAfterMs: 7_000 }
    ],
    [{ kind: "status", status: 500, body: { error: { message: `bad key ${secret}` } } }, { retryable: true }],
    [{ kind: "status", status: 401 }, { retryable: false }],
    [{ kind: "status", status: 200, body: { choices: [] } }, { retryable: false }],
    [{ kind: "garbage" }, { retryable: false }],
    [{ kind: "cut" }, { retryable: true }]
  ])("fails of %o", async (fault, expected) => {
    const result = await ask(fault)
    expect(result).toMatchObject({ failure: expected })
    expect(JSON.stringify(result)).not.toContain(secret)
  })

  it("does not wait longer than it may", async () => {
    expect(await ask({ kind: "silence" }, 200)).toMatchObject({ failure: { retryable: true } })
  })
})
