/** Limits over all workers: rates and permits, by task and by key, with a long backlog, and after workers have died. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Schema } from "effect"
import { vi } from "vitest"
import * as Workers from "../../src/actors/Supervisor.ts"
import { LocalWorker } from "../../src/actors/Worker.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Retry from "../../src/jobs/Retry.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Control } from "../../src/streams/Control.ts"
import * as Gates from "../../src/streams/Gates.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

/** When jobs were let through, by the clock of Redis: epoch ms by the key of the gate. What a rate promises is about these. */
const admitted = vi.hoisted(() => new Map<string, Array<number>>())
vi.mock(import("../../src/streams/Scripts.ts"), async (original) => {
  const scripts = await original()
  const gateAsk: typeof scripts.gateAsk = async (client, keys, args) => {
    const reply = await scripts.gateAsk(client, keys, args)
    const [flat, , now] = reply
    const times = admitted.get(String(keys[0])) ?? []
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === "go") times.push(Number(now) + Number(flat[i + 1]))
    admitted.set(String(keys[0]), times)
    return reply
  }
  return { ...scripts, gateAsk }
})
const admissions = (namespace: string) => admitted.get(Gates.gateKeys(namespace, "limited", undefined).state) ?? []

/**
 * A handler begins a little after its job was let through: the answer travels, and the event loop may be busy. So many ms
 * of that are allowed for where starts are counted, which moves the starts of so many ms more into a window.
 */
const lateMs = 250

const fields = { payload: { n: Schema.Int, key: Schema.String }, result: Schema.Int }
const Other = Task.make("other", { ...fields })

/** A world of its own: what began when, and how many ran at once, by key. */
const world = (
  options: Partial<Task.Options<typeof fields.payload, typeof Schema.Int, typeof Schema.Never>>,
  body: (n: number) => Effect.Effect<unknown> = () => Effect.void
) => {
  const Limited = Task.make("limited", { retry: Retry.none, ...fields, ...options })
  const begun: Array<number> = []
  const running = new Map<string, number>()
  const most = new Map<string, number>()
  const count = (key: string, by: number) => {
    const now = (running.get(key) ?? 0) + by
    running.set(key, now)
    most.set(key, Math.max(most.get(key) ?? 0, now))
  }
  const handler = ({ key, n }: { readonly key: string; readonly n: number }) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        begun.push(performance.now())
        count(key, 1)
        count("all", 1)
      }),
      () => Effect.as(body(n), n),
      () =>
        Effect.sync(() => {
          count(key, -1)
          count("all", -1)
        })
    )
  const tasks = Layer.mergeAll(
    Limited.toLayer(Effect.succeed(handler)),
    Other.toLayer(Effect.succeed(({ n }) => Effect.succeed(n)))
  )
  const worker = (o: Workers.Options = {}) =>
    Layer.fresh(Workers.layer({ concurrency: 8, leaseMs: 500, drainTimeout: "300 millis", ...o })).pipe(
      Layer.provide(tasks)
    )
  const jobs = (n: number, key: (i: number) => string = () => "k") =>
    Engine.use((engine) => engine.enqueueAll(Array.from({ length: n }, (_, i) => Limited.job({ n: i, key: key(i) }))))
  return { Limited, begun, most, worker, jobs }
}

/** Most starts within any window of `ms`. */
const densest = (times: ReadonlyArray<number>, ms: number): number => {
  const sorted = times.toSorted((a, b) => a - b)
  let from = 0
  let most = 0
  sorted.forEach((time, i) => {
    while (time - (sorted[from] ?? 0) >= ms) from++
    most = Math.max(most, i - from + 1)
  })
  return most
}
const allDone = (ids: ReadonlyArray<string>) =>
  Engine.use((engine) => Effect.forEach(ids, (id) => engine.await(id), { concurrency: "unbounded" }))

describe("rates", () => {
  const strict = freshNamespace("rate")
  it.live("hold over two workers, and other tasks are not held up", () => {
    const w = world({ rateLimit: "20/s" })
    return Effect.gen(function* () {
      yield* Layer.build(w.worker())
      yield* Layer.build(w.worker())
      const started = performance.now()
      const ids = yield* w.jobs(50)
      yield* Effect.forEach([1, 2, 3, 4, 5], (n) => Other.run({ n, key: "k" }))
      assert.isBelow(admissions(strict).length, 50, "others do not wait for those that must")
      yield* allDone(ids)
      // 50 jobs at 20/s: the last begins after 49 intervals.
      assert.isAbove(performance.now() - started, 2_400)
      assert.lengthOf(admissions(strict), 50)
      assert.isAtMost(densest(admissions(strict), 1_000), 20)
      assert.isAtMost(densest(w.begun, 1_000), 20 + (20 * lateMs) / 1_000)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(strict)))
  })

  const keyed = freshNamespace("rate-key")
  it.live("can be one for each key", () => {
    const w = world({ rateLimit: { limit: "10/s", key: ({ key }) => key } })
    return Effect.gen(function* () {
      yield* Layer.build(w.worker())
      const started = performance.now()
      yield* allDone(yield* w.jobs(20, (i) => `key ${i % 4} {}`))
      assert.isBelow(performance.now() - started, 1_500)
      assert.isAtMost(densest(w.begun, 100), 8)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(keyed)))
  })

  const backlog = freshNamespace("rate-backlog")
  it.live(
    "touch each job of a backlog of 8,000 once until its turn comes",
    () => {
      const w = world({ rateLimit: "100/s" })
      return Effect.gen(function* () {
        const control = yield* Control
        const a = yield* LocalWorker.pipe(Effect.provideContext(yield* Layer.build(w.worker())))
        const b = yield* LocalWorker.pipe(Effect.provideContext(yield* Layer.build(w.worker())))
        yield* w.jobs(8_000)
        const asked = () => a.gatekeeper.asked + b.gatekeeper.asked
        // What was given a slot amid the rush comes to it late, behind the rest of the backlog: it asks once more.
        yield* eventually(
          "all wait for their slots",
          Redis.use((r) => r.use("zcard", (c) => c.zcard(`${backlog}:{default}:delayed`))).pipe(
            Effect.map((waiting) => asked() >= 8_000 && waiting + w.begun.length >= 8_000 - 16)
          ),
          60_000
        )
        assert.isBelow(asked(), 8_000 * 1.5, "nor does the rush itself ask much more")
        const from = { asked: asked(), begun: w.begun.length }
        yield* Other.run({ n: 1, key: "k" })
        assert.isBelow(w.begun.length, 8_000, "others do not wait for those that must")
        yield* eventually(
          "150 more have run",
          Effect.sync(() => w.begun.length >= from.begun + 150)
        )
        const begun = w.begun.length - from.begun
        assert.isBelow(asked() - from.asked, begun * 2 + 50, "only those ask whose turn it is")
        assert.isAtMost(densest(admissions(backlog), 1_000), 100)
        assert.isAtMost(densest(w.begun, 1_000), 100 + (100 * lateMs) / 1_000)
        yield* control.purge("default")
      }).pipe(Effect.scoped, Effect.provide(clientLayer(backlog)))
    },
    120_000
  )
})

describe("permits", () => {
  const strict = freshNamespace("permits")
  it.live("hold over two workers, by task", () => {
    const w = world({ concurrency: 3 }, () => Effect.sleep(5))
    return Effect.gen(function* () {
      yield* Layer.build(w.worker())
      yield* Layer.build(w.worker())
      yield* allDone(yield* w.jobs(100))
      assert.strictEqual(w.most.get("all"), 3)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(strict)))
  })

  const keyed = freshNamespace("permits-key")
  it.live("and by key, together with a rate for the task", () => {
    const w = world({ concurrency: { limit: 1, key: ({ key }) => key }, rateLimit: "200/s" }, () => Effect.sleep(5))
    return Effect.gen(function* () {
      yield* Layer.build(w.worker())
      yield* Layer.build(w.worker())
      yield* allDone(yield* w.jobs(40, (i) => `k${i % 4}`))
      for (const key of ["k0", "k1", "k2", "k3"]) assert.strictEqual(w.most.get(key), 1, key)
      assert.isAbove(w.most.get("all") ?? 0, 1)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(keyed)))
  })

  const backlog = freshNamespace("permits-backlog")
  it.live(
    "touch each job of a backlog of 8,000 once until its turn comes",
    () => {
      const w = world({ concurrency: 2 }, () => Effect.sleep(5))
      return Effect.gen(function* () {
        const control = yield* Control
        const a = yield* LocalWorker.pipe(Effect.provideContext(yield* Layer.build(w.worker())))
        const b = yield* LocalWorker.pipe(Effect.provideContext(yield* Layer.build(w.worker())))
        yield* w.jobs(8_000)
        const asked = () => a.gatekeeper.asked + b.gatekeeper.asked
        yield* eventually(
          "all have asked",
          Effect.sync(() => asked() >= 8_000),
          60_000
        )
        const from = { asked: asked(), begun: w.begun.length }
        yield* eventually(
          "200 more have run",
          Effect.sync(() => w.begun.length >= from.begun + 200)
        )
        assert.isBelow(asked() - from.asked, (w.begun.length - from.begun) * 1.3 + 10)
        assert.strictEqual(w.most.get("all"), 2)
        yield* control.purge("default")
      }).pipe(Effect.scoped, Effect.provide(clientLayer(backlog)))
    },
    120_000
  )

  const ends = freshNamespace("permits-ends")
  it.live("are free again however an attempt ends", () => {
    const open = Deferred.makeUnsafe<void>()
    const stuck = Deferred.makeUnsafe<void>()
    const body = (n: number): Effect.Effect<unknown> =>
      n === 0
        ? Effect.die("a bug")
        : n === 1
          ? Deferred.await(open)
          : n === 2
            ? Effect.never
            : n === 3
              ? Effect.uninterruptible(Deferred.await(stuck))
              : Effect.void
    const w = world({ concurrency: 1, timeout: "2 seconds", hardTimeout: "2200 millis" }, body)
    return Effect.gen(function* () {
      const engine = yield* Engine
      const control = yield* Control
      const context = yield* Layer.build(w.worker())
      const one = (n: number) => w.Limited.enqueue({ n, key: "k" })
      assert.strictEqual((yield* Effect.flip(engine.await(yield* one(0))))._tag, "JobFailed")
      const revoked = yield* one(1)
      yield* eventually(
        "it runs",
        Effect.sync(() => w.begun.length === 2)
      )
      yield* control.revoke(revoked)
      assert.strictEqual((yield* Effect.flip(engine.await(revoked)))._tag, "JobCancelled")
      const timed = yield* one(2)
      const abandoned = yield* one(3)
      assert.include(String(yield* Effect.flip(engine.await(timed))), "TimedOut")
      assert.include(String(yield* Effect.flip(engine.await(abandoned))), "TimedOut")
      assert.strictEqual(yield* engine.await(yield* one(4)), 4)
      const { desk } = yield* LocalWorker.pipe(Effect.provideContext(context))
      assert.strictEqual(desk.abandoned, 1)
      yield* Deferred.succeed(stuck, undefined)
      yield* eventually(
        "the stray has ended",
        Effect.sync(() => desk.strays.size === 0)
      )
    }).pipe(Effect.scoped, Effect.provide(clientLayer(ends)))
  })

  const ghost = freshNamespace("permits-ghost")
  it.live("of a holder that is gone come back by their lease", () => {
    const w = world({ concurrency: 1 })
    return Effect.gen(function* () {
      const engine = yield* Engine
      const redis = yield* Redis
      const keys = Gates.gateKeys(ghost, "limited", undefined)
      const limits = { rate: undefined, concurrency: 1 }
      const holder = [{ id: "d-ghost", fence: "gone", slot: undefined }]
      yield* redis.use("ask", (c) => Gates.ask(c, keys, limits, 600, holder))
      yield* Layer.build(w.worker())
      const id = yield* w.Limited.enqueue({ n: 7, key: "k" })
      const started = performance.now()
      assert.strictEqual(yield* engine.await(id), 7)
      assert.isAbove(performance.now() - started, 300)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(ghost)))
  })
})

describe("the moment of a job that is cancelled while it waits", () => {
  const namespace = freshNamespace("moments")
  it.live("is another's: after a revoke and after a purge", () => {
    const w = world({ rateLimit: "1/m" })
    return Effect.gen(function* () {
      const control = yield* Control
      const inspect = yield* Inspect
      yield* Layer.build(w.worker())
      const waiting = (count: number) =>
        eventually(
          `${count} wait`,
          Effect.map(inspect.scheduled, (rows) => (rows.length === count ? rows : undefined))
        )
      yield* w.jobs(5)
      const four = yield* waiting(4)
      const [first, second] = four
      assert.strictEqual(yield* control.revoke(first?.id ?? ""), "cancelled")
      const [next = ""] = yield* w.jobs(1)
      const moved = (yield* waiting(4)).find((row) => row.id === next)
      assert.closeTo(moved?.at ?? 0, first?.at ?? 0, 50)
      assert.strictEqual(yield* control.purge("default"), 4)
      yield* w.jobs(2)
      const after = yield* waiting(2)
      assert.closeTo(after[0]?.at ?? 0, first?.at ?? 0, 50)
      assert.closeTo(after[1]?.at ?? 0, second?.at ?? 0, 50)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(namespace)))
  })
})

describe("limits set at run time", () => {
  const namespace = freshNamespace("set")
  it.live("are heard at once, kept over restarts, and those that wait are asked anew", () => {
    const w = world({}, () => Effect.sleep(10))
    return Effect.gen(function* () {
      const control = yield* Control
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Layer.build(w.worker())
          yield* allDone(yield* w.jobs(10))
          yield* control.rateLimit("limited", "1/h")
          yield* control.concurrency("limited", 1)
          yield* w.Limited.run({ n: 1, key: "k" })
        })
      )
      yield* Layer.build(w.worker())
      const ids = yield* w.jobs(30)
      const done = w.begun.length
      const back = yield* Redis.use((r) =>
        eventually(
          "all wait",
          r.use("zcard", (c) => c.zcard(`${namespace}:{default}:delayed`)).pipe(Effect.map((n) => n === 30))
        )
      )
      assert.isTrue(back)
      assert.strictEqual(w.begun.length, done)
      w.most.clear()
      yield* control.rateLimit("limited", null)
      yield* allDone(ids)
      assert.strictEqual(w.most.get("all"), 1)
      yield* control.concurrency("limited", "default")
      yield* allDone(yield* w.jobs(30))
      assert.isAbove(w.most.get("all") ?? 0, 1)
      const wrong = yield* Effect.flip(control.rateLimit("limited", "10/d" as never))
      assert.include(wrong.message, "expected a rate")
    }).pipe(Effect.scoped, Effect.provide(clientLayer(namespace)))
  })
})
