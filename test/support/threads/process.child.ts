/**
 * A worker in a process of its own, for tests of what only a whole process can do: stall, grow, die. Its settings come as
 * JSON in WORKER. It ends as `src/main.ts` does: by SIGTERM with 0, or with `replaceExitCode` where it asks to be replaced.
 */
import { Effect, Layer, Redacted, Schema } from "effect"
import * as Workers from "../../../src/actors/Supervisor.ts"
import { LocalWorker } from "../../../src/actors/Worker.ts"
import * as Retry from "../../../src/jobs/Retry.ts"
import * as Task from "../../../src/jobs/Task.ts"
import { Redis } from "../../../src/streams/Redis.ts"
import { StreamsLive } from "../../../src/streams/Streams.ts"

/** What the process is told: whether `poison` kills it, and the worker's options. */
export interface Given {
  readonly namespace: string
  readonly harmless?: boolean
  readonly options: Workers.Options
}

/** Holds the event loop for so long; its result is when it let go, epoch ms. */
export const Stall = Task.make("stall", { payload: { ms: Schema.Int }, result: Schema.Int, retry: Retry.none })
/** Keeps so many MiB for ever. */
export const Grow = Task.make("grow", { payload: { mb: Schema.Int }, retry: Retry.none })
/** Ends the process at once. */
export const Poison = Task.make("poison", { payload: { n: Schema.Int }, result: Schema.Int, retry: Retry.none })
/** Waits for so long. */
export const Wait = Task.make("wait", { payload: { ms: Schema.Int }, result: Schema.Int, retry: Retry.none })

/** As `Wait`, one at a time over all workers. */
export const Alone = Task.make("alone", {
  payload: { ms: Schema.Int },
  result: Schema.Int,
  retry: Retry.none,
  concurrency: 1
})

const kept: Array<Buffer> = []

const tasks = (harmless: boolean) =>
  Layer.mergeAll(
    Stall.toLayer(
      Effect.succeed(({ ms }) =>
        Effect.sync(() => {
          const until = Date.now() + ms
          while (Date.now() < until);
          return Date.now()
        })
      )
    ),
    Grow.toLayer(Effect.succeed(({ mb }) => Effect.sync(() => void kept.push(Buffer.alloc(mb * 1_048_576, 1))))),
    Poison.toLayer(
      Effect.succeed(({ n }) => Effect.sync(() => (harmless ? n : (process.kill(process.pid, "SIGKILL"), n))))
    ),
    Wait.toLayer(Effect.succeed(({ ms }) => Effect.as(Effect.sleep(ms), ms))),
    Alone.toLayer(Effect.succeed(({ ms }) => Effect.as(Effect.sleep(ms), ms)))
  )

if (process.env["WORKER"] !== undefined) {
  const { harmless, namespace, options } = JSON.parse(process.env["WORKER"]) as Given
  const live = Workers.layer(options).pipe(
    Layer.provide(tasks(harmless ?? false)),
    Layer.provide(StreamsLive()),
    Layer.provide(Redis.layer({ url: Redacted.make(process.env["REDIS_URL"] ?? ""), namespace }))
  )
  const abort = new AbortController()
  process.on("SIGTERM", () => abort.abort())
  const program = Effect.gen(function* () {
    const { watched } = yield* LocalWorker
    yield* Effect.promise(() => watched)
    process.stdout.write("ready\n")
    return yield* Workers.retired
  }).pipe(Effect.provide(live))
  const exit = await Effect.runPromiseExit(program, { signal: abort.signal })
  process.exit(exit._tag === "Success" ? Workers.replaceExitCode : 0)
}
