/** Fair lanes under a worker: one tenant's flood does not delay another's few jobs, and nothing stalls. */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Retry from "../../src/jobs/Retry.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

const Work = Task.make("work", {
  payload: { key: Schema.String },
  error: Schema.String,
  retry: Retry.fixed({ attempts: 1, delay: "5 millis" })
})
/** Keys in the order in which their jobs began. */
const begun: Array<string> = []
const counts = new Map<string, number>()
const failing = new Set<string>()

const tasks = Work.toLayer(
  Effect.succeed(({ key }, job) =>
    Effect.suspend(() => {
      begun.push(key)
      counts.set(key, times(key) + 1)
      return failing.has(key) && job.attempt === 1 ? Effect.fail("once") : Effect.void
    })
  )
)
const live = Workers.layer({ concurrency: 4 }).pipe(
  Layer.provide(tasks),
  Layer.provideMerge(clientLayer(freshNamespace("lanes")))
)
const many = (key: string, count: number) =>
  Engine.use((engine) =>
    engine.enqueueAll(
      Array.from({ length: count }, () => Work.job({ key })),
      { key, ignoreResult: true }
    )
  )
const times = (key: string) => counts.get(key) ?? 0
const begin = (what: string, count: () => number, wanted: number) =>
  eventually(
    what,
    Effect.sync(() => count() === wanted),
    45_000
  )
const nothingLeft = eventually(
  "nothing is left",
  Effect.map(
    Inspect.use((i) => i.queues),
    (rows) => rows.every((q) => q.backlog + q.inFlight + q.delayed === 0)
  )
)

layer(live, { excludeTestServices: true, timeout: "40 seconds" })("lanes under a worker", (it) => {
  it.effect(
    "20,000 jobs of one do not delay 20 of another by more than a batch",
    () =>
      Effect.gen(function* () {
        yield* many("a", 20_000)
        const before = begun.length
        assert.isTrue(before < 20_000, "the flood must not be over before the other comes")
        yield* many("b", 20)
        const after = begun.length
        yield* eventually(
          "all of b began",
          Effect.sync(() => times("b") === 20)
        )
        const order = begun.slice(after)
        // A batch of at most 60, what this worker claimed ahead (4 × 4 and a read) and what runs.
        assert.isTrue(order.indexOf("b") <= 60 + 16 + 4, `first of b after ${order.indexOf("b")} of a`)
        assert.isTrue(order.lastIndexOf("b") <= 60 + 16 + 4 + 40, `last of b after ${order.lastIndexOf("b")}`)
        yield* begin("all of a began", () => times("a"), 20_000)
        yield* nothingLeft
      }),
    60_000
  )
  it.effect(
    "many tenants, with retries, all come to an end",
    () =>
      Effect.gen(function* () {
        begun.length = 0
        for (const key of ["t1", "t3"]) failing.add(key)
        yield* Effect.forEach(
          Array.from({ length: 40 }, (_, i) => `t${i}`),
          (key) => many(key, 25),
          { concurrency: "unbounded" }
        )
        yield* begin("all have begun", () => begun.length, 40 * 25 + 2 * 25)
        yield* nothingLeft
        assert.strictEqual(times("t1"), 50)
        assert.strictEqual(times("t39"), 25)
      }),
    60_000
  )
})
