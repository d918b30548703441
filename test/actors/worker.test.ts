/** Workers over their lives: leases of long jobs, priorities, lost groups, pauses, start and stop. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Layer, Schema } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import * as Heartbeat from "../../src/actors/Heartbeat.ts"
import * as Trimmer from "../../src/actors/Trimmer.ts"
import { LocalWorker } from "../../src/actors/Worker.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Control } from "../../src/streams/Control.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { group } from "../../src/streams/Keys.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

/** A world of its own: a gate that its jobs wait at, and what they did, in order. */
const world = (took = 0) => {
  const order: Array<string> = []
  const open = Deferred.makeUnsafe<void>()
  const fields = { payload: { n: Schema.Int }, result: Schema.Int }
  const handler = (name: string) =>
    Effect.succeed(({ n }: { readonly n: number }) =>
      Effect.sync(() => order.push(`${name}${n}`)).pipe(
        Effect.andThen(Deferred.await(open)),
        Effect.andThen(took === 0 ? Effect.void : Effect.sleep(took)),
        Effect.as(n)
      )
    )
  const High = Task.make("high", { ...fields, queue: "high-priority" })
  const Normal = Task.make("normal", fields)
  const Low = Task.make("low", { ...fields, queue: "low-priority" })
  const tasks = Layer.mergeAll(High.toLayer(handler("h")), Normal.toLayer(handler("d")), Low.toLayer(handler("l")))
  const worker = (options: Workers.Options = {}) =>
    Layer.fresh(Workers.layer({ leaseMs: 400, drainTimeout: "300 millis", ...options })).pipe(Layer.provide(tasks))
  return { order, open, High, Normal, Low, worker }
}

const backlog = Inspect.use((i) => Effect.map(i.queues, (rows) => rows.reduce((n, q) => n + q.backlog + q.inFlight, 0)))

describe("leases", () => {
  const namespace = freshNamespace("lease")
  it.live("a long job is never taken from a worker that lives", () => {
    const w = world()
    return Effect.gen(function* () {
      const engine = yield* Engine
      yield* Layer.build(w.worker())
      const id = yield* w.Normal.enqueue({ n: 1 })
      yield* eventually(
        "it runs",
        Effect.sync(() => w.order.length === 1)
      )
      yield* Layer.build(w.worker())
      const started = Date.now()
      yield* eventually(
        "three leases pass",
        Effect.sync(() => Date.now() - started > 1_300)
      )
      yield* Deferred.succeed(w.open, undefined)
      yield* engine.await(id)
      assert.deepStrictEqual(w.order, ["d1"])
    }).pipe(Effect.scoped, Effect.provide(clientLayer(namespace)))
  })

  const names = freshNamespace("names")
  it.live("two workers of one host have names of their own, and a name is free again after", () => {
    const w = world()
    return Effect.gen(function* () {
      const inspect = yield* Inspect
      const both = Effect.gen(function* () {
        yield* Layer.build(w.worker({ host: "here" }))
        yield* Layer.build(w.worker({ host: "here" }))
        return (yield* inspect.workers).map((row) => row.id)
      }).pipe(Effect.scoped)
      assert.deepStrictEqual(yield* both, ["here:0", "here:1"])
      assert.deepStrictEqual(yield* inspect.workers, [])
      assert.deepStrictEqual(yield* both, ["here:0", "here:1"])
    }).pipe(Effect.provide(clientLayer(names)))
  })
})

describe("priorities", () => {
  const namespace = freshNamespace("priority")
  it.live("high goes before default before low, and low never starves", () => {
    const w = world(3)
    return Effect.gen(function* () {
      const engine = yield* Engine
      const many = (task: typeof w.High | typeof w.Normal | typeof w.Low) =>
        engine.enqueueAll(Array.from({ length: 20 }, (_, n) => task.job({ n })))
      const ids = [...(yield* many(w.Low)), ...(yield* many(w.Normal)), ...(yield* many(w.High))]
      const context = yield* Layer.build(w.worker({ concurrency: 4 }))
      yield* eventually(
        "all permits are taken",
        Effect.sync(() => w.order.length === 4)
      )
      const { desk } = yield* LocalWorker.pipe(Effect.provideContext(context))
      assert.isTrue(desk.running["low-priority"] >= 1, "low has its permit")
      assert.isTrue(desk.running["high-priority"] >= 1, "high has its permit")
      yield* Deferred.succeed(w.open, undefined)
      yield* Effect.forEach(ids, (id) => engine.await(id), { concurrency: "unbounded" })
      // One in sixteen starts is low's turn or default's, so the very last is not the measure.
      const middle = (letter: string) =>
        w.order.map((o, i) => (o.startsWith(letter) ? i : -1)).filter((i) => i >= 0)[14] ?? 0
      const last = (letter: string) => w.order.findLastIndex((o) => o.startsWith(letter))
      assert.isTrue(middle("h") < middle("d") && middle("h") < middle("l"), w.order.join())
      assert.isTrue(last("h") < last("d") && last("h") < last("l"), w.order.join())
      assert.strictEqual(w.order.length, 60)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(namespace)))
  })
})

describe("trouble", () => {
  const namespace = freshNamespace("trouble")
  it.live("a destroyed group and a pause are survived, and nothing is lost", () => {
    const w = world()
    return Effect.gen(function* () {
      const engine = yield* Engine
      const redis = yield* Redis
      const control = yield* Control
      yield* Deferred.succeed(w.open, undefined)
      yield* Layer.build(w.worker())
      assert.strictEqual(yield* w.Normal.run({ n: 1 }), 1)
      yield* redis.use("destroy", (c) => c.xgroup("DESTROY", `${namespace}:{default}:jobs`, group))
      const results = yield* Effect.forEach(
        Array.from({ length: 200 }, (_, n) => n),
        (n) => w.Normal.run({ n }),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(results.length, 200)
      yield* redis.use("del", (c) => c.unlink(`${namespace}:{high-priority}:jobs`))
      assert.strictEqual(yield* w.High.run({ n: 5 }), 5)
      assert.strictEqual(yield* w.Low.run({ n: 6 }), 6)
      yield* control.pause("default")
      yield* control.resume("default")
      const id = yield* w.Normal.enqueue({ n: 7 })
      assert.strictEqual(yield* engine.await(id), 7)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(namespace)))
  })
})

describe("start and stop", () => {
  const namespace = freshNamespace("stop")
  it.live("fifteen times under load: every job ends, none is left claimed", () => {
    const w = world()
    return Effect.gen(function* () {
      const engine = yield* Engine
      yield* Deferred.succeed(w.open, undefined)
      const ids: Array<string> = []
      for (let i = 0; i < 15; i++) {
        ids.push(...(yield* engine.enqueueAll(Array.from({ length: 40 }, (_, n) => w.Normal.job({ n })))))
        yield* Effect.scoped(Layer.build(w.worker()))
      }
      yield* Effect.scoped(
        Effect.andThen(
          Layer.build(w.worker()),
          Effect.forEach(ids, (id) => engine.await(id), { concurrency: "unbounded" }).pipe(Effect.timeout("8 seconds"))
        )
      )
      assert.strictEqual(yield* backlog, 0)
      assert.strictEqual(w.order.length, ids.length)
    }).pipe(Effect.provide(clientLayer(namespace)))
  })

  const stuck = freshNamespace("stuck")
  it.live("a job that does not end in time is left to the next worker", () => {
    const w = world()
    return Effect.gen(function* () {
      const engine = yield* Engine
      const id = yield* w.Normal.enqueue({ n: 1 })
      yield* Effect.scoped(
        Effect.andThen(
          Layer.build(w.worker()),
          eventually(
            "it runs",
            Effect.sync(() => w.order.length === 1)
          )
        )
      )
      yield* Deferred.succeed(w.open, undefined)
      const exit = yield* Effect.scoped(Effect.andThen(Layer.build(w.worker()), Effect.exit(engine.await(id))))
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(w.order, ["d1", "d1"])
      assert.strictEqual((yield* Inspect.use((i) => i.job(id)))?.attempt, 2)
    }).pipe(Effect.provide(clientLayer(stuck)))
  })

  const turns = freshNamespace("turns")
  it.live("each actor can be asked for one turn", () => {
    const w = world()
    return Effect.gen(function* () {
      yield* Deferred.succeed(w.open, undefined)
      const context = yield* Layer.build(w.worker({ trimEveryMs: 60_000 }))
      const worker = yield* LocalWorker.pipe(Effect.provideContext(context))
      yield* Effect.forEach([1, 2, 3], (n) => w.Normal.run({ n }))
      assert.strictEqual(yield* Heartbeat.turn(worker), 0)
      yield* eventually(
        "three entries are trimmed",
        Effect.map(Trimmer.turn(worker), () => undefined as true | undefined).pipe(
          Effect.andThen(Redis.use((r) => r.use("xlen", (c) => c.xlen(`${turns}:{default}:jobs`)))),
          Effect.map((n) => n === 0)
        )
      )
    }).pipe(Effect.scoped, Effect.provide(clientLayer(turns)))
  })
})
