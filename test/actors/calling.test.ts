/** How jobs are called, on real Redis: times, limits and retries per call, unique keys that refuse, replace and debounce. */
import { assert, describe, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Schema } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Flow from "../../src/jobs/Flow.ts"
import * as Retry from "../../src/jobs/Retry.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Control } from "../../src/streams/Control.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

class Busy extends Schema.TaggedError<Busy>()("Busy", { retryAfterMs: Schema.Number }) {}
class Wrong extends Schema.TaggedError<Wrong>()("Wrong", {}) {}

const Say = Task.make("say", { payload: { word: Schema.String }, result: Schema.String })
const Fail = Task.make("fail", {
  payload: { key: Schema.String, after: Schema.optional(Schema.Number) },
  error: Schema.Union([Busy, Wrong]),
  retry: Retry.byError([["Wrong", Retry.none]], Retry.fixed({ attempts: 1, delay: "20 millis" }))
})
const Loose = Task.make("loose", { payload: { any: Schema.Any }, retry: Retry.none })
const Hang = Task.make("hang", { payload: { key: Schema.String } })
const Hourly = Task.make("hourly", { payload: { k: Schema.String }, unique: { key: ({ k }) => k, within: "1 hour" } })
const Newest = Task.make("newest", {
  payload: { k: Schema.String, v: Schema.Int },
  result: Schema.Int,
  unique: { key: ({ k }) => k, mode: "replace" }
})
const Quiet = Task.make("quiet", {
  payload: { k: Schema.String, v: Schema.Int },
  result: Schema.Int,
  unique: { key: ({ k }) => k, mode: "debounce", within: "150 millis" }
})
const Patient = Task.make("patient", {
  payload: { v: Schema.Int },
  result: Schema.Int,
  unique: { key: () => "all", mode: "debounce", within: "200 millis", maxWait: "400 millis" }
})

const runs = new Map<string, number>()
const count = (key: string) => runs.set(key, (runs.get(key) ?? 0) + 1).get(key) ?? 0
const values: Array<number> = []
const gates = new Map<string, Deferred.Deferred<void>>()
const gate = (key: string) => {
  const known = gates.get(key) ?? Deferred.makeUnsafe<void>()
  gates.set(key, known)
  return known
}

const tasks = Layer.mergeAll(
  Say.toLayer(Effect.succeed(({ word }) => Effect.succeed(word))),
  Fail.toLayer(
    Effect.succeed(({ after, key }) =>
      Effect.suspend(() => {
        count(key)
        return Effect.fail(after === undefined ? new Wrong() : new Busy({ retryAfterMs: after }))
      })
    )
  ),
  Hang.toLayer(
    Effect.succeed(({ key }) =>
      Effect.andThen(
        Effect.sync(() => count(key)),
        Deferred.await(gate(key))
      )
    )
  ),
  Loose.toLayer(Effect.succeed(() => Effect.fail(Object.create(null) as never))),
  Hourly.toLayer(Effect.succeed(() => Effect.void)),
  Newest.toLayer(
    Effect.succeed(({ k, v }) =>
      Effect.suspend(() => {
        count(k)
        values.push(v)
        return k === "slow" && v === 1 ? Effect.as(Deferred.await(gate(k)), v) : Effect.succeed(v)
      })
    )
  ),
  Quiet.toLayer(Effect.succeed(({ k, v }) => Effect.sync(() => (count(k), v)))),
  Patient.toLayer(Effect.succeed(({ v }) => Effect.sync(() => (count("patient"), v))))
)

const namespace = freshNamespace("calling")
const live = Workers.layer({ concurrency: 8, leaseMs: 1_000, queues: ["high-priority", "default"] }).pipe(
  Layer.provide(tasks),
  Layer.provideMerge(clientLayer(namespace, { maxQueued: 5_000 }))
)
const until = (id: string, state: string) =>
  eventually(
    `${id} is ${state}`,
    Effect.map(
      Inspect.use((i) => i.job(id)),
      (job) => job?.state === state
    )
  )
const offer = (job: Parameters<Engine["Service"]["offer"]>[0]) => Engine.use((engine) => engine.offer(job))

layer(live, { excludeTestServices: true, timeout: "20 seconds" })("calling", (it) => {
  describe("times", () => {
    it.effect("eta is a time, and goes before delay; one that has passed means at once", () =>
      Effect.gen(function* () {
        const started = Date.now()
        yield* Say.run({ word: "a" }, { eta: new Date(started + 120), delay: "1 hour" })
        assert.isTrue(Date.now() - started >= 110)
        assert.strictEqual(yield* Say.run({ word: "b" }, { eta: 0 }), "b")
        const bad = yield* Effect.flip(Say.enqueue({ word: "c" }, { eta: Number.NaN }))
        assert.strictEqual(bad._tag === "PayloadInvalid" && bad.issues[0]?.path, "options.eta")
      })
    )
    it.effect("and queues that make no sense are refused by their names", () =>
      Effect.gen(function* () {
        const wrong = {
          delay: { delay: "soon" as "1 hour" },
          expires: { expires: "never" as "1 hour" },
          timeout: { timeout: "long" as "1 hour" },
          queue: { queue: "fast" as "default" }
        }
        for (const [name, options] of Object.entries(wrong)) {
          const bad = yield* Effect.flip(Say.enqueue({ word: "c" }, options))
          assert.strictEqual(bad._tag === "PayloadInvalid" && bad.issues[0]?.path, `options.${name}`)
        }
        assert.throws(() => Task.make("t", { payload: {}, queue: "fast" as "default" }), /expected a queue of/u)
        const big = Loose.enqueue({ any: 1n })
        assert.strictEqual((yield* Effect.flip(big))._tag, "PayloadInvalid")
      })
    )
    it.effect("expires holds as a Date, after a promote and on a retry", () =>
      Effect.gen(function* () {
        const late = yield* Effect.flip(Say.run({ word: "a" }, { delay: "60 millis", expires: new Date() }))
        assert.strictEqual(late._tag, "JobCancelled")
        const id = yield* Fail.enqueue({ key: "expires", after: 200 }, { retries: 5, expires: "150 millis" })
        yield* until(id, "cancelled")
        assert.strictEqual(runs.get("expires"), 1)
      })
    )
    it.effect("a call may have its own time limit and its own queue", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          Hang.run({ key: "limit" }, { timeout: "40 millis", retries: 0, queue: "high-priority" })
        )
        assert.strictEqual(error._tag === "JobFailed" && error.error._tag, "TimedOut")
        assert.include(error.message, "40 ms")
      })
    )
  })

  describe("retries", () => {
    it.effect("are those of the call where it names some, and of the error's rule", () =>
      Effect.gen(function* () {
        yield* Effect.flip(Fail.run({ key: "task", after: 1 }))
        assert.strictEqual(runs.get("task"), 2)
        yield* Effect.flip(Fail.run({ key: "call", after: 1 }, { retries: 4 }))
        assert.strictEqual(runs.get("call"), 5)
        yield* Effect.flip(Fail.run({ key: "never" }, { retries: 4 }))
        assert.strictEqual(runs.get("never"), 1)
      })
    )
    it.effect("end with an error that nobody can put in words", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Loose.run({ any: 1 }))
        assert.match(error.message, /Defect: its end: /u)
      })
    )
    it.effect("wait as long as the error says", () =>
      Effect.gen(function* () {
        const started = Date.now()
        yield* Effect.flip(Fail.run({ key: "after", after: 250 }))
        assert.isTrue(Date.now() - started >= 240)
      })
    )
    it.effect("for ever, until somebody revokes", () =>
      Effect.gen(function* () {
        const id = yield* Fail.enqueue({ key: "ever", after: 1 }, { retries: Infinity })
        yield* eventually(
          "many tries",
          Effect.sync(() => (runs.get("ever") ?? 0) > 8)
        )
        yield* Control.use((c) => c.revoke(id))
        yield* until(id, "cancelled")
      })
    )
  })

  describe("unique", () => {
    it.effect("refuses within its window, also after the end; a cancelled job does not count", () =>
      Effect.gen(function* () {
        const first = yield* Hourly.enqueue({ k: "a" })
        yield* until(first, "done")
        assert.deepStrictEqual(yield* offer(Hourly.job({ k: "a" })), { id: first, duplicate: true })
        const waiting = yield* Hourly.enqueue({ k: "b" }, { delay: "1 hour" })
        yield* Control.use((c) => c.revoke(waiting))
        assert.notStrictEqual(yield* Hourly.enqueue({ k: "b" }), waiting)
      })
    )
    it.effect("is atomic: of many at once one is in", () =>
      Effect.gen(function* () {
        const all = yield* Effect.forEach(Array.from({ length: 200 }), () => offer(Hourly.job({ k: "once" })), {
          concurrency: "unbounded"
        })
        assert.strictEqual(all.filter((e) => !e.duplicate).length, 1)
        assert.strictEqual(new Set(all.map((e) => e.id)).size, 1)
      })
    )
    it.effect("replace gives a delayed job the newest payload and keeps its time", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const started = Date.now()
        const id = yield* Newest.enqueue({ k: "delayed", v: 1 }, { delay: "200 millis" })
        const second = yield* engine.offer(Newest.job({ k: "delayed", v: 2 }), { delay: "1 hour" })
        assert.deepStrictEqual(second, { id, duplicate: false, replaced: id })
        assert.strictEqual(yield* engine.await(id), 2)
        assert.isTrue(Date.now() - started >= 190 && Date.now() - started < 5_000)
        assert.strictEqual(runs.get("delayed"), 1)
        assert.notStrictEqual(yield* Newest.enqueue({ k: "delayed", v: 3 }), id)
      })
    )
    it.effect("replace cancels a queued job for the new one, and tells whoever waits", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        // Nobody here serves that queue.
        const queue = "low-priority" as const
        const first = yield* Newest.enqueue({ k: "queued", v: 1 }, { queue })
        const waiting = yield* Effect.forkChild(Effect.flip(engine.await(first)))
        const second = yield* engine.offer(Newest.job({ k: "queued", v: 2 }), { queue })
        assert.deepStrictEqual([second.duplicate, second.replaced], [false, first])
        const error = yield* Fiber.join(waiting)
        assert.strictEqual(error._tag === "JobCancelled" && error.reason, `replaced by ${second.id}`)
        yield* until(second.id, "queued")
        assert.deepStrictEqual((yield* Inspect.use((i) => i.job(second.id)))?.payload, { k: "queued", v: 2 })
      })
    )
    it.effect("replace lets a running job finish and adds the new one", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const first = yield* Newest.enqueue({ k: "slow", v: 1 })
        yield* eventually(
          "it runs",
          Effect.sync(() => runs.get("slow") === 1)
        )
        const second = yield* offer(Newest.job({ k: "slow", v: 2 }))
        assert.isTrue(!second.duplicate && second.id !== first)
        assert.strictEqual(yield* engine.await(second.id), 2)
        yield* Deferred.succeed(gate("slow"), undefined)
        assert.strictEqual(yield* engine.await(first), 1)
      })
    )
    it.effect("debounce runs once, after the last enqueue, with the newest payload", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const first = yield* Quiet.enqueue({ k: "q", v: 1 })
        yield* Effect.sleep("80 millis")
        yield* Quiet.enqueue({ k: "q", v: 2 })
        yield* Effect.sleep("80 millis")
        const last = Date.now()
        assert.strictEqual(yield* Quiet.enqueue({ k: "q", v: 3 }), first)
        assert.strictEqual(yield* engine.await(first), 3)
        assert.isTrue(Date.now() - last >= 140)
        assert.strictEqual(runs.get("q"), 1)
      })
    )
    it.effect("debounce puts off no longer than its longest wait", () =>
      Effect.gen(function* () {
        const started = Date.now()
        for (let v = 0; (runs.get("patient") ?? 0) === 0 && Date.now() - started < 5_000; v++) {
          yield* Patient.enqueue({ v })
          yield* Effect.sleep("20 millis")
        }
        const waited = Date.now() - started
        assert.isTrue(waited >= 390 && waited < 2_000, `${waited} ms`)
      })
    )
    it.effect("replace and debounce are refused in a flow", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(offer(Flow.all([Quiet.job({ k: "f", v: 1 })])))
        assert.strictEqual(error._tag, "PayloadInvalid")
      })
    )
  })

  describe("many at once", () => {
    it.effect("a refusal tells which jobs are in", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const jobs = [Say.job({ word: "in" }), Say.job({ word: "x".repeat(1_100_000) }), Say.job({ word: "too" })]
        const error = yield* Effect.flip(engine.enqueueAll(jobs))
        assert.deepStrictEqual(
          error.refused.map((r) => [r.index, r.error._tag]),
          [[1, "PayloadTooLarge"]]
        )
        assert.isUndefined(error.ids[1])
        assert.strictEqual(yield* engine.await(error.ids[0] ?? ""), "in")
        assert.strictEqual(yield* engine.await(error.ids[2] ?? ""), "too")
        assert.isFalse(error.retryable)
      })
    )
  })
})
