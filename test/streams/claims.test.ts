/** The scripts of a work stream one by one, on real Redis: fence, leases, lost groups, trimming, limits. */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { chosenId } from "../../src/jobs/JobQueue.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import * as JobQueues from "../../src/streams/JobQueues.ts"
import * as Settling from "../../src/streams/Settling.ts"
import { group, keysOf } from "../../src/streams/Keys.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { removeKeys } from "../support/clean.ts"
import { clientLayer, freshNamespace, redisUrl } from "../support/engine.ts"

const namespace = freshNamespace("claims")
const keys = keysOf(namespace)
let stream = 0
/** No two calls of `done` are the same attempt. */
let ended = 1
const names = ["high-priority", "default", "low-priority"] as const

/** Each test takes the next queue and empties it first. */
const fresh = Effect.gen(function* () {
  const redis = yield* Redis
  const queue = names[stream++ % names.length] as (typeof names)[number]
  const k = keys.queue(queue)
  const { client } = redis
  yield* redis.use("clean", async (c) => {
    await removeKeys(redisUrl, `${k.prefix}*`)
    await JobQueues.ensureGroup(c, k)
  })
  const add = (count: number, limit = 1_000_000) =>
    Effect.promise(() =>
      JobQueues.add(
        client,
        k,
        keys.control,
        limit,
        Array.from({ length: count }, (_, i) => ({
          id: chosenId(queue, `job${i}`) ?? ("" as never),
          task: "t",
          payload: `{"n":${i}}`,
          meta: "",
          delayMs: undefined,
          check: "c"
        }))
      )
    )
  const read = (consumer: string, count: number) =>
    Effect.promise(async () => (await JobQueues.read(client, k, consumer, count, 1)).map((c) => ({ ...c })))
  const done = (consumer: string, jobs: ReadonlyArray<JobQueues.Claimed>, result = "1") =>
    Effect.promise(() =>
      Settling.settle(
        client,
        k,
        keys.control,
        consumer,
        jobs.map((j) => ({
          kind: "D" as const,
          claim: { entry: j.entry, count: j.count },
          id: j.id,
          task: j.task,
          run: `1:1:1:${++ended}`,
          body: result,
          ms: 60_000,
          meta: "",
          link: "",
          unique: ""
        }))
      ).then(({ refused }) => refused)
    )
  const reclaim = (consumer: string, leaseMs: number, count = 50) =>
    Effect.promise(() => JobQueues.reclaim(client, k, consumer, leaseMs, "0-0", count, Date.now() + 60_000))
  const lag = Effect.promise(async () => {
    const info = ((await client.xinfo("GROUPS", k.jobs)) as ReadonlyArray<ReadonlyArray<unknown>>)[0] ?? []
    return info[info.indexOf("lag") + 1]
  })
  const lastDelivered = Effect.promise(async () => {
    const info = ((await client.xinfo("GROUPS", k.jobs)) as ReadonlyArray<ReadonlyArray<unknown>>)[0] ?? []
    return String(info[info.indexOf("last-delivered-id") + 1])
  })
  const result = (id: string) => Effect.promise(() => client.hget(k.job(id), "result"))
  return { client, k, add, read, done, reclaim, lag, lastDelivered, result, queue }
})

layer(clientLayer(namespace), { excludeTestServices: true })("claims", (it) => {
  describe("fence", () => {
    it.effect("refuses a result whose claim another has taken, and accepts the other's", () =>
      Effect.gen(function* () {
        const q = yield* fresh
        yield* q.add(3)
        const first = yield* q.read("a", 3)
        const taken = (yield* q.reclaim("b", 0)).jobs
        assert.deepStrictEqual(
          taken.map((j) => j.count),
          [2, 2, 2]
        )
        assert.deepStrictEqual([...(yield* q.done("a", first, '"late"')).values()], ["lost", "lost", "lost"])
        assert.strictEqual((yield* q.done("b", taken, '"good"')).size, 0)
        assert.strictEqual(yield* q.result(first[0]?.id ?? ""), '"good"')
        assert.strictEqual((yield* q.done("b", taken, '"twice"')).size, 3)
        assert.strictEqual(yield* q.result(first[0]?.id ?? ""), '"good"')
      })
    )
    it.effect("tells a claim from a later one of the same consumer", () =>
      Effect.gen(function* () {
        const q = yield* fresh
        yield* q.add(1)
        const first = yield* q.read("a", 1)
        const again = (yield* q.reclaim("a", 0)).jobs
        assert.strictEqual((yield* q.done("a", first)).get(0), "lost")
        assert.strictEqual((yield* q.done("a", again)).size, 0)
      })
    )
    it.effect("settles out of order and with many others pending", () =>
      Effect.gen(function* () {
        const q = yield* fresh
        yield* q.add(120)
        yield* q.read("b", 40)
        const mine = yield* q.read("a", 80)
        const some = [mine[70], mine[3], mine[41], mine[12]].filter((j) => j !== undefined)
        assert.strictEqual((yield* q.done("a", some)).size, 0)
        assert.strictEqual(
          (yield* q.done(
            "a",
            mine.filter((j) => !some.includes(j))
          )).size,
          0
        )
      })
    )
  })

  describe("lease", () => {
    it.effect("a renewed claim is not taken over, a silent one is; a lost one is told and not stolen back", () =>
      Effect.gen(function* () {
        const q = yield* fresh
        yield* q.add(2)
        const [kept, left] = yield* q.read("a", 2)
        if (kept === undefined || left === undefined) return assert.fail("two jobs were expected")
        // As if both had been held for a second without a sign of life.
        yield* Effect.promise(() =>
          q.client.call("XCLAIM", q.k.jobs, group, "a", 0, kept.entry, left.entry, "IDLE", 1_000, "JUSTID")
        )
        const renew = (job: JobQueues.Claimed) =>
          Effect.promise(() => JobQueues.renew(q.client, q.k, "a", [{ entry: job.entry, count: job.count }]))
        assert.deepStrictEqual(yield* renew(kept), [])
        const taken = (yield* q.reclaim("b", 50)).jobs
        assert.deepStrictEqual(
          taken.map((j) => j.id),
          [left.id]
        )
        assert.deepStrictEqual(yield* renew(left), [left.entry])
        assert.strictEqual((yield* q.done("b", taken)).size, 0)
      })
    )
    it.effect("what was given back unbegun is no attempt and is taken at once", () =>
      Effect.gen(function* () {
        const q = yield* fresh
        yield* q.add(1)
        const [job] = yield* q.read("a", 1)
        const claim = { id: job?.id ?? "", entry: job?.entry ?? "", count: 1, ran: false }
        yield* Effect.promise(() => JobQueues.release(q.client, q.k, keys.control, "a", [claim]))
        const taken = (yield* q.reclaim("b", 5_000)).jobs
        assert.deepStrictEqual(
          taken.map((j) => j.count),
          [1]
        )
        assert.strictEqual((yield* q.done("a", [{ ...taken[0]!, count: 1 }])).get(0), "lost")
      })
    )
    it.effect("what was given back unbegun by the heir of a lost worker has lost no second one", () =>
      Effect.gen(function* () {
        const q = yield* fresh
        yield* q.add(1)
        yield* q.read("a", 1)
        const [orphan] = (yield* q.reclaim("b", 0)).jobs
        assert.strictEqual(orphan?.lost?.split(",").length, 1)
        const claim = { id: orphan?.id ?? "", entry: orphan?.entry ?? "", count: 2, ran: false }
        yield* Effect.promise(() => JobQueues.release(q.client, q.k, keys.control, "b", [claim]))
        const [again] = (yield* q.reclaim("c", 5_000)).jobs
        assert.strictEqual(again?.count, 2)
        assert.strictEqual(again?.lost, orphan?.lost)
      })
    )
  })

  describe("a lost group", () => {
    it.effect("is made again before the oldest unfinished entry, with a right lag; nothing is finished twice", () =>
      Effect.gen(function* () {
        const q = yield* fresh
        yield* q.add(100)
        const first = yield* q.read("a", 60)
        assert.strictEqual((yield* q.done("a", first.slice(0, 40), '"once"')).size, 0)
        yield* Effect.promise(() => JobQueues.trim(q.client, q.k))
        yield* Effect.promise(() => q.client.xgroup("DESTROY", q.k.jobs, group))
        assert.isTrue(
          yield* Effect.promise(() => JobQueues.read(q.client, q.k, "a", 1, 1).then(() => false, JobQueues.isGroupLost))
        )
        assert.strictEqual(yield* Effect.promise(() => JobQueues.ensureGroup(q.client, q.k)), 2)
        assert.strictEqual(yield* q.lag, 60)
        const again = yield* q.read("b", 100)
        assert.strictEqual(again.length, 60)
        assert.strictEqual(yield* q.lag, 0)
        // A job whose result was written before the loss keeps it, even where its entry comes again.
        yield* Effect.promise(() => q.client.xgroup("DESTROY", q.k.jobs, group))
        yield* Effect.promise(() => JobQueues.ensureGroup(q.client, q.k))
        const third = yield* q.read("c", 100)
        yield* q.done("c", third, '"second"')
        yield* Effect.promise(() => q.client.xgroup("DESTROY", q.k.jobs, group))
        yield* Effect.promise(() => JobQueues.ensureGroup(q.client, q.k))
        const fourth = yield* q.read("d", 100)
        assert.deepStrictEqual([...new Set((yield* q.done("d", fourth, '"third"')).values())], ["cancelled"])
        assert.strictEqual(yield* q.result(fourth[0]?.id ?? ""), '"second"')
        assert.strictEqual(yield* q.result(first[0]?.id ?? ""), '"once"')
      })
    )
  })

  describe("trimming", () => {
    it.effect("drops only what is finished and keeps lag a right number", () =>
      Effect.gen(function* () {
        const q = yield* fresh
        yield* q.add(500)
        const jobs = yield* q.read("a", 300)
        yield* q.done("a", jobs.slice(0, 100))
        yield* q.done("a", jobs.slice(101, 200))
        for (let i = 0; i < 5; i++) yield* Effect.promise(() => JobQueues.trim(q.client, q.k))
        assert.strictEqual(yield* Effect.promise(() => q.client.xlen(q.k.jobs)), 400)
        assert.strictEqual(yield* q.lag, 200)
        yield* q.done("a", [jobs[100]!])
        yield* q.done("a", jobs.slice(200, 300))
        yield* q
          .read("a", 500)
          .pipe(
            Effect.flatMap((rest) => Effect.forEach([rest.slice(0, 100), rest.slice(100)], (part) => q.done("a", part)))
          )
        for (let i = 0; i < 10; i++) yield* Effect.promise(() => JobQueues.trim(q.client, q.k))
        assert.strictEqual(yield* Effect.promise(() => q.client.xlen(q.k.jobs)), 0)
        assert.strictEqual(yield* q.lag, 0)
      })
    )
    it.effect("counts anew what was read where the server has forgotten it, also where much is kept", () =>
      Effect.gen(function* () {
        for (const ahead of [false, true]) {
          const q = yield* fresh
          if (ahead) {
            // More is kept than one call may count.
            const filler = Array.from({ length: 10_100 }, () => ["xadd", q.k.jobs, "*", "id", "x"])
            yield* Effect.promise(() => q.client.pipeline(filler).exec())
            yield* q.read("a", 10_050)
          } else {
            yield* q.add(300)
            const jobs = yield* q.read("a", 120)
            yield* q.done("a", jobs.slice(0, 60))
            yield* q.done("a", jobs.slice(70, 120))
          }
          const before = yield* q.lag
          assert.strictEqual(before, ahead ? 50 : 180)
          const last = yield* q.lastDelivered
          // What a restart of Redis 7.0 does that plays its AOF: the position comes back, the count does not.
          yield* Effect.promise(() => q.client.xgroup("SETID", q.k.jobs, group, last))
          assert.strictEqual(yield* q.lag, null)
          // Counting is bounded, so it may take several calls.
          const counted = Effect.promise(() => JobQueues.trim(q.client, q.k))
          yield* Effect.repeat(counted, { until: ({ again }) => !again, times: 100 })
          assert.strictEqual(yield* q.lag, before)
          yield* q.read("b", 20)
          assert.strictEqual(yield* q.lag, Number(before) - 20)
          yield* Effect.promise(() => JobQueues.trim(q.client, q.k))
          assert.strictEqual(yield* q.lag, Number(before) - 20)
        }
      })
    )
  })

  describe("a count of entries read that is wrong after a restart", () => {
    it.effect("is set right: at once at the end of the stream, else once for each run of the server", () =>
      Effect.gen(function* () {
        const q = yield* fresh
        yield* q.add(30)
        yield* q.read("a", 20)
        yield* Effect.promise(() => JobQueues.trim(q.client, q.k))
        const setId = (read: number) =>
          Effect.flatMap(q.lastDelivered, (last) =>
            Effect.promise(() => q.client.call("XGROUP", "SETID", q.k.jobs, group, last, "ENTRIESREAD", read))
          )
        // What a restart of Redis 7.0 leaves: the position of today with the count of the last SETID.
        yield* setId(3)
        yield* Effect.promise(() => q.client.hset(q.k.cursor, "counted", "an earlier run"))
        assert.strictEqual(yield* q.lag, 27)
        yield* Effect.promise(() => JobQueues.trim(q.client, q.k))
        assert.strictEqual(yield* q.lag, 10)
        yield* q.read("a", 10)
        assert.strictEqual(yield* q.lag, 0)
        yield* setId(23)
        assert.strictEqual(yield* q.lag, 7)
        yield* Effect.promise(() => JobQueues.trim(q.client, q.k))
        assert.strictEqual(yield* q.lag, 0)
        // Deletions leave only the side that waits to be counted.
        const filler = Array.from({ length: 12 }, () => ["xadd", q.k.jobs, "*", "id", "x"])
        yield* Effect.promise(() => q.client.pipeline(filler).exec())
        const [gone] = yield* q.read("a", 4)
        yield* Effect.promise(() => q.client.xdel(q.k.jobs, gone?.entry ?? ""))
        yield* setId(1)
        yield* Effect.promise(() => q.client.hdel(q.k.cursor, "counted"))
        yield* Effect.promise(() => JobQueues.trim(q.client, q.k))
        assert.strictEqual(yield* q.lag, 8)
      })
    )
  })

  describe("limits", () => {
    it.effect("a full queue refuses, and takes again when it has emptied", () =>
      Effect.gen(function* () {
        const q = yield* fresh
        const added = yield* q.add(15, 10)
        assert.strictEqual(added.filter((a) => a === "full").length, 5)
        const row = (yield* Inspect.use((i) => i.queues)).find((r) => r.name === q.queue)
        assert.strictEqual(row?.backlog, 10)
        yield* q.done("a", yield* q.read("a", 10))
        // Finished entries that are not yet trimmed do not count.
        const more = yield* Effect.promise(() =>
          JobQueues.add(q.client, q.k, keys.control, 10, [
            {
              id: chosenId(q.queue, "more") ?? ("" as never),
              task: "t",
              payload: "{}",
              meta: "",
              delayMs: undefined,
              check: ""
            }
          ])
        )
        assert.deepStrictEqual(more, ["added"])
      })
    )
  })
})
