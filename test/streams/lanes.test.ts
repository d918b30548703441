/** Fair lanes one script at a time, on real Redis: turns, weights, what comes back, what is cancelled, limits. No worker runs. */
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Flow from "../../src/jobs/Flow.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Control } from "../../src/streams/Control.ts"
import * as Delayed from "../../src/streams/Delayed.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import * as JobQueues from "../../src/streams/JobQueues.ts"
import { keysOf } from "../../src/streams/Keys.ts"
import * as Lanes from "../../src/streams/Lanes.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { removeKeys } from "../support/clean.ts"
import { clientLayer, eventually, freshNamespace, redisUrl } from "../support/engine.ts"

const Work = Task.make("work", { payload: { n: Schema.Int } })
const namespace = freshNamespace("lanes")
const keys = keysOf(namespace).queue("default")

const many = (key: string, count: number, options: { readonly delay?: number } = {}) =>
  Engine.use((engine) =>
    engine.enqueueAll(
      Array.from({ length: count }, (_, n) => Work.job({ n })),
      { key, ...options }
    )
  )
const keyOf = (job: JobQueues.Claimed): string => (JSON.parse(job.meta) as { readonly k: string }).k
/** What readers get, in order; each read is followed by a feed, as the consumer does. */
const drain = (count: number, perRead = 10) =>
  Effect.gen(function* () {
    const redis = yield* Redis
    const out: Array<JobQueues.Claimed> = []
    while (out.length < count) {
      const jobs = yield* redis.use("read", (c) => JobQueues.read(c, keys, "reader", perRead, 1))
      yield* redis.use("feed", (c) => Delayed.promote(c, keys))
      if (jobs.length === 0) return out
      out.push(...jobs)
    }
    return out
  })
const empty = Effect.gen(function* () {
  const redis = yield* Redis
  yield* redis.use("clean", async (c) => {
    await removeKeys(redisUrl, `${keys.prefix}*`)
    await JobQueues.ensureGroup(c, keys)
  })
})
const row = Effect.map(
  Inspect.use((i) => i.queues),
  (rows) => rows.find((r) => r.name === "default")
)

layer(clientLayer(namespace, { maxQueued: 1_000 }), { excludeTestServices: true })("lanes", (it) => {
  describe("turns", () => {
    it.effect("a newcomer waits for one batch, whatever stands before it", () =>
      Effect.gen(function* () {
        yield* empty
        yield* many("a", 500)
        yield* many("b", 20)
        assert.strictEqual((yield* row)?.backlog, 520)
        const order = (yield* drain(520)).map(keyOf)
        assert.strictEqual(order.length, 520)
        const first = order.indexOf("b")
        assert.isTrue(first <= 60, `first of b after ${first}`)
        assert.isTrue(order.lastIndexOf("b") <= first + 40, `last of b at ${order.lastIndexOf("b")}`)
        assert.strictEqual((yield* row)?.backlog, 0)
        const redis = yield* Redis
        assert.strictEqual(yield* redis.use("left", (c) => c.exists(keys.lanes, `${keys.prefix}lane:a`)), 0)
      })
    )
    it.effect("go by weight", () =>
      Effect.gen(function* () {
        yield* empty
        yield* Lanes.weigh("default", "gold", 3)
        yield* many("plain", 200)
        yield* many("gold", 200)
        const order = (yield* drain(400)).map(keyOf)
        const shared = order.slice(order.indexOf("gold"), order.lastIndexOf("gold"))
        const gold = shared.filter((k) => k === "gold").length
        assert.isTrue(gold > 2.5 * (shared.length - gold), `${gold} of ${shared.length}`)
        yield* Lanes.weigh("default", "gold", 1)
      })
    )
    it.effect("jobs without a key go straight to the stream", () =>
      Effect.gen(function* () {
        yield* empty
        yield* many("a", 300)
        yield* Work.enqueue({ n: -1 })
        const jobs = yield* drain(301)
        assert.isTrue(jobs.findIndex((job) => job.payload === '{"n":-1}') <= 60)
        assert.strictEqual(jobs.length, 301)
      })
    )
    it.effect("delayed jobs come back through their lane, and every job of a keyed flow has one", () =>
      Effect.gen(function* () {
        yield* empty
        yield* many("a", 100)
        const late = yield* many("a", 100, { delay: 1 })
        assert.strictEqual((yield* row)?.delayed, 100)
        const engine = yield* Engine
        yield* engine.enqueue(Flow.all([Work.job({ n: 1 }), Work.job({ n: 2 })]), { key: "b" })
        const jobs = yield* drain(202)
        assert.strictEqual(jobs.length, 202)
        assert.isTrue(late.every((id) => jobs.some((job) => job.id === id)))
        assert.strictEqual(jobs.filter((job) => keyOf(job) === "b").length, 2)
        assert.isTrue(jobs.findIndex((job) => keyOf(job) === "b") <= 60)
      })
    )
    it.effect("go on when a feed was missed or the stream was emptied", () =>
      Effect.gen(function* () {
        yield* empty
        const redis = yield* Redis
        yield* many("a", 100)
        // Read without feeding: as if that call had failed. The mover's turn feeds.
        while ((yield* redis.use("read", (c) => JobQueues.read(c, keys, "reader", 100, 1))).length > 0);
        yield* redis.use("feed", (c) => Delayed.promote(c, keys))
        const rest = (yield* drain(1_000)).length
        assert.isTrue(rest > 0 && rest < 100)
        yield* many("a", 100)
        yield* redis.use("del", (c) => c.del(keys.jobs))
        yield* redis.use("group", (c) => JobQueues.ensureGroup(c, keys))
        yield* redis.use("feed", (c) => Delayed.promote(c, keys))
        assert.isTrue((yield* drain(60)).length > 0)
      })
    )
  })

  describe("limits and cancelling", () => {
    it.effect("lanes count for a full queue, and a bad key is refused", () =>
      Effect.gen(function* () {
        yield* empty
        const error = yield* Effect.flip(many("a", 1_010))
        assert.strictEqual(error.refused.length, 10)
        assert.isTrue(error.refused.every((r) => r.error._tag === "QueueFull"))
        assert.strictEqual((yield* Effect.flip(Work.enqueue({ n: 1 })))._tag, "QueueFull")
        const bad = yield* Effect.flip(Work.enqueue({ n: 1 }, { key: 'a"b' }))
        assert.strictEqual(bad._tag === "PayloadInvalid" && bad.issues[0]?.path, "options.key")
      })
    )
    it.effect("a job is revoked in its lane, and a purge empties lanes", () =>
      Effect.gen(function* () {
        yield* empty
        const control = yield* Control
        const ids = yield* many("a", 300)
        for (const id of ids.slice(200, 250)) assert.strictEqual(yield* control.revoke(id), "cancelled")
        assert.strictEqual((yield* row)?.backlog, 250)
        const id = ids[200] ?? ""
        assert.strictEqual((yield* Inspect.use((i) => i.job(id)))?.state, "cancelled")
        assert.strictEqual(yield* control.purge("default"), 250)
        yield* eventually(
          "nothing is left",
          Effect.map(row, (r) => r?.backlog === 0)
        )
        assert.strictEqual((yield* drain(1)).length, 0)
        assert.strictEqual((yield* Inspect.use((i) => i.job(ids[299] ?? "")))?.state, "cancelled")
      })
    )
    it.effect("the oldest job is told wherever it waits: in the stream or in a lane", () =>
      Effect.gen(function* () {
        yield* empty
        const redis = yield* Redis
        assert.strictEqual((yield* row)?.oldestAgeMs, 0)
        const ids = yield* many("a", 60)
        assert.isBelow((yield* row)?.oldestAgeMs ?? 0, 30_000)
        // Its lane's first is not yet in the stream: as if it had come a minute ago.
        const [first = ""] = yield* redis.use("first", async (c) =>
          [await c.lindex(`${keys.prefix}lane:a`, 0)].map(String)
        )
        assert.include(ids, first)
        yield* redis.use("before", (c) => c.hincrby(keys.job(first), "laned", -60_000))
        assert.isAtLeast((yield* row)?.oldestAgeMs ?? 0, 60_000)
        yield* drain(60)
        assert.strictEqual((yield* row)?.oldestAgeMs, 0)
        assert.strictEqual(yield* redis.use("gone", (c) => c.hget(keys.job(first), "laned")), null)
      })
    )
    it.effect("a purge goes on where more jobs than one script looks at were cancelled in their lane", () =>
      Effect.gen(function* () {
        yield* empty
        const control = yield* Control
        const ids = yield* many("a", 720)
        for (const what of yield* control.revokeAll(ids.slice(50, 710))) assert.strictEqual(what, "cancelled")
        assert.strictEqual(yield* control.purge("default"), 60)
        assert.strictEqual((yield* row)?.backlog, 0)
        assert.strictEqual((yield* Inspect.use((i) => i.job(ids[719] ?? "")))?.state, "cancelled")
      })
    )
  })
})
