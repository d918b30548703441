/** A worker in a process of its own, to be killed. Its one task counts its runs in Redis and takes a few ms. */
import { Effect, Layer, Schema } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import * as Retry from "../../src/jobs/Retry.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { StreamsLive } from "../../src/streams/Streams.ts"
import { Redacted } from "effect"

export const Tally = Task.make("tally", {
  payload: { n: Schema.Int },
  result: Schema.Struct({ n: Schema.Int, pid: Schema.Int }),
  retry: Retry.none
})

const namespace = process.env["WORKER_NAMESPACE"]
if (namespace !== undefined) {
  const tasks = Tally.toLayer(
    Effect.map(
      Redis,
      (redis) =>
        ({ n }: { readonly n: number }) =>
          redis
            .use("tally", (c) => c.hincrby(`${namespace}:tally`, String(n), 1))
            .pipe(Effect.andThen(Effect.sleep(5)), Effect.as({ n, pid: process.pid }), Effect.orDie)
    )
  )
  const live = Workers.layer({ concurrency: 8, leaseMs: 1_000, drainTimeout: "2 seconds" }).pipe(
    Layer.provide(tasks),
    Layer.provide(StreamsLive()),
    Layer.provide(Redis.layer({ url: Redacted.make(process.env["REDIS_URL"] ?? ""), namespace }))
  )
  const abort = new AbortController()
  process.on("SIGTERM", () => abort.abort())
  const program = Effect.andThen(
    Effect.sync(() => process.stdout.write("ready\n")),
    Effect.never
  ).pipe(Effect.provide(live))
  await Effect.runPromiseExit(program, { signal: abort.signal })
}
