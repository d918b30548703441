/** Limits and pauses at their edges: a holder that is killed, a worker that was deaf, jobs that wait where no queue shows them. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Redacted, Schema } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import { LocalWorker } from "../../src/actors/Worker.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Flow from "../../src/jobs/Flow.ts"
import * as Retry from "../../src/jobs/Retry.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Control } from "../../src/streams/Control.ts"
import * as Gates from "../../src/streams/Gates.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { keysOf } from "../../src/streams/Keys.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { StreamsLive } from "../../src/streams/Streams.ts"
import { child } from "../support/child.ts"
import { clientLayer, eventually, freshNamespace, redisUrl } from "../support/engine.ts"
import { hasOneWire, makeWire } from "../support/proxy.ts"
import { Alone } from "../support/threads/process.child.ts"

const Job = Task.make("job", { payload: { n: Schema.Int }, result: Schema.Int, retry: Retry.none })
const stateOf = (id: string) =>
  Effect.map(
    Inspect.use((inspect) => inspect.job(id)),
    (job) => job?.state
  )

/** Runs `Job`: it waits for `open` where `n` is 0. */
const worker = (begun: Array<number>, open?: Deferred.Deferred<void>, options: Workers.Options = {}) =>
  Layer.fresh(Workers.layer({ concurrency: 8, leaseMs: 500, drainTimeout: "300 millis", ...options })).pipe(
    Layer.provide(
      Job.toLayer(
        Effect.succeed(({ n }) =>
          Effect.sync(() => void begun.push(n)).pipe(
            Effect.andThen(n === 0 && open !== undefined ? Deferred.await(open) : Effect.void),
            Effect.as(n)
          )
        )
      )
    )
  )

describe("a permit", () => {
  const killed = freshNamespace("permit-kill")
  it.live(
    "of a worker that is killed comes back by its lease",
    () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const control = yield* Control
        const redis = yield* Redis
        const options = { leaseMs: 1_000, drainTimeout: 10 }
        const first = yield* child({ namespace: killed, options })
        const held = yield* Alone.enqueue({ ms: 60_000 })
        yield* eventually(
          "it runs",
          Effect.map(stateOf(held), (s) => s === "running")
        )
        const { permits } = Gates.gateKeys(killed, "alone", undefined)
        yield* eventually(
          "it holds the permit",
          redis.use("zcard", (c) => c.zcard(permits)).pipe(Effect.map((n) => n === 1))
        )
        first.process.kill("SIGKILL")
        const ended = first.ended
        yield* Effect.promise(() => ended)
        // Its next run would take the permit over; it has none.
        yield* control.revoke(held)
        const next = yield* Alone.enqueue({ ms: 1 })
        yield* child({ namespace: killed, options })
        assert.strictEqual(yield* engine.await(next), 1)
      }).pipe(Effect.scoped, Effect.provide(clientLayer(killed))),
    30_000
  )

  const adopted = freshNamespace("permit-adopt")
  it.live("is taken by what runs already when a limit is set", () => {
    const begun: Array<number> = []
    const open = Deferred.makeUnsafe<void>()
    return Effect.gen(function* () {
      const engine = yield* Engine
      const control = yield* Control
      const redis = yield* Redis
      yield* Layer.build(worker(begun, open))
      const running = yield* Job.enqueue({ n: 0 })
      yield* eventually(
        "it runs",
        Effect.sync(() => begun.length === 1)
      )
      yield* control.concurrency("job", 1)
      const { permits } = Gates.gateKeys(adopted, "job", undefined)
      yield* eventually(
        "it holds a permit",
        redis.use("zcard", (c) => c.zcard(permits)).pipe(Effect.map((n) => n === 1))
      )
      const next = yield* Job.enqueue({ n: 1 })
      const { delayed } = keysOf(adopted).queue("default")
      yield* eventually("the next waits", redis.use("zcard", (c) => c.zcard(delayed)).pipe(Effect.map((n) => n === 1)))
      assert.deepStrictEqual(begun, [0])
      yield* Deferred.succeed(open, undefined)
      assert.strictEqual(yield* engine.await(running), 0)
      assert.strictEqual(yield* engine.await(next), 1)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(adopted)))
  })
})

describe("what was set", () => {
  const deaf = freshNamespace("deaf")
  it.live.skipIf(!hasOneWire(redisUrl))("while a worker was cut off is read when it is back", () => {
    const begun: Array<number> = []
    return Effect.gen(function* () {
      const redis = yield* Redis
      const wire = yield* Effect.acquireRelease(
        Effect.promise(() => makeWire(redisUrl)),
        (w) => Effect.sync(w.close)
      )
      const through = Redis.layer({ url: Redacted.make(wire.url), namespace: deaf })
      const context = yield* Layer.build(
        Layer.fresh(worker(begun)).pipe(Layer.provide(StreamsLive()), Layer.provide(Layer.fresh(through)))
      )
      const { gatekeeper } = yield* LocalWorker.pipe(Effect.provideContext(context))
      yield* Job.run({ n: 1 })
      wire.cut()
      const control = yield* Control
      yield* control.rateLimit("job", "1/h")
      wire.mend()
      // Nobody tells it again: it reads what it has missed.
      yield* eventually(
        "it knows the limit",
        Effect.sync(() => gatekeeper.of("job")?.rate !== undefined)
      )
      const ids = yield* Effect.forEach([2, 3, 4], (n) => Job.enqueue({ n }))
      const { delayed } = keysOf(deaf).queue("default")
      yield* eventually(
        "all but the first wait",
        redis.use("zcard", (c) => c.zcard(delayed)).pipe(Effect.map((n) => n === ids.length - 1))
      )
      assert.lengthOf(begun, 2)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(deaf)))
  })
})

describe("jobs of a paused task", () => {
  const full = freshNamespace("parked-full")
  it.live("count towards what the queue may hold, until they are gone", () => {
    const begun: Array<number> = []
    return Effect.gen(function* () {
      const control = yield* Control
      const redis = yield* Redis
      const { meta } = keysOf(full).queue("default")
      const parked = redis.use("hget", (c) => c.hget(meta, "parked"))
      yield* control.pauseTask("job")
      yield* Layer.build(worker(begun))
      const ids = yield* Effect.forEach([1, 2, 3, 4, 5, 6], (n) => Job.enqueue({ n }))
      yield* eventually(
        "all are set aside",
        Effect.map(parked, (n) => n === "6")
      )
      yield* Effect.forEach([7, 8, 9, 10], (n) => Job.enqueue({ n }))
      yield* eventually(
        "these too",
        Effect.map(parked, (n) => n === "10")
      )
      assert.strictEqual((yield* Effect.flip(Job.enqueue({ n: 11 })))._tag, "QueueFull")
      yield* control.revoke(ids[0] ?? "")
      assert.strictEqual(yield* parked, "9")
      yield* control.purge("default")
      assert.strictEqual(Number(yield* parked), 0)
      yield* Job.enqueue({ n: 12 })
      yield* eventually(
        "set aside",
        Effect.map(parked, (n) => n === "1")
      )
      assert.strictEqual(yield* control.resumeTask("job"), 1)
      assert.isNull(yield* parked)
      yield* eventually(
        "it has run",
        Effect.sync(() => begun.includes(12))
      )
    }).pipe(Effect.scoped, Effect.provide(clientLayer(full, { maxQueued: 10 })))
  })
})

describe("revoking a task", () => {
  const named = freshNamespace("revoke-task")
  it.live("reaches jobs in lanes, and those that wait for others of their flow", () => {
    const begun: Array<number> = []
    const open = Deferred.makeUnsafe<void>()
    const First = Task.make("first", { payload: {}, result: Schema.Struct({ n: Schema.Int }), retry: Retry.none })
    const first = First.toLayer(Effect.succeed(() => Effect.as(Deferred.await(open), { n: 7 })))
    return Effect.gen(function* () {
      const engine = yield* Engine
      const control = yield* Control
      const chain = yield* engine.enqueue(First.job({}).andThen(Job, {}))
      const laned = yield* Effect.forEach(
        Array.from({ length: 100 }, (_, n) => n + 100),
        (n) => Job.enqueue({ n }, { key: `tenant-${n % 3}` })
      )
      yield* control.revokeTask("job")
      yield* Layer.build(
        Layer.fresh(Workers.layer({ concurrency: 8, leaseMs: 500 })).pipe(
          Layer.provide(
            Layer.merge(first, Job.toLayer(Effect.succeed(({ n }) => Effect.sync(() => (begun.push(n), n)))))
          )
        )
      )
      yield* Deferred.succeed(open, undefined)
      for (const id of [chain, ...laned]) {
        assert.strictEqual((yield* Effect.flip(engine.await(id)))._tag, "JobCancelled")
      }
      assert.deepStrictEqual(begun, [])
      assert.strictEqual(yield* Job.run({ n: 1 }, { key: "tenant-0" }), 1)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(named)))
  })
})

describe("one job over many values", () => {
  const mapped = freshNamespace("map-limited")
  it.effect("is refused where its task has a limit over all workers", () => {
    const Paced = Task.make("paced", { payload: { n: Schema.Int }, rateLimit: "1/s" })
    return Effect.gen(function* () {
      const engine = yield* Engine
      for (const job of [Flow.starmap(Paced, [{ n: 1 }]), Flow.chunks(Paced, [{ n: 1 }], 1)]) {
        const refused = yield* Effect.flip(engine.enqueue(job))
        assert.strictEqual(refused._tag, "PayloadInvalid")
        assert.include(JSON.stringify(refused), "without rateLimit and concurrency")
      }
    }).pipe(Effect.provide(clientLayer(mapped)))
  })
})
