/** A worker in a process of its own, to be killed amid a flow. Its tasks count their ends in Redis. */
import { Effect, Layer, Redacted, Schema } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { StreamsLive } from "../../src/streams/Streams.ts"

const N = Schema.Struct({ n: Schema.Int })
export const Leaf = Task.make("leaf", { payload: { n: Schema.Int, add: Schema.Int }, result: N })
export const Sum = Task.make("sum", { payload: { results: Schema.Array(N) }, result: N, queue: "high-priority" })

const namespace = process.env["WORKER_NAMESPACE"]
if (namespace !== undefined) {
  const tally = (what: string) =>
    Effect.map(Redis, (redis) => redis.use("tally", (c) => c.hincrby(`${namespace}:tally`, what, 1)).pipe(Effect.orDie))
  const tasks = Layer.mergeAll(
    Leaf.toLayer(
      Effect.map(
        tally("leaf"),
        (count) =>
          ({ add, n }: { readonly add: number; readonly n: number }) =>
            count.pipe(Effect.andThen(Effect.sleep(5)), Effect.as({ n: n + add }))
      )
    ),
    Sum.toLayer(
      Effect.map(
        tally("sum"),
        (count) =>
          ({ results }: { readonly results: ReadonlyArray<{ readonly n: number }> }) =>
            Effect.as(count, { n: results.reduce((sum, r) => sum + r.n, 0) })
      )
    )
  )
  const live = Workers.layer({ concurrency: 16, leaseMs: 1_000 }).pipe(
    Layer.provide(tasks),
    Layer.provide(StreamsLive()),
    Layer.provide(Redis.layer({ url: Redacted.make(process.env["REDIS_URL"] ?? ""), namespace }))
  )
  const program = Effect.andThen(
    Effect.sync(() => process.stdout.write("ready\n")),
    Effect.never
  ).pipe(Effect.provide(live))
  await Effect.runPromiseExit(program)
}
