/** Entries and records that nobody of ours wrote, and ends that come at the worst moment: no worker stops, no other job is lost. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Schema } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Control } from "../../src/streams/Control.ts"
import * as Delayed from "../../src/streams/Delayed.ts"
import { DeadLetters } from "../../src/streams/DeadLetters.ts"
import * as JobQueues from "../../src/streams/JobQueues.ts"
import { group, keysOf } from "../../src/streams/Keys.ts"
import { Redis } from "../../src/streams/Redis.ts"
import * as Settling from "../../src/streams/Settling.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

const Work = Task.make("work", { payload: { n: Schema.Int }, result: Schema.Struct({ m: Schema.Int }) })
const Next = Task.make("next", { payload: { m: Schema.Int } })
const Kept = Task.make("kept", { payload: {}, resultTtl: Infinity })

const tasks = Layer.mergeAll(
  Work.toLayer(Effect.succeed(({ n }) => Effect.succeed({ m: n }))),
  Next.toLayer(Effect.succeed(() => Effect.void)),
  Kept.toLayer(Effect.succeed(() => Effect.void))
)
const worker = Workers.layer({ concurrency: 1, leaseMs: 1_000, drainTimeout: "1 second" }).pipe(Layer.provide(tasks))

const setting = (what: string) => {
  const namespace = freshNamespace(what)
  return { namespace, keys: keysOf(namespace), k: keysOf(namespace).queue("default"), live: clientLayer(namespace) }
}

/** Texts that are no plain job in its short form, or one of nobody's. */
const shortened = ["", " ", "d-1", "d-1 work", "  x", "d-j @link {", "d-k __proto__ null", "d-n work {"]

/** Meta of an entry that says nonsense. */
const strange = [
  "null",
  "5",
  '"x"',
  "[]",
  "{",
  '{"u":["a","b"]}',
  '{"u":null}',
  '{"h":5,"c":5,"a":"x","t":{},"s":"y","f":"z","n":"q","d":"r","x":"w","g":[]}',
  '{"b":5}',
  '{"e":7}',
  '{"b":[5,null,{"queue":"default"}],"e":[null]}',
  '{"l":{"next":{"id":"d-q","queue":"default","task":"work","payload":{},"meta":{"u":["a","b"],"e":3}}}}',
  '{"w":{},"k":9,"p":[],"r":{}}'
]

describe("a claim", () => {
  it.effect("is not acknowledged by a late worker that puts the job back as it was put back before", () => {
    const { k, keys, live } = setting("late")
    return Effect.gen(function* () {
      const redis = yield* Redis
      yield* redis.use("test", async (c) => {
        await JobQueues.ensureGroup(c, k)
        const job = { id: "d-late" as never, task: "t", payload: "1", meta: "", delayMs: undefined, check: "c" }
        await JobQueues.add(c, k, keys.control, 10, [job])
        const back = (claim: JobQueues.Claim) => ({
          kind: "S" as const,
          claim,
          id: "d-late",
          task: "t",
          run: "0:5::",
          body: "",
          ms: 1,
          meta: "",
          link: "",
          unique: ""
        })
        const settle = async (consumer: string, one: Settling.Settlement) =>
          (await Settling.settle(c, k, keys.control, consumer, [one])).refused
        const [first] = await JobQueues.read(c, k, "a", 1, 1)
        assert.strictEqual((await settle("a", back(first as JobQueues.Claimed))).size, 0)
        await new Promise((resolve) => setTimeout(resolve, 5))
        await Delayed.promote(c, k)
        // `a` claims it again and freezes, `b` takes it over; then `a` says once more that it can't start.
        const [second] = await JobQueues.read(c, k, "a", 1, 1)
        const { jobs } = await JobQueues.reclaim(c, k, "b", 0, "0-0", 1, Date.now() + 60_000)
        await settle("a", back(second as JobQueues.Claimed))
        const done = { ...back(jobs[0] as JobQueues.Claimed), kind: "D" as const, run: "1:5:6:7", body: "1", ms: 1_000 }
        assert.strictEqual((await settle("b", done)).size, 0)
        assert.strictEqual(await c.hget(k.job("d-late"), "state"), "done")
      })
    }).pipe(Effect.provide(live))
  })
})

describe("a purge", () => {
  it.effect("leaves the record of a job alone whose end is not told yet, and fails what follows", () => {
    const { k, keys, live } = setting("purged")
    return Effect.gen(function* () {
      const redis = yield* Redis
      const engine = yield* Engine
      yield* redis.use("group", (c) => JobQueues.ensureGroup(c, k))
      const last = yield* engine.enqueue(Work.job({ n: 1 }).andThen(Next, {}))
      const first = yield* redis.use("run", async (c) => {
        const [job] = await JobQueues.read(c, k, "a", 1, 1)
        if (job === undefined) return assert.fail("expected the first job")
        const { count, entry, id, meta, task } = job
        const link = `{"meta":${meta},"result":{"m":1}}`
        const end = { kind: "d", claim: { count, entry }, id, task, run: "1:1:1:1", body: "{}", ms: 9_000 } as const
        await Settling.settle(c, k, keys.control, "a", [{ ...end, meta: "", link, unique: "" }])
        return id
      })
      yield* Control.use((control) => control.purge("default"))
      assert.strictEqual(yield* redis.use("state", (c) => c.hget(k.job(first), "state")), "done")
      assert.strictEqual(yield* redis.use("state", (c) => c.hget(k.job(last), "state")), "dead")
    }).pipe(Effect.provide(live))
  })

  it.effect("gets past entries that are not ours", () => {
    const { k, live } = setting("purge-strange")
    return Effect.gen(function* () {
      const redis = yield* Redis
      yield* redis.use("add", async (c) => {
        await JobQueues.ensureGroup(c, k)
        await c.xadd(k.jobs, "*", "nothing", "here")
        for (const text of shortened) await c.xadd(k.jobs, "*", "job", text)
        for (const [i, meta] of strange.entries()) {
          await c.xadd(k.jobs, "*", "id", `d-${i}`, "task", "work", "payload", "{}", "meta", meta)
          await c.hset(k.job(`d-z${i}`), { state: "scheduled", task: "work", payload: "{}", meta })
          await c.zadd(k.delayed, 9e12, `d-z${i}`)
        }
      })
      const control = yield* Control
      assert.strictEqual(yield* control.revoke("d-z1"), "cancelled")
      yield* control.purge("default")
      assert.strictEqual(yield* redis.use("left", (c) => c.zcard(k.delayed)), 0)
      assert.strictEqual(yield* control.purge("default"), 0)
    }).pipe(Effect.provide(live))
  })
})

describe("a worker", () => {
  it.live(
    "runs what stands behind entries that are not ours",
    () => {
      const { k, live, namespace } = setting("strange-jobs")
      return Effect.gen(function* () {
        const redis = yield* Redis
        yield* redis.use("add", async (c) => {
          await JobQueues.ensureGroup(c, k)
          const add = (id: string, task: string, payload: string, meta: string) =>
            c.xadd(k.jobs, "*", "id", id, "task", task, "payload", payload, "meta", meta)
          for (const [i, meta] of strange.entries()) {
            await add(`d-s${i}`, "work", '{"n":1}', meta)
            await add(`d-f${i}`, "work", '{"n":"no"}', meta)
            await add(`d-u${i}`, "__proto__", "null", meta)
            await add(`d-l${i}`, "@link", `{"meta":${meta},"result":1}`, "")
            await add(`d-m${i}`, "@link", `{"meta":${meta},"failed":{"_tag":"X"}}`, "")
            await add(`d-a${i}`, "@all", "null", meta)
            await add(`d-p${i}`, "@map:work", '{"items":[{"n":1}]}', meta)
          }
          await c.xadd(k.jobs, "*", "nothing", "here")
          for (const text of shortened) await c.xadd(k.jobs, "*", "job", text)
          for (const text of [
            "{",
            "null",
            "5",
            '{"op":"ask","to":5}',
            '{"op":"revoke"}',
            '{"op":"ask","what":"__proto__"}'
          ])
            await c.publish(`${namespace}:control`, text)
        })
        const id = yield* Work.enqueue({ n: 7 })
        yield* eventually(
          "the good one is done, and nothing is held any more",
          redis.use(
            "state",
            async (c) => (await c.hget(k.job(id), "state")) === "done" && (await c.xpending(k.jobs, group))[0] === 0
          ),
          15_000
        ).pipe(Effect.provide(worker))
      }).pipe(Effect.provide(live))
    },
    30_000
  )

  it.live("does not start what was revoked before it came, however many there are", () => {
    const { k, live } = setting("revoked")
    return Effect.gen(function* () {
      const redis = yield* Redis
      const id = yield* Work.enqueue({ n: 1 })
      yield* Control.use((control) => control.revoke(id))
      yield* redis.use("more", async (c) => {
        for (let i = 0; i < 20_000; i += 1_000)
          await c.zadd(k.revoked, ...Array.from({ length: 1_000 }, (_, n) => [9e12, `d-x${i + n}`]).flat())
        // As where the record of the job has told nobody yet.
        await c.hdel(k.job(id), "run")
      })
      let started = 0
      const counting = Work.toLayer(Effect.succeed(() => Effect.sync(() => ({ m: ++started }))))
      const late = Workers.layer({ concurrency: 1, leaseMs: 1_000, drainTimeout: "1 second" }).pipe(
        Layer.provide(counting)
      )
      const marker = yield* Effect.gen(function* () {
        // Behind it in the stream, so that it has had its turn.
        yield* eventually(
          "it is read",
          Effect.map(
            redis.use("info", (c) => c.xpending(k.jobs, group)).pipe(Effect.orElseSucceed(() => [1])),
            ([n]) => n === 0
          )
        )
        const last = yield* Work.enqueue({ n: 2 })
        yield* eventually(
          "the next is done",
          Effect.map(
            redis.use("state", (c) => c.hget(k.job(last), "state")),
            (state) => state === "done"
          )
        )
        return started
      }).pipe(Effect.provide(late))
      assert.strictEqual(marker, 1)
    }).pipe(Effect.provide(live))
  })

  it.live("settles a job whose result is kept for ever", () => {
    const { k, live } = setting("for-ever")
    return Effect.gen(function* () {
      const redis = yield* Redis
      const id = yield* Kept.enqueue({})
      yield* eventually(
        "it is done and its claim is gone",
        redis.use(
          "state",
          async (c) => (await c.hget(k.job(id), "state")) === "done" && (await c.xpending(k.jobs, group))[0] === 0
        ),
        5_000
      ).pipe(Effect.provide(worker))
    }).pipe(Effect.provide(live))
  })

  it.live("goes on beside jobs whose records are no hashes, delayed or running", () => {
    const { k, live } = setting("no-hash")
    return Effect.gen(function* () {
      const redis = yield* Redis
      const engine = yield* Engine
      const open = yield* Deferred.make<void>()
      const begun: Array<number> = []
      const waiting = Work.toLayer(
        Effect.succeed(({ n }) =>
          Effect.sync(() => void begun.push(n)).pipe(Effect.andThen(Deferred.await(open)), Effect.as({ m: n }))
        )
      )
      const busy = Workers.layer({ concurrency: 30, drainTimeout: "1 second" }).pipe(Layer.provide(waiting))
      yield* Effect.gen(function* () {
        const jobs = (from: number) => Array.from({ length: 10 }, (_, n) => Work.job({ n: from + n }))
        const running = yield* engine.enqueueAll(jobs(0))
        const delayed = yield* engine.enqueueAll(jobs(10), { delay: "100 millis" })
        const spoil = (id: string | undefined) =>
          redis.use("spoil", async (c) => {
            await c.del(k.job(id ?? ""))
            await c.set(k.job(id ?? ""), "not ours")
          })
        yield* spoil(delayed[3])
        yield* eventually(
          "all begin but one",
          Effect.sync(() => begun.length === 19)
        )
        yield* spoil(running[5])
        yield* Deferred.succeed(open, undefined)
        const good = [...running, ...delayed].filter((id) => id !== running[5] && id !== delayed[3])
        const results = yield* Effect.forEach(good, (id) => engine.await(id, { timeout: "8 seconds" }), {
          concurrency: "unbounded"
        })
        assert.lengthOf(results, 18)
        yield* eventually(
          "nothing is held any more",
          Effect.map(
            redis.use("pending", (c) => c.xpending(k.jobs, group)),
            ([pending]) => pending === 0
          )
        )
      }).pipe(Effect.provide(busy))
    }).pipe(Effect.provide(live))
  })
})

describe("fair lanes", () => {
  it.effect("do not keep others waiting behind thousands that were cancelled", () => {
    const { k, live } = setting("cancelled-lane")
    return Effect.gen(function* () {
      const redis = yield* Redis
      const engine = yield* Engine
      yield* redis.use("group", (c) => JobQueues.ensureGroup(c, k))
      const ids = yield* engine.enqueueAll(
        Array.from({ length: 1_000 }, (_, n) => Work.job({ n })),
        { key: "a" }
      )
      yield* Control.use((control) => control.revokeAll(ids))
      yield* engine.enqueue(Work.job({ n: 1 }), { key: "b" })
      const got = yield* redis.use("read", async (c) => {
        for (let i = 0; i < 3; i++) {
          const jobs = await JobQueues.read(c, k, "reader", 100, 1)
          if (jobs.some((job) => job.meta.includes('"k":"b"'))) return true
          await Delayed.promote(c, k)
        }
        return false
      })
      assert.isTrue(got)
    }).pipe(Effect.provide(live))
  })
})

describe("dead letters", () => {
  it.effect("are told and put back around those that are not ours", () => {
    const { k, live } = setting("dead-strange")
    return Effect.gen(function* () {
      const redis = yield* Redis
      const dead = yield* DeadLetters
      yield* redis.use("add", async (c) => {
        await c.xadd(k.dead, "*", "nothing", "here")
        for (const [i, meta] of strange.entries()) {
          const error = ['{"_tag":"A","message":5}', "null", '{"_tag":"A","stack":7}', "["][i % 4] as string
          await c.xadd(
            k.dead,
            "*",
            "id",
            `d-${i}`,
            "task",
            "t",
            "payload",
            "{",
            "meta",
            meta,
            "error",
            error,
            "died",
            "x"
          )
        }
        await c.xadd(k.dead, "*", "id", "d-good", "task", "t", "payload", "{}", "meta", "", "error", '{"_tag":"B"}')
      })
      const { letters } = yield* dead.list({}, { limit: 100 })
      assert.strictEqual(letters.length, strange.length + 2)
      assert.isTrue(letters.every((letter) => Number.isFinite(letter.diedAt)))
      yield* dead.groups()
      assert.strictEqual((yield* dead.replayAll({ task: "t" })).done, strange.length + 1)
    }).pipe(Effect.provide(live))
  })
})

describe("large payloads", () => {
  it.effect("are moved few at a time, and all in the end", () => {
    const { k, live } = setting("large")
    return Effect.gen(function* () {
      const redis = yield* Redis
      const control = yield* Control
      yield* redis.use("move", async (c) => {
        await JobQueues.ensureGroup(c, k)
        const record = (id: string) =>
          c.hset(k.job(id), {
            state: "scheduled",
            task: "work",
            payload: JSON.stringify("x".repeat(200_000)),
            meta: ""
          })
        for (let i = 0; i < 8; i++) {
          await record(`d-l${i}`)
          await c.zadd(k.delayed, 0, `d-l${i}`)
        }
        const first = await Delayed.promote(c, k)
        assert.strictEqual(first.moved, JobQueues.scriptMax)
        assert.isAtMost(await c.xlen(k.jobs), 2)
        for (let i = 0; i < 8; i++) await Delayed.promote(c, k)
        assert.strictEqual(await c.xlen(k.jobs), 8)
        for (let i = 0; i < 8; i++) {
          await record(`d-p${i}`)
          await c.zadd(`${k.prefix}parked:work`, i, `d-p${i}`)
        }
      })
      yield* control.pauseTask("work")
      assert.strictEqual(yield* control.resumeTask("work"), 8)
      assert.strictEqual(yield* redis.use("len", (c) => c.xlen(k.jobs)), 16)
    }).pipe(Effect.provide(live))
  })
})
