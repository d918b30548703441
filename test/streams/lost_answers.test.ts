/**
 * Answers of Redis that are lost with their connection: the driver sends again what it has heard nothing of, so every script
 * must stand being run twice. No job is made twice by it, and no end goes untold.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Redacted, Schema, Stream } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import { Engine, type EnqueueOptions } from "../../src/jobs/Engine.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Events } from "../../src/streams/Events.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { group, keysOf } from "../../src/streams/Keys.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { StreamsLive } from "../../src/streams/Streams.ts"
import { eventually, freshNamespace, redisLayer, redisUrl } from "../support/engine.ts"
import { makeWire, type Wire } from "../support/proxy.ts"

const Note = Task.make("note", { payload: { n: Schema.Int }, unique: ({ n }) => (n < 0 ? "same" : String(n)) })
const Plain = Task.make("plain", { payload: { n: Schema.Int }, result: Schema.Int })

const wire = Effect.acquireRelease(
  Effect.promise(() => makeWire(redisUrl)),
  (made) => Effect.sync(() => made.close())
)
const across = (made: Wire, namespace: string) => Redis.layer({ url: Redacted.make(made.url), namespace })

/** Has the server know the scripts: one that does not answers NOSCRIPT, and here nobody would hear it. */
const knowing = (options: EnqueueOptions | undefined) => {
  const namespace = freshNamespace("lost-known")
  const tasks = Layer.merge(
    Plain.toLayer(Effect.succeed(({ n }) => Effect.succeed(n))),
    Note.toLayer(Effect.succeed(() => Effect.void))
  )
  const live = Workers.layer().pipe(
    Layer.provide(tasks),
    Layer.provideMerge(StreamsLive()),
    Layer.provide(redisLayer(namespace))
  )
  return Effect.gen(function* () {
    yield* Plain.run({ n: 0 })
    yield* Note.run({ n: 0 })
    if (options !== undefined) yield* Plain.enqueue({ n: 0 }, options)
  }).pipe(Effect.provide(live))
}

/** Withholds the answers to what `act` asks until Redis has done it, then breaks the connection. */
const answerLost = <A, E, R, E2>(made: Wire, act: Effect.Effect<A, E, R>, done: Effect.Effect<unknown, E2, Redis>) =>
  Effect.gen(function* () {
    made.deafen()
    const asking = yield* Effect.forkChild(act, { startImmediately: true })
    yield* done
    made.cut()
    made.mend()
    return yield* Fiber.join(asking)
  })

const counted = (namespace: string, what: "jobs" | "delayed", wanted: number) => {
  const keys = keysOf(namespace).queue("default")
  return eventually(
    `${wanted} in ${what}`,
    Redis.use((redis) =>
      redis.use("count", async (c) => (what === "jobs" ? await c.xlen(keys.jobs) : await c.zcard(keys.delayed)))
    ).pipe(Effect.map((n) => n === wanted))
  )
}

describe("an answer that is lost", () => {
  for (const [what, where, options] of [
    ["plain jobs", "jobs", {}],
    ["jobs that expire", "jobs", { expires: "1 hour" }],
    ["delayed jobs", "delayed", { delay: "1 hour" }]
  ] as const) {
    it.live(`makes no second job of ${what}`, () => {
      const namespace = freshNamespace("lost-add")
      return Effect.gen(function* () {
        yield* knowing(options)
        const made = yield* wire
        const live = StreamsLive().pipe(Layer.provide(across(made, namespace)))
        yield* Effect.gen(function* () {
          const engine = yield* Engine
          const jobs = [1, 2, 3].map((n) => Plain.job({ n }))
          const ids = yield* answerLost(made, engine.enqueueAll(jobs, options), counted(namespace, where, 3))
          assert.lengthOf(new Set(ids), 3)
          yield* Plain.enqueue({ n: 4 }, options)
          yield* counted(namespace, where, 4)
        }).pipe(Effect.provide(live))
      }).pipe(Effect.scoped, Effect.provide(redisLayer(namespace)))
    })
  }

  it.live("makes no second job of one that is unique", () => {
    const namespace = freshNamespace("lost-unique")
    return Effect.gen(function* () {
      yield* knowing(undefined)
      const made = yield* wire
      const live = StreamsLive().pipe(Layer.provide(across(made, namespace)))
      yield* Effect.gen(function* () {
        const id = yield* answerLost(made, Note.enqueue({ n: -1 }), counted(namespace, "jobs", 1))
        assert.strictEqual(yield* Note.enqueue({ n: -2 }), id)
        yield* counted(namespace, "jobs", 1)
      }).pipe(Effect.provide(live))
    }).pipe(Effect.scoped, Effect.provide(redisLayer(namespace)))
  })

  it.live("makes no second job of one that has ended meanwhile and keeps nothing", () => {
    const namespace = freshNamespace("lost-ignored")
    return Effect.gen(function* () {
      yield* knowing({ ignoreResult: true })
      const made = yield* wire
      const runs = { count: 0 }
      const tasks = Plain.toLayer(
        Effect.succeed(({ n }) =>
          Effect.as(
            Effect.sync(() => void runs.count++),
            n
          )
        )
      )
      const worker = Workers.layer().pipe(Layer.provide(tasks), Layer.provideMerge(StreamsLive()))
      const caller = StreamsLive().pipe(Layer.provide(across(made, namespace)))
      const ended = (wanted: number) =>
        eventually(
          `${wanted} have ended`,
          Redis.use((redis) =>
            redis.use("ended", async (c) => {
              const { jobs } = keysOf(namespace).queue("default")
              const [pending] = (await c.xpending(jobs, group)) as [number]
              const stream = (await c.xinfo("STREAM", jobs)) as ReadonlyArray<unknown>
              const added = Number(stream[stream.indexOf("entries-added") + 1])
              return runs.count === wanted && added === wanted && pending === 0
            })
          )
        )
      const enqueue = Engine.use((engine) => engine.enqueue(Plain.job({ n: 1 }), { ignoreResult: true }))
      yield* Effect.gen(function* () {
        const id = yield* Effect.provide(answerLost(made, enqueue, ended(1)), caller)
        yield* Engine.use((engine) => engine.enqueue(Plain.job({ n: 2 }), { ignoreResult: true }))
        yield* ended(2)
        assert.isUndefined(yield* Inspect.use((inspect) => inspect.job(id)))
      }).pipe(Effect.provide(worker))
    }).pipe(Effect.scoped, Effect.provide(redisLayer(namespace)))
  })

  it.live("leaves no end of a job untold", () => {
    const namespace = freshNamespace("lost-settle")
    return Effect.gen(function* () {
      yield* knowing(undefined)
      const made = yield* wire
      const [begun, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const tasks = Plain.toLayer(
        Effect.succeed(({ n }) =>
          Deferred.succeed(begun, undefined).pipe(Effect.andThen(Deferred.await(gate)), Effect.as(n))
        )
      )
      const worker = Workers.layer({ leaseMs: 30_000 }).pipe(
        Layer.provide(tasks),
        Layer.provide(StreamsLive()),
        Layer.provide(across(made, namespace))
      )
      const redis = yield* Redis
      yield* Effect.gen(function* () {
        const events = yield* Events
        const told = yield* events.tail().pipe(
          Stream.flatMap((batch) => Stream.fromIterable(batch.rows)),
          Stream.filter((row) => row.state === "done"),
          Stream.take(1),
          Stream.runCollect,
          Effect.forkChild({ startImmediately: true })
        )
        const id = yield* Plain.enqueue({ n: 1 })
        const field = (name: string) =>
          redis.use("hget", (c) => c.hget(keysOf(namespace).queue("default").job(id), name))
        yield* Deferred.await(begun)
        const done = eventually(
          "it is done",
          Effect.map(field("state"), (state) => state === "done")
        )
        yield* answerLost(made, Deferred.succeed(gate, undefined), done)
        const rows = yield* Fiber.join(told).pipe(Effect.timeout("8 seconds"))
        assert.deepStrictEqual(
          rows.map((row) => row.id),
          [id]
        )
      }).pipe(Effect.provide(Layer.merge(worker, StreamsLive())))
    }).pipe(Effect.scoped, Effect.provide(redisLayer(namespace)))
  })
})
