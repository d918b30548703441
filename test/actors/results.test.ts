/** What is kept of jobs and how one asks for it, on real Redis: states, waiting, children, ignored and large results. */
import { assert, describe, layer } from "@effect/vitest"
import { Deferred, Effect, Layer, Schema } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Flow from "../../src/jobs/Flow.ts"
import * as Retry from "../../src/jobs/Retry.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Control } from "../../src/streams/Control.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { keysOf } from "../../src/streams/Keys.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { Results } from "../../src/streams/Status.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

const Leaf = Task.make("leaf", { payload: { n: Schema.Int }, result: Schema.Int, queue: "high-priority" })
const Parent = Task.make("parent", { payload: {}, result: Schema.Array(Schema.String) })
const Large = Task.make("large", { payload: { size: Schema.Int }, result: Schema.String })
const Silent = Task.make("silent", { payload: { key: Schema.String }, result: Schema.Int, ignoreResult: true })
const Stage = Task.make("stage", { payload: {} })
const Break = Task.make("break", { payload: {}, error: Schema.String, retry: Retry.none })
const Again = Task.make("again", {
  payload: {},
  error: Schema.String,
  retry: Retry.fixed({ attempts: 1, delay: "1 hour" })
})

const staged = Deferred.makeUnsafe<void>()
const quiet = Deferred.makeUnsafe<void>()

const tasks = Layer.mergeAll(
  Leaf.toLayer(Effect.succeed(({ n }) => Effect.succeed(n))),
  Parent.toLayer(
    Effect.map(Engine, (engine) => () => {
      const one = Effect.provideService(Leaf.enqueue({ n: 1 }), Engine, engine)
      const bulk = engine.enqueueAll([Leaf.job({ n: 2 }), Leaf.job({ n: 3 })])
      const flow = engine.enqueue(Flow.all([Leaf.job({ n: 4 }), Leaf.job({ n: 5 })]))
      return Effect.orDie(Effect.map(Effect.all([one, bulk, flow]), ([a, b, c]) => [a, ...b, c]))
    })
  ),
  Large.toLayer(Effect.succeed(({ size }) => Effect.succeed("ä".repeat(size)))),
  Silent.toLayer(
    Effect.succeed(({ key }) => (key === "wait" ? Effect.as(Deferred.await(quiet), 7) : Effect.succeed(7)))
  ),
  Stage.toLayer(
    Effect.succeed((_, job) => Effect.andThen(job.state("PROGRESS", { done: 3, of: 10 }), Deferred.await(staged)))
  ),
  Break.toLayer(Effect.succeed(() => Effect.fail("broken"))),
  Again.toLayer(Effect.succeed(() => Effect.fail("not yet")))
)

const namespace = freshNamespace("results")
const keys = keysOf(namespace)
const live = Workers.layer({
  concurrency: 8,
  leaseMs: 1_000,
  resultApartOver: 2_000,
  queues: ["high-priority", "default"]
}).pipe(Layer.provide(tasks), Layer.provideMerge(clientLayer(namespace)))
const statusOf = (id: string) => Results.use((r) => r.status(id))
const until = (id: string, state: string) =>
  eventually(
    `${id} is ${state}`,
    Effect.map(statusOf(id), (s) => (s.state === state ? s : undefined))
  )
const exists = (key: string) => Redis.use((r) => r.use("exists", (c) => c.exists(key)))

layer(live, { excludeTestServices: true, timeout: "20 seconds" })("results", (it) => {
  describe("states", () => {
    it.effect("are told in one word, as users of Celery know them and finer", () =>
      Effect.gen(function* () {
        const control = yield* Control
        assert.strictEqual((yield* statusOf("d-nobody")).state, "NOT_FOUND")
        assert.strictEqual((yield* statusOf("what")).celery, "PENDING")
        const done = yield* Leaf.enqueue({ n: 5 })
        const success = yield* until(done, "SUCCESS")
        assert.deepStrictEqual(
          [success.result, success.ready, success.celery, success.attempt],
          [5, true, "SUCCESS", 1]
        )
        const dead = yield* Break.enqueue({})
        assert.strictEqual((yield* until(dead, "DEAD")).celery, "FAILURE")
        const engine = yield* Engine
        const after = yield* engine.enqueue(Flow.all([Break.job({})]))
        assert.strictEqual((yield* until(after, "FAILURE")).error?._tag, "FlowFailed")
        const retry = yield* Again.enqueue({})
        assert.strictEqual((yield* until(retry, "RETRY")).celery, "RETRY")
        yield* control.revoke(retry)
        assert.isTrue((yield* until(retry, "REVOKED")).ready)
        const later = yield* Leaf.enqueue({ n: 1 }, { delay: "1 hour" })
        const delayed = yield* statusOf(later)
        assert.deepStrictEqual([delayed.state, delayed.celery], ["DELAYED", "PENDING"])
        // Nobody here serves that queue.
        const queued = yield* Leaf.enqueue({ n: 1 }, { queue: "low-priority" })
        assert.strictEqual((yield* statusOf(queued)).state, "QUEUED")
      })
    )
    it.effect("of one's own show while the job runs, and are over with it", () =>
      Effect.gen(function* () {
        const id = yield* Stage.enqueue({})
        const shown = yield* until(id, "PROGRESS")
        assert.deepStrictEqual([shown.progress, shown.celery, shown.ready], [{ done: 3, of: 10 }, "PROGRESS", false])
        yield* Deferred.succeed(staged, undefined)
        yield* until(id, "SUCCESS")
      })
    )
  })

  describe("waiting", () => {
    it.effect("for what ended before it was asked for, while others were waited for", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        // From here on this process listens.
        yield* Leaf.run({ n: 1 })
        const id = yield* Leaf.enqueue({ n: 7 })
        yield* until(id, "SUCCESS")
        assert.strictEqual(yield* engine.await(id), 7)
        const large = yield* Large.enqueue({ size: 3_000 })
        yield* until(large, "SUCCESS")
        assert.strictEqual(yield* engine.await(large), "ä".repeat(3_000))
        const broken = yield* Break.enqueue({})
        yield* until(broken, "DEAD")
        assert.strictEqual((yield* Effect.flip(engine.await(broken)))._tag, "JobFailed")
      })
    )
    it.effect("ends at its time with a typed error, and the job goes on", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const id = yield* Leaf.enqueue({ n: 9 }, { delay: "150 millis" })
        const error = yield* Effect.flip(engine.await(id, { timeout: "20 millis" }))
        assert.strictEqual(error._tag === "AwaitTimedOut" && error.timeoutMs, 20)
        assert.strictEqual(yield* engine.await(id, { timeout: "10 seconds" }), 9)
      })
    )
  })

  describe("children", () => {
    it.effect("know their parent, and the parent its children", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const id = yield* Parent.enqueue({})
        const children = (yield* engine.await(id)) as ReadonlyArray<string>
        const status = yield* statusOf(id)
        assert.sameMembers([...status.children], [...children])
        assert.strictEqual(children.length, 4)
        for (const child of children.slice(0, 3)) {
          assert.strictEqual((yield* until(child, "SUCCESS")).parent, id)
        }
        const ttl = yield* Redis.use((r) => r.use("pttl", (c) => c.pttl(keys.queue("default").children(id))))
        assert.isTrue(ttl > 80_000_000, `ttl ${ttl}`)
        assert.isUndefined((yield* statusOf(id)).parent)
      })
    )
  })

  describe("that nobody wants", () => {
    it.effect("leave a mark for some seconds; whoever waited is told of the end", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const id = yield* Silent.enqueue({ key: "wait" })
        const key = keys.queue("default").job(id)
        assert.strictEqual(yield* exists(key), 1)
        yield* Effect.forkChild(Effect.delay(Deferred.succeed(quiet, undefined), "50 millis"))
        yield* engine.await(id)
        // What a repeated enqueue is known by, and no more.
        const left = (record: string) =>
          Redis.use((r) =>
            r.use(
              "left",
              async (c) => [Object.keys(await c.hgetall(record)), (await c.pttl(record)) <= 15_000] as const
            )
          )
        assert.deepStrictEqual(yield* left(key), [["run"], true])
        assert.strictEqual((yield* statusOf(id)).state, "NOT_FOUND")
        // Also where it has ended before anybody waits.
        assert.isUndefined(yield* Leaf.run({ n: 1 }, { ignoreResult: true }))
        const call = yield* Leaf.enqueue({ n: 1 }, { ignoreResult: true })
        yield* eventually(
          "it has ended",
          Effect.map(left(keys.queue("high-priority").job(call)), ([fields]) => fields.join(",") === "run")
        )
        const kept = yield* Silent.enqueue({ key: "" }, { ignoreResult: false })
        assert.strictEqual((yield* until(kept, "SUCCESS")).result, 7)
      })
    )
    it.effect("stay known by a chosen id, without their result", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const id = yield* Silent.enqueue({ key: "" }, { id: "slot:7" })
        assert.isNull((yield* until(id, "SUCCESS")).result)
        assert.isTrue((yield* engine.offer(Silent.job({ key: "" }), { id: "slot:7" })).duplicate)
      })
    )
    it.effect("are forgotten when they have ended, not before", () =>
      Effect.gen(function* () {
        const results = yield* Results
        const later = yield* Leaf.enqueue({ n: 1 }, { delay: "1 hour" })
        assert.isFalse(yield* results.forget(later))
        assert.isFalse(yield* results.forget("d-nobody"))
        const id = yield* Parent.enqueue({})
        yield* until(id, "SUCCESS")
        assert.isTrue(yield* results.forget(id))
        const after = yield* statusOf(id)
        assert.deepStrictEqual([after.state, after.children.length], ["NOT_FOUND", 0])
      })
    )
  })

  describe("that are large", () => {
    it.effect("stand apart, read as if they did not", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const inspect = yield* Inspect
        const id = yield* Large.enqueue({ size: 5_000 })
        const text = "ä".repeat(5_000)
        assert.strictEqual(yield* engine.await(id), text)
        assert.strictEqual((yield* statusOf(id)).result, text)
        assert.strictEqual((yield* inspect.job(id))?.result, text)
        const k = keys.queue("default")
        assert.strictEqual(yield* Redis.use((r) => r.use("hget", (c) => c.hget(k.job(id), "result"))), ">")
        const [job, apart] = yield* Redis.use((r) =>
          r.use("ttl", (c) => Promise.all([c.pttl(k.job(id)), c.pttl(k.result(id))]))
        )
        assert.isTrue(apart > 80_000_000 && Math.abs(job - apart) < 10_000)
        assert.strictEqual(yield* exists(k.result(yield* Large.enqueue({ size: 10 }))), 0)
        yield* Results.use((r) => r.forget(id))
        assert.strictEqual(yield* exists(k.result(id)), 0)
      })
    )
    it.effect("beyond the limit are refused: the job is dead, and says how large it was", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        // Two bytes each, and quotes around them; the limit is 1 MiB.
        const error = yield* Effect.flip(Effect.flatMap(Large.enqueue({ size: 600_000 }), (id) => engine.await(id)))
        assert.strictEqual(error._tag === "JobFailed" && error.error._tag, "ResultTooLarge")
        assert.match(error.message, /expected at most 1048576 bytes, got 1200002/u)
      })
    )
  })
})
