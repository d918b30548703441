/**
 * Slots that move to another master while their queue is at work, key by key as `redis-cli --cluster reshard` moves them. What was
 * accepted ends, and nothing runs twice; who is told `EngineUnavailable` meanwhile asks again under the same id.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Schedule, Schema } from "effect"
import { afterAll, beforeAll, describe } from "vitest"
import {
  DeadLetters,
  Engine,
  type EnqueueOptions,
  Flow,
  Inspect,
  layer,
  Retry,
  Task,
  Workers
} from "../../src/engine.ts"
import { eventually } from "../support/engine.ts"
import { binary, clusterOfSix, moveSlot, type Servers } from "../support/servers.ts"
import { Low, Middle, High, Sum, three } from "./support.ts"

const namespace = "t-reshard"
/** Runs of each job's handler to its end. */
const runs = new Map<string, number>()
const ran = (id: string) => Effect.sync(() => void runs.set(id, (runs.get(id) ?? 0) + 1))

const Twice = Task.make("reshard_twice", {
  payload: { n: Schema.Int },
  result: Schema.Int,
  retry: Retry.fixed({ attempts: 3, delay: "20 millis" })
})
const Fails = Task.make("reshard_fails", { payload: { n: Schema.Int }, result: Schema.Int, retry: Retry.none })

const answer = ({ n }: { readonly n: number }, job: Task.JobContext) =>
  Effect.as(Effect.andThen(Effect.sleep(2), ran(job.id)), n * 2)

const tasks = Layer.mergeAll(
  Low.toLayer(Effect.succeed(answer)),
  Middle.toLayer(Effect.succeed(answer)),
  High.toLayer(Effect.succeed(answer)),
  Sum.toLayer(
    Effect.succeed(({ results }, job) =>
      Effect.as(
        ran(job.id),
        results.reduce((a, b) => a + b, 0)
      )
    )
  ),
  Twice.toLayer(
    Effect.succeed((payload, job) => (job.attempt === 1 ? Effect.die("the first time") : answer(payload, job)))
  ),
  Fails.toLayer(Effect.succeed((_, job) => Effect.andThen(ran(job.id), Effect.die("always"))))
)

const app = (url: string) =>
  Workers.layer({ concurrency: 8, leaseMs: 2_000, drainTimeout: "2 seconds" }).pipe(
    Layer.provide(tasks),
    Layer.provideMerge(layer({ url, namespace }))
  )

/** The result of a job, or that it is dead. Fails where it has ended otherwise, or not. */
const ending = (engine: Engine["Service"], id: string) =>
  engine.await(id, { timeout: "20 seconds" }).pipe(Effect.catchTag("JobFailed", () => Effect.succeed("dead")))

/** What is asked for, in turns: plain jobs of each queue, later ones, fair lanes, retries, chords, and jobs that die. */
const kinds = 6
const asks = (n: number) => {
  const plain = three[n % 3] ?? Low
  const sums = Flow.all([Low.job({ n }), Middle.job({ n }), High.job({ n })]).andThen(Sum, {})
  const all = [
    { job: plain.job({ n }), options: {}, want: n * 2 },
    { job: Middle.job({ n }), options: { delay: "40 millis" }, want: n * 2 },
    { job: Middle.job({ n }), options: { key: `tenant${n % 3}` }, want: n * 2 },
    { job: Twice.job({ n }), options: {}, want: n * 2 },
    { job: sums, options: {}, want: n * 6 },
    { job: Fails.job({ n }), options: {}, want: "dead" as const }
  ]
  return all[n % kinds] as {
    job: (typeof all)[number]["job"]
    options: EnqueueOptions
    want: number | "dead"
  }
}

describe.runIf(!binary.container)("slots that move amid work", () => {
  let servers: Servers
  beforeAll(async () => {
    servers = await clusterOfSix()
  })
  afterAll(() => servers.stop())

  it.live(
    "each queue goes to another master: every accepted job ends once",
    () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const inspect = yield* Inspect
        const accepted: Array<{ readonly id: string; readonly want: number | "dead" }> = []
        const asked = { enough: false }
        // One for each kind, since who enqueues into a slot that moves mostly waits until it has.
        const producer = Effect.fnUntraced(function* (kind: number) {
          for (let n = kind; !asked.enough; n += kinds) {
            const { job, options, want } = asks(n)
            const id = yield* engine
              .enqueue(job, { ...options, id: `job${n}` })
              .pipe(Effect.retry(Schedule.spaced("20 millis")))
            accepted.push({ id, want })
          }
        })
        const asking = yield* Effect.forkChild(
          Effect.forEach(
            Array.from({ length: kinds }, (_, kind) => kind),
            producer,
            { concurrency: kinds }
          )
        )
        const more = (count: number) => {
          const before = accepted.length
          return eventually(
            "jobs are accepted",
            Effect.sync(() => accepted.length >= before + count),
            15_000
          )
        }
        yield* more(120)
        const [one, two, last] = servers.nodes
        const moves = [
          [5_718, two!, one!],
          [5_835, last!, two!],
          [1_057, one!, last!]
        ] as const
        for (const [slot, from, to] of moves) {
          // Between two steps there is time to work on what is here and what is there.
          yield* Effect.promise(() =>
            moveSlot(servers, slot, from, to, () => new Promise((resolve) => setTimeout(resolve, 10)))
          )
          yield* more(120)
        }
        asked.enough = true
        yield* Fiber.join(asking)
        const ends = yield* Effect.forEach(accepted, ({ id }) => Effect.exit(ending(engine, id)), {
          concurrency: "unbounded"
        })
        const wrong = accepted.filter(({ want }, i) => {
          const end = ends[i]
          return end?._tag !== "Success" || end.value !== want
        })
        assert.deepStrictEqual(wrong, [])
        assert.deepStrictEqual(
          [...runs].filter(([, count]) => count !== 1),
          []
        )
        const { default: letters } = yield* DeadLetters.use((dead) => dead.depth)
        assert.strictEqual(letters, accepted.filter(({ want }) => want === "dead").length)
        yield* eventually(
          "nothing is left, and lag is a number",
          Effect.map(inspect.queues, (rows) => rows.every((row) => row.backlog + row.inFlight + row.delayed === 0))
        )
      }).pipe(Effect.provide(app(servers.url))),
    60_000
  )
})
