/** Vectors of a server that speaks OpenAI's protocol, when it works and in each way it may fail. */
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { fc } from "../support/property.ts"
import { decode, embeddings, retryAfter } from "../../src/ingest/EmbeddingProvider.ts"
import { type EmbeddingsServer, type Fate, startEmbeddingsServer } from "../support/embeddings_server.ts"

let server: EmbeddingsServer
beforeAll(async () => {
  server = await startEmbeddingsServer()
})
afterAll(() => server.stop())

const endpoint = () => ({ url: server.url, model: "small", apiKey: Redacted.make("sk-test") })
const ask = (texts: ReadonlyArray<string>, timeoutMs = 20_000) => embeddings(endpoint(), texts, timeoutMs)

describe("a provider of vectors", () => {
  it.live("gets one vector of length 1 per text, in their order, with the key and the model", () =>
    Effect.gen(function* () {
      server.fate = "ok"
      const straight = yield* ask(["disk full", "", "session opened"])
      server.fate = "reversed"
      expect(yield* ask(["disk full", "", "session opened"])).toEqual(straight)
      expect(straight.map((vector) => vector.length)).toEqual([32, 32, 32])
      for (const vector of straight) expect(vector.reduce((sum, n) => sum + n * n, 0)).toBeCloseTo(1, 4)
      expect(server.heard.at(-1)).toEqual({
        model: "small",
        input: ["disk full", "-", "session opened"],
        key: "Bearer sk-test"
      })
    })
  )

  it.live("takes the URL with and without its end", () =>
    Effect.gen(function* () {
      server.fate = "ok"
      for (const url of [`${server.url}/`, `${server.url}/embeddings`, `${server.url}/embeddings/`]) {
        expect(yield* embeddings({ url, model: "small" }, ["a"], 20_000)).toHaveLength(1)
      }
      expect(server.heard.at(-1)?.key).toBe("")
    })
  )

  const failures: ReadonlyArray<readonly [Fate, boolean, string]> = [
    ["rate limited", true, "status 429"],
    ["down", true, "status 503"],
    ["unauthorized", false, "status 401"],
    ["garbage", true, "a list `data`"],
    ["too few", true, "expected 2 vectors, got 1"],
    ["not numbers", true, "finite numbers in data[0].embedding"],
    ["mixed sizes", true, "vectors of one size (32), got one of 31"],
    ["cut off", true, "expected an answer"],
    ["redirect", true, "expected an answer"]
  ]
  for (const [fate, retryable, words] of failures) {
    it.live(`says so when it is ${fate}`, () =>
      Effect.gen(function* () {
        server.fate = fate
        const error = yield* Effect.flip(ask(["a", "b"]))
        expect(error._tag).toBe("EmbeddingError")
        expect(error.message).toContain(words)
        expect(error.retryable).toBe(retryable)
        expect(error.retryAfterMs).toBe(fate === "rate limited" ? 7_000 : undefined)
      })
    )
  }

  it.live("waits no longer than it was told, and not for one that is not there", () =>
    Effect.gen(function* () {
      server.fate = "silent"
      expect((yield* Effect.flip(ask(["a"], 300))).message).toContain("within 300 ms, got none")
      const gone = yield* Effect.flip(embeddings({ url: "http://127.0.0.1:1/v1", model: "m" }, ["a"], 20_000))
      expect(gone.retryable).toBe(true)
    })
  )
})

describe("an answer", () => {
  it("of any JSON is vectors or a reason", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 3 }), (value, count) => {
        const decoded = decode(value, count)
        expect(decoded.ok ? decoded.vectors.length === count : decoded.expected !== "").toBe(true)
      })
    )
    expect(
      decode(
        {
          data: [
            { index: 0, embedding: [1] },
            { index: 0, embedding: [1] }
          ]
        },
        2
      ).ok
    ).toBe(false)
    expect(decode({ data: [{ embedding: [1e300, 1e300] }] }, 1).ok).toBe(false)
  })

  it("tells when to come again, in seconds or as a date, at most ten minutes", () => {
    const now = Date.UTC(2026, 0, 1)
    expect(retryAfter("3", now)).toBe(3_000)
    expect(retryAfter("99999", now)).toBe(600_000)
    expect(retryAfter(new Date(now + 5_000).toUTCString(), now)).toBe(5_000)
    expect(retryAfter(new Date(now - 5_000).toUTCString(), now)).toBe(0)
    expect([retryAfter("soon", now), retryAfter(null, now)]).toEqual([undefined, undefined])
  })
})
