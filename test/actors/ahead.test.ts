/**
 * Claiming ahead: slow jobs go to whoever is idle, not to whoever was first to claim them; quick ones come in full batches; and a
 * queue whose claims were just used up does not hold the ones below it back.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Schema } from "effect"
import { Ahead } from "../../src/actors/Ahead.ts"
import { LocalWorker } from "../../src/actors/Worker.ts"
import { Engine, Task, Workers } from "../../src/engine.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

describe("how far a worker claims ahead", () => {
  it("is all it may for quick jobs, and what begins soon for slow ones", () => {
    const ahead = new Ahead()
    assert.isTrue(ahead.slow("default", 16, 4))
    assert.strictEqual(ahead.soon("default", 4), 1)
    for (let n = 0; n < 20; n++) ahead.ran("default", 5)
    assert.isFalse(ahead.slow("default", 16, 4))
    for (let n = 0; n < 20; n++) ahead.ran("default", 200)
    assert.isTrue(ahead.slow("default", 16, 4))
    assert.strictEqual(ahead.soon("default", 4), 5)
    ahead.waited("default", 60_000)
    assert.strictEqual(ahead.soon("default", 4), 1)
    assert.isTrue(ahead.slow("low-priority", 16, 4))
    for (let n = 0; n < 50; n++) ahead.ran("default", 1)
    assert.isFalse(ahead.slow("default", 16, 4))
  })
  it("is less where payloads are large", () => {
    const ahead = new Ahead()
    const payload = "x".repeat(1_000_000)
    const job = { queue: "default", entry: "1-0", count: 1, id: "d-a", task: "t", payload, meta: "" } as const
    assert.strictEqual(ahead.fitting("default", 256), 256)
    for (let n = 0; n < 20; n++) ahead.claimed("default", [job])
    assert.strictEqual(ahead.fitting("default", 256), 4)
    assert.strictEqual(ahead.fitting("low-priority", 256), 256)
  })
})

/** Jobs that run until they are let go; who ran which. */
const world = () => {
  const open = Deferred.makeUnsafe<void>()
  const begun: Array<readonly [worker: string, n: number]> = []
  const Slow = Task.make("slow", { payload: { n: Schema.Int }, result: Schema.Int })
  const High = Task.make("high", { payload: { n: Schema.Int }, result: Schema.Int, queue: "high-priority" })
  const start = (host: string, options: Workers.Options) => {
    const run = (n: number) =>
      Effect.andThen(
        Effect.sync(() => void begun.push([host, n])),
        n === 0 ? Effect.as(Deferred.await(open), n) : Effect.succeed(n)
      )
    const tasks = Layer.mergeAll(
      Slow.toLayer(Effect.succeed(({ n }) => run(n))),
      High.toLayer(Effect.succeed(({ n }) => run(n)))
    )
    const layer = Layer.fresh(Workers.layer({ leaseMs: 2_000, drainTimeout: "1 second", host, ...options }))
    return Effect.flatMap(Layer.build(Layer.provide(layer, tasks)), (context) =>
      LocalWorker.pipe(Effect.provideContext(context))
    )
  }
  return { open, begun, Slow, High, start }
}

describe("a worker whose permits are all in use", () => {
  const namespace = freshNamespace("yield")
  it.live("leaves what it has claimed ahead to one that is idle", () => {
    const w = world()
    return Effect.gen(function* () {
      const engine = yield* Engine
      const { desk } = yield* w.start("busy", { concurrency: 1, prefetchMultiplier: 8 })
      // So quick that it claims ahead what it may.
      yield* w.Slow.run({ n: 100 })
      w.begun.length = 0
      const ids = yield* engine.enqueueAll(Array.from({ length: 7 }, (_, n) => w.Slow.job({ n })))
      yield* eventually(
        "one runs, six wait",
        Effect.sync(() => desk.runningJobs.size === 1 && desk.waiting["default"] === 6)
      )
      yield* w.start("idle", { concurrency: 3 })
      const results = yield* Effect.forEach(ids.slice(1), (id) => engine.await(id, { timeout: "10 seconds" }), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(results, [1, 2, 3, 4, 5, 6])
      // None ran twice, and each was its first attempt, as far as anybody can tell.
      assert.deepStrictEqual(
        w.begun.map(([worker]) => worker),
        ["busy", "idle", "idle", "idle", "idle", "idle", "idle"]
      )
      assert.isAtMost(desk.free("default"), 2)
      yield* Deferred.succeed(w.open, undefined)
      assert.strictEqual(yield* engine.await(ids[0] ?? ""), 0)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(namespace)))
  })

  const alone = freshNamespace("alone")
  it.live("keeps it while nobody is idle, in its order", () => {
    const w = world()
    return Effect.gen(function* () {
      const engine = yield* Engine
      const { desk } = yield* w.start("busy", { concurrency: 1, prefetchMultiplier: 8 })
      yield* w.Slow.run({ n: 100 })
      w.begun.length = 0
      const ids = yield* engine.enqueueAll(Array.from({ length: 20 }, (_, n) => w.Slow.job({ n })))
      yield* eventually(
        "it has found that they are slow",
        Effect.sync(() => desk.stuck(500).length > 0 && desk.free("default") === 0)
      )
      // One fewer than its prefetch where the job that runs came with the same read.
      assert.include([7, 8], desk.waiting["default"])
      yield* Deferred.succeed(w.open, undefined)
      yield* Effect.forEach(ids, (id) => engine.await(id), { concurrency: "unbounded" })
      assert.deepStrictEqual(
        w.begun.map(([, n]) => n),
        ids.map((_, n) => n)
      )
    }).pipe(Effect.scoped, Effect.provide(clientLayer(alone)))
  })
})

describe("a queue whose last read was full", () => {
  const namespace = freshNamespace("full-read")
  it.live("holds the ones below it back for a round trip, not for as long as a read may wait", () => {
    const w = world()
    return Effect.gen(function* () {
      const engine = yield* Engine
      const { desk } = yield* w.start("one", { concurrency: 1, prefetchMultiplier: 4 })
      // Two, so that the reader has seen that they are quick before it reads on.
      yield* w.High.run({ n: 5 })
      yield* w.High.run({ n: 6 })
      // As many as are read at once, so that more could be there.
      const ids = yield* engine.enqueueAll(Array.from({ length: 4 }, (_, n) => w.High.job({ n: n + 1 })))
      yield* Effect.forEach(ids, (id) => engine.await(id), { concurrency: "unbounded" })
      const asked = performance.now()
      yield* w.Slow.run({ n: 9 })
      assert.isBelow(performance.now() - asked, 1_000)
      assert.isFalse(desk.expects("high-priority"))
    }).pipe(Effect.scoped, Effect.provide(clientLayer(namespace)))
  })
})
