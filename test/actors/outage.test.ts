/** Redis is away for longer than a lease, for all workers at once: what runs goes on and is not run again. */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Redacted, Schema } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Task from "../../src/jobs/Task.ts"
import { group, keysOf } from "../../src/streams/Keys.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { StreamsLive } from "../../src/streams/Streams.ts"
import { clientLayer, eventually, freshNamespace, redisUrl } from "../support/engine.ts"
import { makeWire } from "../support/proxy.ts"

const Long = Task.make("long", { payload: { n: Schema.Int }, result: Schema.Int })
const leaseMs = 900

it.live(
  "jobs that run while Redis is away are not taken for orphans when it is back",
  () => {
    const namespace = freshNamespace("outage")
    const keys = keysOf(namespace).queue("default")
    return Effect.gen(function* () {
      const wire = yield* Effect.acquireRelease(
        Effect.promise(() => makeWire(redisUrl)),
        (made) => Effect.sync(() => made.close())
      )
      const gate = yield* Deferred.make<void>()
      const starts: Array<number> = []
      const tasks = Long.toLayer(
        Effect.succeed(({ n }) => Effect.suspend(() => (starts.push(n), Effect.as(Deferred.await(gate), n))))
      )
      const worker = Workers.layer({ leaseMs, concurrency: 8 }).pipe(
        Layer.provide(tasks),
        Layer.provide(StreamsLive()),
        Layer.provide(Redis.layer({ url: Redacted.make(wire.url), namespace }))
      )
      yield* Layer.build(Layer.fresh(worker))
      yield* Layer.build(Layer.fresh(worker))
      const engine = yield* Engine
      const redis = yield* Redis
      const ids = yield* engine.enqueueAll([1, 2, 3, 4].map((n) => Long.job({ n })))
      const claims = redis.use(
        "xpending",
        (c) =>
          c.xpending(keys.jobs, group, "-", "+", 10) as Promise<
            ReadonlyArray<readonly [string, string, number, number]>
          >
      )
      yield* eventually(
        "all run",
        Effect.sync(() => starts.length === 4)
      )
      wire.freeze()
      yield* eventually(
        "all leases have run out",
        Effect.map(claims, (rows) => rows.length === 4 && rows.every(([, , idle]) => idle > 2 * leaseMs))
      )
      wire.mend()
      // Renewed, and long enough for whoever would take them over.
      const at = Date.now()
      yield* eventually(
        "they are renewed",
        Effect.map(claims, (rows) => rows.every(([, , idle]) => idle < leaseMs) && Date.now() - at > 2 * leaseMs)
      )
      assert.deepStrictEqual(
        (yield* claims).map(([, , , count]) => count),
        [1, 1, 1, 1]
      )
      yield* Deferred.succeed(gate, undefined)
      const results = yield* Effect.forEach(ids, (id) => engine.await(id))
      assert.deepStrictEqual(results, [1, 2, 3, 4])
      assert.deepStrictEqual(new Set(starts), new Set([1, 2, 3, 4]))
      assert.lengthOf(starts, 4)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(namespace)))
  },
  30_000
)
