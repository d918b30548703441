/** Steering workers from outside: pauses, revokes, time limits, questions and answers; with several workers, and with none. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Layer, Schema } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import { LocalWorker } from "../../src/actors/Worker.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Retry from "../../src/jobs/Retry.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Control } from "../../src/streams/Control.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

const fields = { payload: { n: Schema.Int }, result: Schema.Int, retry: Retry.none }

/** A world of its own: `one` waits at a gate, `stiff` can't be interrupted while it does, `two` is quick. */
const world = () => {
  const open = Deferred.makeUnsafe<void>()
  const begun: Array<string> = []
  const cleaned: Array<number> = []
  const One = Task.make("one", fields)
  const Two = Task.make("two", fields)
  const Stiff = Task.make("stiff", { ...fields, timeout: "100 millis", hardTimeout: "300 millis" })
  const waits = (name: string) => (n: number) =>
    Effect.sync(() => begun.push(`${name}${n}`)).pipe(
      Effect.andThen(Deferred.await(open)),
      Effect.onInterrupt(() => Effect.sync(() => cleaned.push(n))),
      Effect.as(n)
    )
  const tasks = Layer.mergeAll(
    One.toLayer(Effect.succeed(({ n }) => waits("one")(n))),
    Two.toLayer(
      Effect.succeed(({ n }) =>
        Effect.as(
          Effect.sync(() => begun.push(`two${n}`)),
          n
        )
      )
    ),
    Stiff.toLayer(Effect.succeed(({ n }) => Effect.uninterruptible(waits("stiff")(n))))
  )
  const worker = (options: Workers.Options = {}) =>
    Layer.fresh(Workers.layer({ leaseMs: 500, drainTimeout: "300 millis", graceMs: 200, ...options })).pipe(
      Layer.provide(tasks)
    )
  const start = (options?: Workers.Options) =>
    Effect.flatMap(Layer.build(worker(options)), (context) => LocalWorker.pipe(Effect.provideContext(context)))
  return { open, begun, cleaned, One, Two, Stiff, start }
}
const ran = (w: ReturnType<typeof world>, what: string) =>
  eventually(
    `${what} runs`,
    Effect.sync(() => w.begun.includes(what))
  )
const stateOf = (id: string) => Inspect.use((i) => Effect.map(i.job(id), (job) => job?.state))
const values = <A>(all: { readonly replies: ReadonlyArray<{ readonly ok: boolean; readonly value?: A }> }) =>
  all.replies.map((r) => r.value)

describe("pauses", () => {
  const queue = freshNamespace("pause")
  it.live("of a queue hold what is not begun, from the very moment on", () => {
    const w = world()
    return Effect.gen(function* () {
      const control = yield* Control
      const engine = yield* Engine
      const { desk } = yield* w.start()
      yield* w.Two.run({ n: 0 })
      yield* control.pause("default")
      yield* eventually(
        "it is heard",
        Effect.sync(() => desk.paused.has("default"))
      )
      const ids = yield* engine.enqueueAll([1, 2, 3].map((n) => w.Two.job({ n })))
      const High = Task.make("two", { ...fields, queue: "high-priority" })
      yield* High.run({ n: 9 })
      assert.deepStrictEqual(w.begun, ["two0", "two9"])
      yield* control.resume("default")
      yield* Effect.forEach(ids, (id) => engine.await(id))
    }).pipe(Effect.scoped, Effect.provide(clientLayer(queue)))
  })

  const task = freshNamespace("pause-task")
  it.live("of a task set its jobs aside, others go on; they survive a restart, and come back", () => {
    const w = world()
    return Effect.gen(function* () {
      const control = yield* Control
      const engine = yield* Engine
      const redis = yield* Redis
      const ids = yield* Effect.scoped(
        Effect.gen(function* () {
          const { desk } = yield* w.start()
          yield* control.pauseTask("one")
          // It holds for what begins once the worker has heard it.
          yield* eventually(
            "it has heard",
            Effect.sync(() => desk.told?.get("default")?.pausedTasks.has("one") === true)
          )
          const all = yield* engine.enqueueAll(Array.from({ length: 100 }, (_, n) => w.One.job({ n })))
          yield* w.Two.run({ n: 1 })
          return all
        })
      )
      yield* w.start()
      yield* Deferred.succeed(w.open, undefined)
      yield* eventually(
        "all are set aside",
        redis.use("zcard", (c) => c.zcard(`${task}:{default}:parked:one`)).pipe(Effect.map((n) => n === 100))
      )
      assert.isFalse(w.begun.some((name) => name.startsWith("one")))
      assert.strictEqual(yield* control.revoke(ids[99] ?? ""), "cancelled")
      assert.strictEqual(yield* stateOf(ids[0] ?? ""), "scheduled")
      assert.strictEqual(yield* control.resumeTask("one"), 99)
      yield* Effect.forEach(ids.slice(0, 99), (id) => engine.await(id), { concurrency: "unbounded" })
      yield* w.One.run({ n: 1_000 })
    }).pipe(Effect.scoped, Effect.provide(clientLayer(task)))
  })
})

describe("revokes", () => {
  const many = freshNamespace("revoke")
  it.live("reach jobs anywhere, many at a time; unknown ids are told", () => {
    const w = world()
    return Effect.gen(function* () {
      const control = yield* Control
      const engine = yield* Engine
      const a = yield* w.start({ concurrency: 1, prefetchMultiplier: 1 })
      yield* w.start({ concurrency: 1, prefetchMultiplier: 1 })
      const ids = yield* engine.enqueueAll(Array.from({ length: 200 }, (_, n) => w.One.job({ n })))
      const later = yield* w.One.enqueue({ n: 500 }, { delay: "1 hour" })
      yield* eventually(
        "two run",
        Effect.sync(() => w.begun.length === 2)
      )
      const started = performance.now()
      const what = yield* control.revokeAll([...ids, later, "d-nobody", "what"])
      yield* Effect.forEach(ids, (id) => Effect.exit(engine.await(id)), { concurrency: "unbounded" })
      assert.isBelow(performance.now() - started, 5_000)
      assert.deepStrictEqual(what.slice(-2), ["unknown", "unknown"])
      assert.strictEqual(what[200], "cancelled")
      assert.strictEqual(w.begun.length, 2)
      assert.strictEqual(w.cleaned.length, 2)
      yield* eventually(
        "nothing runs",
        Effect.sync(() => a.desk.runningJobs.size === 0)
      )
    }).pipe(Effect.scoped, Effect.provide(clientLayer(many)))
  })

  const gentle = freshNamespace("revoke-gentle")
  it.live("with terminate: false let what runs end", () => {
    const w = world()
    return Effect.gen(function* () {
      const control = yield* Control
      const engine = yield* Engine
      yield* w.start()
      const id = yield* w.One.enqueue({ n: 1 })
      yield* ran(w, "one1")
      assert.strictEqual(yield* control.revoke(id, { terminate: false }), "requested")
      yield* Deferred.succeed(w.open, undefined)
      assert.strictEqual(yield* engine.await(id), 1)
      assert.deepStrictEqual(w.cleaned, [])
    }).pipe(Effect.scoped, Effect.provide(clientLayer(gentle)))
  })

  const named = freshNamespace("revoke-task")
  it.live("by task take what is there now, running, queued, delayed or set aside, without any worker, too", () => {
    const w = world()
    return Effect.gen(function* () {
      const control = yield* Control
      const engine = yield* Engine
      const queued = yield* engine.enqueueAll(Array.from({ length: 300 }, (_, n) => w.One.job({ n })))
      const delayed = yield* w.One.enqueue({ n: 500 }, { delay: "1 hour" })
      const other = yield* w.Two.enqueue({ n: 1 })
      assert.deepStrictEqual(yield* control.revokeTask("one"), { cancelled: 301, requested: 0 })
      assert.strictEqual(yield* stateOf(queued[299] ?? ""), "cancelled")
      assert.strictEqual(yield* stateOf(delayed), "cancelled")
      yield* w.start()
      assert.strictEqual(yield* engine.await(other), 1)
      assert.deepStrictEqual(w.begun, ["two1"])
      const running = yield* w.One.enqueue({ n: 7 })
      yield* ran(w, "one7")
      const told = yield* control.revokeTask("one")
      assert.strictEqual(told.requested, 1)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(engine.await(running))))
      assert.deepStrictEqual(w.cleaned, [7])
      yield* Deferred.succeed(w.open, undefined)
      assert.strictEqual(yield* w.One.run({ n: 8 }), 8)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(named)))
  })

  const stiff = freshNamespace("revoke-stiff")
  it.live("of what can't be interrupted abandon it after its grace, and it is reported", () => {
    const w = world()
    return Effect.gen(function* () {
      const control = yield* Control
      const inspect = yield* Inspect
      const engine = yield* Engine
      const { desk, gatekeeper } = yield* w.start()
      yield* control.timeLimit("stiff", {})
      yield* eventually(
        "it is heard",
        Effect.sync(() => gatekeeper.of("stiff") !== undefined)
      )
      const id = yield* w.Stiff.enqueue({ n: 1 })
      yield* ran(w, "stiff1")
      yield* control.revoke(id)
      assert.strictEqual((yield* Effect.flip(engine.await(id)))._tag, "JobCancelled")
      assert.strictEqual(desk.runningJobs.size, 0)
      const row = yield* eventually(
        "the record tells of it",
        Effect.map(inspect.workers, (rows) => (rows[0] as { readonly abandoned?: unknown } | undefined)?.abandoned)
      )
      assert.deepInclude(row as object, { count: 1 })
      yield* Deferred.succeed(w.open, undefined)
      yield* eventually(
        "it has ended",
        Effect.sync(() => desk.strays.size === 0)
      )
    }).pipe(Effect.scoped, Effect.provide(clientLayer(stiff)))
  })
})

describe("time limits", () => {
  const namespace = freshNamespace("time")
  it.live("interrupt, then abandon; those set at run time hold for what begins afterwards", () => {
    const w = world()
    return Effect.gen(function* () {
      const control = yield* Control
      const { desk, gatekeeper } = yield* w.start()
      const started = performance.now()
      assert.include(String(yield* Effect.flip(w.Stiff.run({ n: 1 }))), "TimedOut")
      assert.isAbove(performance.now() - started, 280)
      assert.strictEqual(desk.abandoned, 1)
      yield* control.timeLimit("one", { soft: "50 millis" })
      yield* eventually(
        "it is heard",
        Effect.sync(() => gatekeeper.of("one") !== undefined)
      )
      assert.include(String(yield* Effect.flip(w.One.run({ n: 2 }))), "limit of 50 ms")
      assert.deepStrictEqual(w.cleaned, [2])
      assert.include((yield* Effect.flip(control.timeLimit("one", { soft: "soon" as never }))).message, "expected time")
      yield* Deferred.succeed(w.open, undefined)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(namespace)))
  })
})

describe("questions", () => {
  const namespace = freshNamespace("ask")
  it.live("are answered by each worker, by those that are meant, or by none", () => {
    const w = world()
    return Effect.gen(function* () {
      const control = yield* Control
      const inspect = yield* Inspect
      assert.deepStrictEqual(yield* inspect.ping(), { replies: [], silent: [] })
      assert.deepStrictEqual(yield* inspect.ping({ to: ["here:5"] }), { replies: [], silent: ["here:5"] })
      yield* w.start({ host: "here", concurrency: 2 })
      yield* w.start({ host: "here", concurrency: 3 })
      const started = performance.now()
      const all = yield* inspect.ping()
      assert.deepStrictEqual(
        all.replies.map((r) => r.worker),
        ["here:0", "here:1"]
      )
      assert.isBelow(performance.now() - started, 500, "it does not wait when all have answered")
      const some = yield* inspect.ping({ to: ["here:1", "here:7"], timeoutMs: 200 })
      assert.deepStrictEqual([some.replies.map((r) => r.worker), some.silent], [["here:1"], ["here:7"]])
      const clocks = yield* inspect.clock()
      assert.isTrue(clocks.length === 2 && clocks.every((c) => Math.abs(c.skewMs) < 200), JSON.stringify(clocks))

      const id = yield* w.One.enqueue({ n: 1 })
      yield* ran(w, "one1")
      const held = values(yield* inspect.queryTask([id, "d-nobody"])).flat()
      assert.deepStrictEqual(
        held.map((h) => [h?.id, h?.state]),
        [[id, "running"]]
      )
      const active = values(yield* inspect.ask("active", {})).flat()
      assert.deepStrictEqual(
        active.map((h) => h?.task),
        ["one"]
      )
      const conf = yield* inspect.ask("conf", {}, { to: ["here:0"] })
      assert.deepInclude(values(conf)[0] as object, { concurrency: 2, leaseMs: 500 })
      const tasks = values(yield* inspect.ask("registered", {}, { to: ["here:0"] }))[0]
      assert.deepInclude(
        tasks?.find((t) => t.name === "stiff"),
        { timeoutMs: 100, hardTimeoutMs: 300, rateLimit: null }
      )
      assert.strictEqual(values(yield* inspect.ask("stats", {})).length, 2)
      const wrong = yield* control.ask("nonsense" as never, {} as never)
      assert.isTrue(wrong.replies.every((r) => !r.ok && r.error.includes("expected one of ping, pool")))
      yield* Deferred.succeed(w.open, undefined)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(namespace)))
  })

  const pools = freshNamespace("pool")
  it.live("grow and shrink pools, add and cancel consumers", () => {
    const w = world()
    return Effect.gen(function* () {
      const control = yield* Control
      const engine = yield* Engine
      const { desk } = yield* w.start({ concurrency: 1, queues: ["default"] })
      const ids = yield* engine.enqueueAll([1, 2, 3, 4, 5, 6].map((n) => w.One.job({ n })))
      yield* eventually(
        "one runs",
        Effect.sync(() => w.begun.length === 1)
      )
      assert.deepStrictEqual(values(yield* control.pool(3)), [{ concurrency: 4 }])
      yield* eventually(
        "four run",
        Effect.sync(() => w.begun.length === 4)
      )
      assert.deepStrictEqual(values(yield* control.pool(-2)), [{ concurrency: 2 }])
      const tooFew = yield* control.pool(-2)
      assert.isTrue(tooFew.replies[0]?.ok === false && tooFew.replies[0].error.includes("expected a concurrency of 1"))
      yield* Deferred.succeed(w.open, undefined)
      yield* Effect.forEach(ids, (id) => engine.await(id))

      const high = yield* w.Two.enqueue({ n: 1 }, { queue: "high-priority" })
      assert.deepStrictEqual(values(yield* control.addConsumer("high-priority")), [
        { queues: ["high-priority", "default"] }
      ])
      assert.strictEqual(yield* engine.await(high), 1)
      assert.deepStrictEqual(values(yield* control.cancelConsumer("default")), [{ queues: ["high-priority"] }])
      const waits = yield* w.Two.enqueue({ n: 2 })
      yield* w.Two.run({ n: 3 }, { queue: "high-priority" })
      assert.notInclude(w.begun, "two2")
      yield* control.addConsumer("default")
      assert.strictEqual(yield* engine.await(waits), 2)
      assert.isFalse(desk.off.has("default"))
    }).pipe(Effect.scoped, Effect.provide(clientLayer(pools)))
  })

  const drains = freshNamespace("drain")
  it.live("drain a worker while others go on, and shut it down", () => {
    const w = world()
    return Effect.gen(function* () {
      const control = yield* Control
      const engine = yield* Engine
      const a = yield* w.start({ host: "a" })
      const running = yield* w.One.enqueue({ n: 1 })
      yield* ran(w, "one1")
      assert.deepStrictEqual(values(yield* control.drain({ to: ["a:0"] })), [{ running: 1 }])
      const waits = yield* w.Two.enqueue({ n: 2 })
      yield* Effect.scoped(Effect.andThen(w.start({ host: "b" }), engine.await(waits)))
      yield* Deferred.succeed(w.open, undefined)
      assert.strictEqual(yield* engine.await(running), 1)
      const next = yield* w.Two.enqueue({ n: 3 })
      assert.strictEqual(a.desk.waiting.default, 0)
      yield* control.undrain()
      assert.strictEqual(yield* engine.await(next), 3)
      assert.strictEqual((yield* control.shutdown()).replies.length, 1)
      yield* Deferred.await(a.stopped)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(drains)))
  })
})
