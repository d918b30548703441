/** Tasks in worker threads, real ones: the main loop stays free, and a thread that must end is gone. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Schema } from "effect"
import { monitorEventLoopDelay } from "node:perf_hooks"
import * as Workers from "../../src/actors/Supervisor.ts"
import { LocalWorker } from "../../src/actors/Worker.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Flow from "../../src/jobs/Flow.ts"
import * as Task from "../../src/jobs/Task.ts"
import { TestEngine } from "../../src/testing.ts"
import { Control } from "../../src/streams/Control.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"
import { Acts, Brief, Declared, module } from "../support/threads/acts.ts"

const Light = Task.make("light", { payload: { n: Schema.Int }, result: Schema.Int })
const light = Light.toLayer(Effect.succeed(({ n }) => Effect.succeed(n)))

const worker = (options: Workers.Options = {}, threads: Partial<Task.ThreadOptions> = {}) =>
  Layer.fresh(Workers.layer({ concurrency: 8, leaseMs: 1_000, threads: 2, ...options })).pipe(
    Layer.provide(
      Layer.mergeAll(light, Acts.inThreads({ module, ...threads }), Brief.inThreads({ module, ...threads }))
    )
  )

/** Runs a test beside one worker. */
const beside = <A, E>(
  name: string,
  test: Effect.Effect<A, E, LocalWorker | Engine | Control | Inspect>,
  options?: Workers.Options,
  threads?: Partial<Task.ThreadOptions>
) => {
  const namespace = freshNamespace(name)
  return test.pipe(Effect.provide(worker(options, threads)), Effect.scoped, Effect.provide(clientLayer(namespace)))
}

describe("a task in threads", () => {
  it.live("runs there also as one job over many values", () =>
    beside(
      "mapped",
      Effect.gen(function* () {
        const engine = yield* Engine
        const id = yield* engine.enqueue(Flow.starmap(Acts, [{ act: "thread" }, { act: "thread" }]))
        const { results } = (yield* engine.await(id)) as {
          readonly results: ReadonlyArray<{ readonly thread: number }>
        }
        assert.lengthOf(results, 2)
        // The main thread has number 0.
        for (const { thread } of results) assert.isAbove(thread, 0)
      })
    )
  )

  it.live("leaves the main loop free while four threads burn, and other jobs run on", () =>
    beside(
      "burn",
      Effect.gen(function* () {
        const engine = yield* Engine
        const { threads } = yield* LocalWorker
        const delay = monitorEventLoopDelay({ resolution: 5 })
        const ids = yield* engine.enqueueAll(Array.from({ length: 4 }, () => Acts.job({ act: "forever" })))
        const running = Effect.map(
          Inspect.use((i) => i.active),
          (active) => active.filter((a) => ids.some((id) => id === a.jobId)).length
        )
        yield* eventually(
          "all four burn",
          Effect.map(running, (n) => n === 4 && threads.count === 4)
        )
        delay.enable()
        for (let n = 0; n < 20; n++) assert.strictEqual(yield* Light.run({ n }), n)
        delay.disable()
        assert.strictEqual(threads.count, 4)
        // Fewer cores than threads: the loop waits for its turn of the processor, never for a job.
        assert.isBelow(delay.percentile(50) / 1e6, 200)
        for (const id of ids) yield* Control.use((control) => control.revoke(id))
        yield* eventually(
          "all threads are gone",
          Effect.sync(() => threads.count === 0)
        )
      }),
      { threads: 4 }
    )
  )

  it.live("encodes payload and result by the schema, and tells progress", () =>
    beside(
      "encode",
      Effect.gen(function* () {
        const at = new Date("2026-02-03T04:05:06.000Z")
        const result = yield* Acts.run({ act: "thread", at })
        assert.deepStrictEqual(result.at, at)
        const inspect = yield* Inspect
        const id = yield* Acts.enqueue({ act: "progress", ms: 300 })
        yield* eventually(
          "progress is seen",
          Effect.map(inspect.job(id), (j) => j?.progress !== undefined && j.state === "running")
        )
      })
    )
  )

  it.live("fails with tag, message and stack; declared errors come back typed", () =>
    beside(
      "fails",
      Effect.gen(function* () {
        const inspect = yield* Inspect
        const id = yield* Acts.enqueue({ act: "fail" })
        const failed = yield* eventually(
          "it failed for good",
          Effect.map(inspect.job(id), (j) => (j?.state === "dead" ? j : undefined))
        )
        assert.strictEqual(failed.attempt, 6)
        assert.strictEqual(failed.error?._tag, "RangeError")
        assert.strictEqual(failed.error?.message, "it is out of range")
        assert.match(String(failed.error?.["stack"]), /acts\.thread\.ts/u)
        const error = yield* Effect.flip(Acts.run({ act: "declared" }))
        assert.instanceOf(error, Declared)
        assert.strictEqual(error.code, 7)
      })
    )
  )

  it.live("kills the thread at the time limit and when the job is revoked", () =>
    beside(
      "kill",
      Effect.gen(function* () {
        const { threads } = yield* LocalWorker
        const inspect = yield* Inspect
        const exit = yield* Effect.exit(Brief.run({ act: "forever" }))
        assert.isTrue(Exit.isFailure(exit) && String(exit.cause).includes("TimedOut"))
        assert.strictEqual(threads.count, 0)
        const id = yield* Acts.enqueue({ act: "forever" })
        yield* eventually(
          "it runs",
          Effect.map(inspect.job(id), (j) => j?.state === "running" && threads.count === 1)
        )
        yield* Control.use((control) => control.revoke(id))
        yield* eventually(
          "it is cancelled and its thread gone",
          Effect.map(inspect.job(id), (j) => j?.state === "cancelled" && threads.count === 0)
        )
        assert.strictEqual(threads.crashed, 0)
      })
    )
  )

  it.live("replaces a thread after so many jobs", () =>
    beside(
      "childmax",
      Effect.gen(function* () {
        const runs: Array<number> = []
        for (let i = 0; i < 7; i++) runs.push((yield* Acts.run({ act: "thread" })).runs)
        assert.deepStrictEqual(runs, [1, 2, 3, 1, 2, 3, 1])
        assert.strictEqual((yield* LocalWorker).threads.started, 3)
      }),
      { threads: 1 },
      { maxTasksPerChild: 3 }
    )
  )

  it.live("replaces a thread that has grown, and survives one that runs out of memory", () =>
    beside(
      "memory",
      Effect.gen(function* () {
        const { threads } = yield* LocalWorker
        const inspect = yield* Inspect
        const first = yield* Acts.run({ act: "leak", ms: 5_000_000 })
        const second = yield* Acts.run({ act: "thread" })
        assert.notStrictEqual(second.thread, first.thread)
        const id = yield* Acts.enqueue({ act: "eat" })
        const dead = yield* eventually(
          "it is set apart",
          Effect.map(inspect.job(id), (j) => (j?.state === "dead" ? j : undefined)),
          20_000
        )
        assert.strictEqual(dead.error?._tag, "WorkerLost")
        assert.strictEqual(threads.crashed, 2)
        assert.strictEqual((yield* Acts.run({ act: "thread" })).runs, 1)
      }),
      { threads: 1, maxCrashes: 2 },
      { memoryMb: 48 }
    )
  )

  it.live("counts a thread that ends under its job as a crash, and sets the job apart", () =>
    beside(
      "exit",
      Effect.gen(function* () {
        const inspect = yield* Inspect
        const { name } = yield* LocalWorker
        const id = yield* Acts.enqueue({ act: "exit" })
        const dead = yield* eventually(
          "it is set apart",
          Effect.map(inspect.job(id), (j) => (j?.state === "dead" ? j : undefined))
        )
        assert.strictEqual(dead.attempt, 3)
        assert.strictEqual(dead.error?._tag, "WorkerLost")
        const losses = dead.error?.["losses"] as ReadonlyArray<{ readonly worker: string }>
        assert.deepStrictEqual(
          losses.map((l) => l.worker),
          [name, name, name]
        )
        assert.strictEqual((yield* Acts.run({ act: "thread" })).runs, 1)
      })
    )
  )

  it.live("runs no more of a task at once than it says", () =>
    beside(
      "limit",
      Effect.gen(function* () {
        const engine = yield* Engine
        const ids = yield* engine.enqueueAll(Array.from({ length: 4 }, () => Acts.job({ act: "burn", ms: 30 })))
        yield* Effect.forEach(ids, (id) => engine.await(id), { concurrency: "unbounded" })
        assert.strictEqual((yield* LocalWorker).threads.started, 1)
      }),
      { threads: 4 },
      { concurrency: 1 }
    )
  )

  it.live("runs in the test engine, without threads", () =>
    Effect.gen(function* () {
      const { at } = yield* Acts.run({ act: "thread" })
      assert.isNull(at)
    }).pipe(Effect.provide(Acts.inThreads({ module }).pipe(Layer.provideMerge(TestEngine.layer))))
  )

  it("refuses a limit that is none", () => {
    assert.throws(() => Acts.inThreads({ module, maxTasksPerChild: 0 }), /whole number/u)
  })
})
