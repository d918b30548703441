/** A small product on the engine, for servers that fail over: tasks on all three queues, and a ledger of their runs. */
import { assert } from "@effect/vitest"
import { Effect, Fiber, Layer, Schedule, Schema } from "effect"
import { Engine, Inspect, layer, Retry, Task, Workers } from "../../src/engine.ts"
import { eventually } from "../support/engine.ts"
import type { Node } from "../support/servers.ts"

export const Low = Task.make("net_low", {
  payload: { n: Schema.Int },
  result: Schema.Int,
  queue: "low-priority",
  retry: Retry.none
})
export const Middle = Task.make("net_default", { payload: { n: Schema.Int }, result: Schema.Int, retry: Retry.none })
export const High = Task.make("net_high", {
  payload: { n: Schema.Int },
  result: Schema.Int,
  queue: "high-priority",
  retry: Retry.none
})
export const Sum = Task.make("net_sum", {
  payload: { results: Schema.Array(Schema.Int) },
  result: Schema.Int,
  queue: "low-priority"
})
export const Hang = Task.make("net_hang", { payload: {}, retry: Retry.none })
/** One per queue. */
export const three = [Low, Middle, High] as const

const answer = ({ n }: { readonly n: number }) => Effect.as(Effect.sleep(2), n * 2)

const tasks = Layer.mergeAll(
  Low.toLayer(Effect.succeed(answer)),
  Middle.toLayer(Effect.succeed(answer)),
  High.toLayer(Effect.succeed(answer)),
  Sum.toLayer(Effect.succeed(({ results }) => Effect.succeed(results.reduce((a, b) => a + b, 0)))),
  Hang.toLayer(Effect.succeed(() => Effect.never))
)

/** A process that only asks. */
export const client = (url: string, namespace: string) => layer({ url, namespace })

/** A process that works, and asks. */
export const worker = (url: string, namespace: string) =>
  Workers.layer({ concurrency: 8, leaseMs: 1_000, drainTimeout: "2 seconds" }).pipe(
    Layer.provide(tasks),
    Layer.provideMerge(layer({ url, namespace }))
  )

/**
 * Kills a master with SIGKILL while jobs of all queues are asked for and run, and starts it again once its replica has taken
 * over. All that was accepted ends, with its result. Take a worker with `?replicas=1`.
 */
export const throughFailover = (lost: Node, heir: Node, rejoin: () => Promise<unknown> = () => Promise.resolve()) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const inspect = yield* Inspect
    const accepted: Array<{ readonly id: string; readonly n: number }> = []
    let refused = 0
    const asked = { enough: false }
    // Asks on and on, one job of each queue after the other; what is refused is asked for again under the same id.
    const producer = Effect.gen(function* () {
      for (let n = 0; !asked.enough; n++) {
        const task = three[n % 3]!
        const id = yield* engine.enqueue(task.job({ n }), { id: `job${n}` }).pipe(
          Effect.tapError(() => Effect.sync(() => refused++)),
          Effect.retry(Schedule.spaced("50 millis"))
        )
        accepted.push({ id, n })
      }
    })
    const asking = yield* Effect.forkChild(producer)
    yield* eventually(
      "work is under way",
      Effect.sync(() => accepted.length > 150)
    )
    lost.process.kill("SIGKILL")
    const dead = Date.now()
    yield* eventually(
      "the replica is the master",
      Effect.promise(async () => (await heir.client.info("replication")).includes("role:master")),
      15_000
    )
    // Until it has a replica again nothing is accepted that only the new master holds.
    lost.revive()
    yield* Effect.promise(rejoin)
    const before = accepted.length
    yield* eventually(
      "jobs are accepted again",
      Effect.sync(() => accepted.length > before + 60),
      15_000
    )
    const tookMs = Date.now() - dead
    asked.enough = true
    yield* Fiber.join(asking)
    const results = yield* Effect.forEach(
      accepted,
      ({ id }) => Effect.exit(engine.await(id, { timeout: "15 seconds" })),
      {
        concurrency: "unbounded"
      }
    )
    const short = accepted.filter(({ n }, i) => {
      const exit = results[i]
      return exit?._tag !== "Success" || exit.value !== n * 2
    })
    const found = yield* Effect.forEach(short, ({ id }) => inspect.job(id))
    assert.deepStrictEqual(found, [], `${short.length} of ${accepted.length} have not ended as they should`)
    yield* eventually(
      "nothing is left, and lag is a number",
      Effect.map(inspect.queues, (rows) => rows.every((row) => row.backlog === 0 && row.inFlight === 0)),
      5_000
    )
    return { tookMs, refused, accepted: accepted.length }
  })
