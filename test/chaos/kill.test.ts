/**
 * Workers in processes of their own, killed, frozen and stopped amid 1,000 jobs: all of them finish, no result is written
 * twice, and XINFO's lag is a number at every look.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Engine } from "../../src/jobs/Engine.ts"
import { queues } from "../../src/jobs/JobQueue.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { clientLayer, eventually, freshNamespace, redisUrl } from "../support/engine.ts"
import { Tally } from "./worker.ts"

const jobs = 1_000
const file = fileURLToPath(new URL("./worker.ts", import.meta.url))

/** A worker process; resolves once it serves, and is gone with the scope. */
const worker = (namespace: string) =>
  Effect.acquireRelease(
    Effect.callback<ChildProcess>((resume) => {
      const child = spawn(process.execPath, ["--no-warnings", file], {
        env: { ...process.env, WORKER_NAMESPACE: namespace, REDIS_URL: redisUrl },
        stdio: ["ignore", "pipe", "inherit"]
      })
      child.stdout?.once("data", () => resume(Effect.succeed(child)))
      child.once("exit", (code) => resume(Effect.die(new Error(`the worker ended with ${code}`))))
    }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

const doneSoFar = (namespace: string) => Redis.use((redis) => redis.use("hlen", (c) => c.hlen(`${namespace}:tally`)))

/** Looks at the lag of all streams until interrupted; what is not a number is kept. */
const watchLag = (namespace: string, wrong: Array<unknown>, looks: { count: number }) =>
  Redis.use((redis) =>
    Effect.forever(
      Effect.andThen(
        redis.use("xinfo", async (c) => {
          for (const queue of queues) {
            const groups = (await c.xinfo("GROUPS", `${namespace}:{${queue}}:jobs`)) as ReadonlyArray<
              ReadonlyArray<unknown>
            >
            for (const group of groups) {
              looks.count++
              const lag = group[group.indexOf("lag") + 1]
              if (typeof lag !== "number") wrong.push(group)
            }
          }
        }),
        Effect.sleep(2)
      )
    )
  )

/** Enqueues, does something terrible in the middle, and looks at the end. */
const amid = (
  name: string,
  terror: (workers: ReadonlyArray<ChildProcess>, namespace: string) => Effect.Effect<void>,
  mostRuns: number
) => {
  const namespace = freshNamespace(name)
  return Effect.gen(function* () {
    const engine = yield* Engine
    const inspect = yield* Inspect
    const wrong: Array<unknown> = []
    const looks = { count: 0 }
    yield* Effect.forkScoped(watchLag(namespace, wrong, looks))
    const workers = yield* Effect.all([worker(namespace), worker(namespace)], { concurrency: 2 })
    const ids = yield* engine.enqueueAll(Array.from({ length: jobs }, (_, n) => Tally.job({ n })))
    yield* eventually(
      "some are done",
      Effect.map(doneSoFar(namespace), (n) => n > 150)
    )
    yield* terror(workers, namespace)
    const results = yield* Effect.forEach(ids, (id) => engine.await(id), { concurrency: "unbounded" }).pipe(
      Effect.timeout("15 seconds")
    )
    assert.deepStrictEqual(
      results.map((r) => (r as { readonly n: number }).n),
      Array.from({ length: jobs }, (_, n) => n)
    )
    yield* eventually(
      "nothing is left",
      Effect.map(inspect.queues, (rows) => rows.every((q) => q.backlog === 0 && q.inFlight === 0))
    )
    const redis = yield* Redis
    const entries = yield* redis.use("xrange", (c) => c.xrange(`${namespace}:events`, "-", "+"))
    const written = new Map<string, number>()
    for (const [, fields] of entries) {
      for (const row of JSON.parse(fields[1] ?? "[]") as ReadonlyArray<readonly [string, string, string]>) {
        if (row[2] === "done") written.set(row[0], (written.get(row[0]) ?? 0) + 1)
      }
    }
    assert.deepStrictEqual(
      [...written].filter(([, times]) => times > 1),
      []
    )
    const runs = yield* redis.use("hvals", (c) => c.hvals(`${namespace}:tally`))
    const again = runs.filter((n) => Number(n) > 1).length
    assert.isTrue(again <= mostRuns, `${again} jobs ran more than once`)
    assert.deepStrictEqual(wrong, [])
    assert.isTrue(looks.count > 100)
  }).pipe(Effect.scoped, Effect.provide(clientLayer(namespace)))
}

it.live(
  "kill -9 of a worker: another finishes all, each result written once",
  // Only what the dead worker was running can run again: 8 jobs, and those it finished and had not settled.
  () => amid("kill", ([first]) => Effect.sync(() => void first?.kill("SIGKILL")), 40),
  30_000
)

it.live(
  "a frozen worker's late results are refused",
  () =>
    amid(
      "freeze",
      ([first], namespace) =>
        Effect.gen(function* () {
          first?.kill("SIGSTOP")
          yield* Effect.forkDetach(
            eventually(
              "the others have finished",
              Effect.map(doneSoFar(namespace), (n) => n === jobs),
              20_000
            ).pipe(
              Effect.andThen(Effect.sync(() => first?.kill("SIGCONT"))),
              Effect.provide(clientLayer(namespace)),
              Effect.ignore
            )
          )
        }),
      40
    ),
  40_000
)

it.live(
  "a worker that is stopped finishes what it runs and leaves the rest at once",
  () => amid("stop", ([first]) => Effect.sync(() => void first?.kill("SIGTERM")), 0),
  30_000
)
