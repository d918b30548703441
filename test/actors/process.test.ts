/** What only whole worker processes show: a stalled event loop, memory without end, jobs that kill their worker. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { above } from "../../src/actors/MemoryGuard.ts"
import { replaceExitCode } from "../../src/actors/Supervisor.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { child } from "../support/child.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"
import { Grow, Poison, Stall, Wait } from "../support/threads/process.child.ts"

const jobOf = (id: string) => Inspect.use((inspect) => inspect.job(id))

describe("the watchdog", () => {
  const namespace = freshNamespace("watchdog")
  it.live("tells of a stall while the loop stands still, with the job, and counts it", () =>
    Effect.gen(function* () {
      const worker = yield* child({ namespace, options: { leaseMs: 1_000, stallMs: 300, drainTimeout: 10 } })
      const waiting = yield* Wait.enqueue({ ms: 3_000 })
      yield* eventually(
        "it runs",
        Effect.map(jobOf(waiting), (j) => j?.state === "running")
      )
      const letGo = yield* Stall.run({ ms: 1_200 })
      const told = worker.errors.find(({ line }) => line.includes("stands still"))
      assert.isDefined(told)
      assert.isBelow(told.at, letGo)
      const line = JSON.parse(told.line) as {
        readonly stalledMs: number
        readonly running: ReadonlyArray<{ readonly id: string }>
        readonly begun: ReadonlyArray<string>
      }
      assert.isAtLeast(line.stalledMs, 300)
      assert.strictEqual(line.begun[0], "stall")
      // Known by its id as of the last tick, a tenth of a second apart; by its task before that.
      assert.isTrue(line.running.some((r) => r.id === waiting) || line.begun.includes("wait"))
      const stalls = yield* eventually(
        "the worker's record tells",
        Effect.map(
          Inspect.use((i) => i.workers),
          ([w]) => (w?.stalls?.count === 1 ? w.stalls : undefined)
        )
      )
      assert.isAtLeast(stalls.longestMs, 1_100)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(namespace)))
  )
})

describe("the memory limit", () => {
  it("counts looks above the limit in a row", () => {
    assert.strictEqual(above(4, 11 * 1_048_576, 10), 5)
    assert.strictEqual(above(4, 10 * 1_048_576, 10), 0)
  })

  const namespace = freshNamespace("memory")
  it.live(
    "ends the process so that another is started; its jobs are given back",
    () =>
      Effect.gen(function* () {
        const worker = yield* child({ namespace, options: { maxMemoryMb: 400, drainTimeout: 50, leaseMs: 30_000 } })
        yield* Grow.run({ mb: 420 })
        const id = yield* Wait.enqueue({ ms: 30_000 })
        const { ended } = worker
        assert.strictEqual(yield* Effect.promise(() => ended), replaceExitCode)
        yield* child({ namespace, options: { leaseMs: 3_000 } })
        yield* eventually(
          "another has taken it over, long before its lease ends",
          Effect.map(
            Inspect.use((i) => i.active),
            (active) => active.some((a) => a.jobId === id)
          ),
          5_000
        )
      }).pipe(Effect.scoped, Effect.provide(clientLayer(namespace))),
    30_000
  )
})

describe("a poison job", () => {
  const namespace = freshNamespace("poison")
  it.live(
    "is set apart after three lost workers, with their names; its neighbours live",
    () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const options = { leaseMs: 400, concurrency: 2, drainTimeout: 10, prefetchMultiplier: 10, host: "h" }
        const id = yield* Poison.enqueue({ n: 1 })
        const others = yield* engine.enqueueAll(Array.from({ length: 12 }, () => Wait.job({ ms: 150 })))
        for (let i = 0; i < 3; i++) {
          yield* Effect.scoped(
            Effect.flatMap(
              Effect.exit(child({ namespace, options: { ...options, host: `h${i}`, stallMs: 0 } })),
              (started) => (started._tag === "Success" ? Effect.promise(() => started.value.ended) : Effect.void)
            )
          )
        }
        yield* child({ namespace, options })
        const dead = yield* eventually(
          "it is set apart",
          Effect.map(jobOf(id), (j) => (j?.state === "dead" ? j : undefined))
        )
        assert.strictEqual(dead.error?._tag, "WorkerLost")
        const losses = dead.error?.["losses"] as ReadonlyArray<{ readonly worker: string; readonly at: number }>
        assert.deepStrictEqual(
          losses.map((l) => l.worker),
          ["h0:0", "h1:0", "h2:0"]
        )
        const results = yield* Effect.forEach(others, (other) => engine.await(other), { concurrency: "unbounded" })
        assert.deepStrictEqual(new Set(results), new Set([150]))
      }).pipe(Effect.scoped, Effect.provide(clientLayer(namespace))),
    30_000
  )

  const drained = freshNamespace("drained")
  it.live(
    "is not one that workers gave back while they drained, however often",
    () =>
      Effect.gen(function* () {
        const id = yield* Wait.enqueue({ ms: 1_500 })
        for (let i = 0; i < 5; i++) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const worker = yield* child({
                namespace: drained,
                options: { leaseMs: 2_000, drainTimeout: 1, stallMs: 0 }
              })
              // Begun, not only claimed: a claim given back before is no attempt.
              yield* eventually(
                "it has begun",
                Inspect.use((inspect) => Effect.map(inspect.active, (rows) => rows.some((row) => row.jobId === id)))
              )
              worker.process.kill("SIGTERM")
              assert.strictEqual(yield* Effect.promise(() => worker.ended), 0)
            })
          )
        }
        yield* child({ namespace: drained, options: {} })
        const engine = yield* Engine
        assert.strictEqual(yield* engine.await(id), 1_500)
        assert.isAbove((yield* jobOf(id))?.attempt ?? 0, 5)
      }).pipe(Effect.scoped, Effect.provide(clientLayer(drained))),
    30_000
  )
})
