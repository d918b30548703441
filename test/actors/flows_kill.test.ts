/** Workers killed again and again amid a nested flow of some 1,000 jobs: it ends, once, with the right result. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Flow from "../../src/jobs/Flow.ts"
import type { Job } from "../../src/jobs/Job.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { clientLayer, eventually, freshNamespace, redisUrl } from "../support/engine.ts"
import { Leaf, Sum } from "./flows_worker.ts"

const file = fileURLToPath(new URL("./flows_worker.ts", import.meta.url))
const namespace = freshNamespace("flowkill")

/** A worker process; resolves once it serves, and is gone with the scope. */
const worker = Effect.acquireRelease(
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

const ended = Redis.use((redis) =>
  redis.use("tally", async (c) => {
    const tally = await c.hgetall(`${namespace}:tally`)
    return Number(tally["leaf"] ?? 0) + Number(tally["sum"] ?? 0)
  })
)

/** 10 branches in turn (a chord of 48 chains of two, then a sum), each in a chord with the next: 10 × 97 + 19 jobs and groups. */
const branch = (): Job<{ readonly n: number }> =>
  Flow.all(Array.from({ length: 48 }, (_, n) => Leaf.job({ n, add: 0 }).andThen(Leaf, { add: 1 }))).andThen(Sum, {})
const nested = (): Job<{ readonly n: number }> => {
  let job = branch()
  for (let i = 1; i < 10; i++) {
    job = Flow.all([job, branch()])
      .andThen(Sum, {})
      .andThen(Flow.all([Flow.step(Leaf, { add: 0 })]))
      .andThen(Sum, {})
  }
  return job
}
const expected = 10 * ((48 * 47) / 2 + 48)

it.live(
  "kill -9 amid a nested flow of 1,000 jobs: nothing is lost, what follows a group starts once",
  () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const inspect = yield* Inspect
      const redis = yield* Redis
      yield* worker
      const ids = yield* Effect.forEach([1, 2], () => engine.enqueue(nested()))
      for (const at of [150, 500, 900, 1_300, 1_700]) {
        const next = yield* worker
        yield* eventually(
          `${at} have begun`,
          Effect.map(ended, (n) => n > at)
        )
        next.kill("SIGKILL")
      }
      const results = yield* Effect.forEach(ids, (id) => engine.await(id)).pipe(Effect.timeout("60 seconds"))
      assert.deepStrictEqual(results, [{ n: expected }, { n: expected }])
      yield* eventually(
        "nothing is left",
        Effect.map(inspect.queues, (rows) => rows.every((q) => q.backlog === 0 && q.inFlight === 0 && q.dead === 0))
      )
      const entries = yield* redis.use("xrange", (c) => c.xrange(`${namespace}:events`, "-", "+"))
      const done = new Map<string, number>()
      for (const [, fields] of entries) {
        for (const row of JSON.parse(fields[1] ?? "[]") as ReadonlyArray<readonly [string, string, string]>) {
          if (row[2] === "done") done.set(row[0], (done.get(row[0]) ?? 0) + 1)
        }
      }
      assert.deepStrictEqual(
        [...done].filter(([, times]) => times > 1),
        []
      )
    }).pipe(Effect.scoped, Effect.provide(clientLayer(namespace))),
  90_000
)
