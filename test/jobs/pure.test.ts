/** The decisions of the engine that need no server: backoff, outcomes, ids, plans. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Result, Schema } from "effect"
import * as Flow from "../../src/jobs/Flow.ts"
import { chosenId, freshId, queueOf } from "../../src/jobs/JobQueue.ts"
import { celeryState } from "../../src/jobs/Outcome.ts"
import { plan } from "../../src/jobs/Plan.ts"
import { jobFrom } from "../../src/jobs/Registry.ts"
import * as Retry from "../../src/jobs/Retry.ts"
import * as Task from "../../src/jobs/Task.ts"

const One = Task.make("one", {
  payload: { at: Schema.DateFromString, n: Schema.Int },
  result: Schema.Struct({ n: Schema.Int })
})
const Two = Task.make("two", { payload: { n: Schema.Int, by: Schema.Int }, queue: "low-priority" })

describe("retry", () => {
  it("waits between nothing and an exponential cap, then gives up", () => {
    const policy = Retry.exponential({ attempts: 4, base: "1 second", cap: "3 seconds" })
    assert.deepStrictEqual(
      [1, 2, 3, 4].map((n) => Retry.delayMs(policy, n, 0.999_999)),
      [999, 1_999, 2_999, 2_999]
    )
    assert.strictEqual(Retry.delayMs(policy, 1, 0), 0)
    assert.isUndefined(Retry.delayMs(policy, 5, 0.5))
    assert.isUndefined(Retry.delayMs(Retry.none, 1, 0.5))
    assert.deepStrictEqual(Retry.standard, { retries: 3, baseMs: 60_000, capMs: 600_000 })
  })
})

describe("ids", () => {
  it("tell their queue and differ", () => {
    assert.strictEqual(queueOf(freshId("high-priority", 0)), "high-priority")
    assert.isUndefined(queueOf("x-1"))
    assert.strictEqual(new Set(Array.from({ length: 10_000 }, () => freshId("default", 1))).size, 10_000)
    assert.strictEqual(chosenId("default", "alert:1") as string, "d-alert:1")
    assert.strictEqual(chosenId("default", "d-alert:1") as string, "d-alert:1")
    assert.isUndefined(chosenId("default", "a b"))
  })
})

describe("plan", () => {
  const options = { now: 0, maxPayloadBytes: 1_000 }
  it("lays out a chain: one head, the rest waits, the last id is the plan's", () => {
    const planned = Result.getOrThrow(plan(One.job({ at: new Date(0), n: 1 }).andThen(Two, { by: 2 }), options))
    assert.strictEqual(planned.heads.length, 1)
    assert.deepStrictEqual(planned.heads[0]?.payload, { at: "1970-01-01T00:00:00.000Z", n: 1 })
    assert.strictEqual(planned.waiting[0]?.id, planned.id)
    assert.deepStrictEqual(planned.waiting[0]?.payload, { by: 2 })
  })
  it("of a chosen id is the same each time", () => {
    const id = chosenId("low-priority", "slot") ?? assert.fail()
    const ids = () => {
      const job = Flow.all([One.job({ at: new Date(0), n: 1 }), One.job({ at: new Date(0), n: 2 })])
      const p = Result.getOrThrow(plan(job, { ...options, id }))
      return [...p.heads, ...p.waiting].map((e) => e.id)
    }
    assert.deepStrictEqual(ids(), ids())
    assert.strictEqual(new Set(ids()).size, 3)
  })
  it("is refused where a payload of it does not fit", () => {
    const bad = plan(One.job({ at: new Date(0), n: 0.5 }).andThen(Two, { by: 2 }), options)
    assert.strictEqual(Result.isFailure(bad) && bad.failure._tag, "PayloadInvalid")
  })
})

describe("jobs from outside", () => {
  it.effect("are decoded by the task's schema, every fault by its path", () =>
    Effect.gen(function* () {
      const job = yield* jobFrom([One, Two], "one", { at: "1970-01-01T00:00:00.000Z", n: 1 })
      assert.strictEqual(job.task, "one")
      const bad = yield* Effect.exit(jobFrom([One, Two], "one", { n: "x" }))
      assert.isTrue(Exit.isFailure(bad))
      const error = yield* Effect.flip(jobFrom([One, Two], "one", { n: "x" }))
      assert.deepStrictEqual(error._tag === "PayloadInvalid" && error.issues.map((i) => i.path).toSorted(), ["at", "n"])
      assert.strictEqual((yield* Effect.flip(jobFrom([One], "no", {})))._tag, "UnknownTask")
    })
  )
})

describe("states", () => {
  it("have the names that users of Celery know", () => {
    const states = ["queued", "scheduled", "running", "retrying", "done", "dead", "cancelled"] as const
    assert.deepStrictEqual(
      states.map((s) => celeryState(s)),
      ["PENDING", "PENDING", "STARTED", "RETRY", "SUCCESS", "FAILURE", "REVOKED"]
    )
    assert.strictEqual(celeryState("queued", true), "RECEIVED")
  })
})
