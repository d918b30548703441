/** When a failed attempt is tried again, and what a caller's options mean: pure decisions. */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Calling from "../../src/jobs/Calling.ts"
import { millis } from "../../src/jobs/Millis.ts"
import * as Retry from "../../src/jobs/Retry.ts"

const wait = (policy: Retry.Retry, n: number, error: unknown = {}, random = 0.5, retries?: number) =>
  Retry.waitMs(policy, { n, random, error, retries })

describe("retry", () => {
  it("goes on for ever where it is told to, and stays under its cap", () => {
    const policy = Retry.exponential({ attempts: Infinity, base: "1 second", cap: "1 minute", jitter: "none" })
    assert.deepStrictEqual(
      [1, 2, 7, 1_000_000].map((n) => wait(policy, n)),
      [1_000, 2_000, 60_000, 60_000]
    )
  })
  it("waits the same each time where it is fixed", () => {
    const policy = Retry.fixed({ attempts: 2, delay: "3 seconds" })
    assert.deepStrictEqual(
      [1, 2, 3].map((n) => wait(policy, n)),
      [3_000, 3_000, undefined]
    )
  })
  it("is spread by its jitter, and grows by its factor", () => {
    const policy = (jitter: Retry.Jitter) =>
      Retry.exponential({ attempts: 9, base: "1 second", cap: "1 hour", factor: 3, jitter })
    assert.deepStrictEqual(
      (["none", "equal", "full"] as const).map((j) => wait(policy(j), 3, {}, 0.5)),
      [9_000, 6_750, 4_500]
    )
    assert.strictEqual(wait(policy("equal"), 1, {}, 0), 500)
    assert.strictEqual(wait(policy("full"), 1, {}, 0), 0)
  })
  it("is chosen by the error, its tag or what it is like", () => {
    const policy = Retry.byError(
      [
        ["Invalid", Retry.none],
        [(e) => e instanceof RangeError, Retry.fixed({ attempts: 1, delay: "1 second" })]
      ],
      Retry.fixed({ attempts: 5, delay: "2 seconds" })
    )
    assert.isUndefined(wait(policy, 1, { _tag: "Invalid" }))
    assert.strictEqual(wait(policy, 1, new RangeError("x")), 1_000)
    assert.isUndefined(wait(policy, 2, new RangeError("x")))
    assert.strictEqual(wait(policy, 5, { _tag: "Other" }), 2_000)
    const broken = Retry.byError([[() => assert.fail("a bug"), Retry.none]], policy)
    assert.strictEqual(wait(broken, 1), 2_000)
  })
  it("hears the error: not retryable, or a wait of its own, at most a day", () => {
    assert.isUndefined(wait(Retry.standard, 1, { retryable: false }))
    assert.strictEqual(wait(Retry.standard, 1, { retryAfterMs: 1_234.5 }), 1_235)
    assert.strictEqual(wait(Retry.standard, 1, { retryAfterMs: 1e12 }), 86_400_000)
    assert.isUndefined(wait(Retry.standard, 4, { retryAfterMs: 1 }))
  })
  it("takes its count from the call, but never against a rule", () => {
    assert.isDefined(wait(Retry.none, 9, {}, 0.5, Infinity))
    assert.isUndefined(wait(Retry.standard, 1, {}, 0.5, 0))
    assert.isUndefined(wait(Retry.byError([["Invalid", Retry.none]]), 1, { _tag: "Invalid" }, 0.5, 9))
  })
})

describe("a duration", () => {
  it("is told in ms, and what is none as NaN", () => {
    assert.deepStrictEqual(
      ["2 seconds", 5, Infinity].map((d) => millis(d as "1 second")),
      [2_000, 5, Infinity]
    )
    for (const none of [Number.NaN, "soon", ""]) assert.isNaN(millis(none as "1 second"))
  })
})

describe("a caller's options", () => {
  const read = (options: Parameters<typeof Calling.read>[0], parent?: string) => Calling.read(options, parent, 1_000)
  it("are read once: times from now, key and parent first", () => {
    const called = Result.getOrThrow(
      read({ timeout: "1 second", retries: Infinity, key: "t", eta: new Date(3_000), expires: "5 seconds" }, "d-1")
    )
    assert.strictEqual(called.delayMs, 2_000)
    assert.strictEqual(called.expiresAt, 6_000)
    assert.strictEqual(JSON.stringify(called.meta), '{"k":"t","p":"d-1","n":-1,"d":1000}')
    assert.strictEqual(Calling.retriesOf(called.meta), Infinity)
  })
  it.each([
    ["eta", { eta: new Date(Number.NaN) }],
    ["expires", { expires: new Date(Number.NaN) }],
    ["expires", { expires: Number.NaN }],
    ["delay", { delay: Number.NaN }],
    ["timeout", { timeout: Number.NaN }],
    ["key", { key: "" }],
    ["key", { key: 'a"' }],
    ["retries", { retries: -1 }],
    ["timeout", { timeout: 0 }]
  ] as const)("refuse a strange %s", (name, options) => {
    const bad = read(options)
    assert.strictEqual(Result.isFailure(bad) && bad.failure.path, `options.${name}`)
  })
})
