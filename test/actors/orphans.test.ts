/** An orphan is not kept waiting by how much others hold: however long the list of claims, it starts within two leases. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Task from "../../src/jobs/Task.ts"
import { group, keysOf } from "../../src/streams/Keys.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

const Work = Task.make("work", { payload: { n: Schema.Int } })
const leaseMs = 500

it.live(
  "an orphan behind thousands of living claims starts in time",
  () => {
    const namespace = freshNamespace("orphans")
    let startedAt = 0
    const tasks = Work.toLayer(Effect.succeed(() => Effect.sync(() => void (startedAt = performance.now()))))
    return Effect.gen(function* () {
      const engine = yield* Engine
      const redis = yield* Redis
      const { jobs } = keysOf(namespace).queue("default")
      const claim = (consumer: string, count: number) =>
        redis.use("claim", (c) => c.xreadgroup("GROUP", group, consumer, "COUNT", count, "STREAMS", jobs, ">"))
      yield* engine.enqueueAll(Array.from({ length: 3_001 }, (_, n) => Work.job({ n })))
      const held = (yield* claim("alive", 3_000)) as unknown as ReadonlyArray<
        readonly [string, ReadonlyArray<readonly [string]>]
      >
      const entries = (held[0]?.[1] ?? []).map(([entry]) => entry)
      const renew = redis.use("renew", (c) => c.call("XCLAIM", jobs, group, "alive", 0, ...entries, "JUSTID"))
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(renew, Effect.sleep(100))))
      yield* claim("gone", 1)
      const from = performance.now()
      const worker = Workers.layer({ concurrency: 1, leaseMs, drainTimeout: "1 second" }).pipe(Layer.provide(tasks))
      yield* eventually(
        "the orphan starts",
        Effect.sync(() => startedAt > 0)
      ).pipe(Effect.provide(worker))
      // Looked for among the living ones page by page, it took dozens of leases.
      assert.isBelow(startedAt - from, 20 * leaseMs)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(namespace)))
  },
  30_000
)
