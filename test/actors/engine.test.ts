/** The engine as its users see it, on real Redis: results, errors, retries, delays, cancelling, flows, uniqueness. */
import { assert, describe, layer } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Schema, Stream } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Flow from "../../src/jobs/Flow.ts"
import * as Retry from "../../src/jobs/Retry.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Control } from "../../src/streams/Control.ts"
import * as Dead from "../../src/streams/Dead.ts"
import { Events } from "../../src/streams/Events.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { keysOf } from "../../src/streams/Keys.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {}
class Final extends Schema.TaggedError<Final>()("Final", {}) {
  readonly retryable = false
}

const quick = Retry.exponential({ attempts: 2, base: "20 millis", cap: "40 millis" })
const Add = Task.make("add", {
  payload: { a: Schema.Int, b: Schema.Int },
  result: Schema.Struct({ sum: Schema.Int, at: Schema.DateFromString })
})
const Double = Task.make("double", {
  payload: { sum: Schema.Int, by: Schema.Int },
  result: Schema.Int,
  queue: "high-priority"
})
const Total = Task.make("total", {
  payload: { results: Schema.Array(Schema.Int), note: Schema.String },
  result: Schema.String,
  queue: "low-priority"
})
const Refuse = Task.make("refuse", {
  payload: { why: Schema.String },
  error: Refused,
  retry: Retry.none,
  result: Schema.Int
})
const Flaky = Task.make("flaky", {
  payload: { key: Schema.String, fails: Schema.Int },
  result: Schema.Int,
  error: Refused,
  retry: quick
})
const Give = Task.make("give_up", { payload: {}, error: Final, retry: quick })
const Bug = Task.make("bug", { payload: {}, retry: quick })
const Hang = Task.make("hang", { payload: { key: Schema.String }, retry: Retry.none })
const Slow = Task.make("slow", { payload: {}, timeout: "50 millis", retry: Retry.none })
const Doze = Task.make("doze", { payload: {}, result: Schema.Int })
const Quit = Task.make("quit", { payload: {} })
const Once = Task.make("once", { payload: { key: Schema.String }, unique: ({ key }) => key, result: Schema.String })
const Missing = Task.make("missing", { payload: {} })
const Report = Task.make("report", { payload: { key: Schema.String } })

const runs = new Map<string, number>()
const interrupted = new Set<string>()
const gates = new Map<string, Deferred.Deferred<void>>()
const gate = (key: string) => {
  const known = gates.get(key) ?? Deferred.makeUnsafe<void>()
  gates.set(key, known)
  return known
}
const count = (key: string) => {
  const n = (runs.get(key) ?? 0) + 1
  runs.set(key, n)
  return n
}

const tasks = Layer.mergeAll(
  Add.toLayer(Effect.succeed(({ a, b }) => Effect.succeed({ sum: a + b, at: new Date(0) }))),
  Double.toLayer(Effect.succeed(({ by, sum }) => Effect.succeed(sum * by))),
  Total.toLayer(
    Effect.succeed(({ note, results }) =>
      Effect.sync(() => `${note}${count("total") > 0 ? "" : "?"}:${results.join()}`)
    )
  ),
  Refuse.toLayer(Effect.succeed(({ why }) => Effect.fail(new Refused({ why })))),
  Flaky.toLayer(
    Effect.succeed(({ fails, key }, job) =>
      count(key) <= fails ? Effect.fail(new Refused({ why: "not yet" })) : Effect.succeed(job.attempt)
    )
  ),
  Give.toLayer(Effect.succeed(() => Effect.suspend(() => (count("give"), Effect.fail(new Final()))))),
  Bug.toLayer(Effect.succeed(() => Effect.die(new Error("a bug")))),
  Hang.toLayer(
    Effect.succeed(({ key }) =>
      Effect.sync(() => count(key)).pipe(
        Effect.andThen(Deferred.await(gate(key))),
        Effect.onInterrupt(() => Effect.sync(() => interrupted.add(key)))
      )
    )
  ),
  Slow.toLayer(Effect.succeed(() => Effect.never)),
  Doze.toLayer(
    Effect.succeed((_, job) => (count("doze") < 3 ? Task.snooze("10 millis") : Effect.succeed(job.attempt)))
  ),
  Quit.toLayer(Effect.succeed(() => Task.cancel("nothing to do"))),
  Once.toLayer(Effect.succeed(({ key }, job) => Effect.as(Deferred.await(gate(key)), job.id))),
  Report.toLayer(
    Effect.succeed(({ key }, job) => Effect.andThen(job.progress({ done: 3, of: 10 }), Deferred.await(gate(key))))
  )
)

const namespace = freshNamespace("engine")
const live = Workers.layer({ concurrency: 8, leaseMs: 1_000, version: "9.9.9" }).pipe(
  Layer.provide(tasks),
  Layer.provideMerge(clientLayer(namespace))
)

const stateOf = (id: string) =>
  Effect.map(
    Inspect.use((i) => i.job(id)),
    (job) => job?.state
  )
const until = (id: string, state: string) =>
  eventually(
    `${id} is ${state}`,
    Effect.map(stateOf(id), (s) => s === state)
  )

layer(live, { excludeTestServices: true, timeout: "20 seconds" })("engine", (it) => {
  describe("results", () => {
    it.effect("come back typed, decoded by their schema", () =>
      Effect.gen(function* () {
        const { at, sum } = yield* Add.run({ a: 1, b: 2 })
        assert.strictEqual(sum, 3)
        assert.strictEqual(at.getTime(), 0)
      })
    )

    it.effect("come to many who wait at once", () =>
      Effect.gen(function* () {
        const all = yield* Effect.forEach(
          Array.from({ length: 300 }, (_, i) => i),
          (i) => Add.run({ a: i, b: 1 }),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          all.map((r) => r.sum),
          Array.from({ length: 300 }, (_, i) => i + 1)
        )
      })
    )

    it.effect("are there for those who come late, and ids nobody knows are told", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const id = yield* Add.enqueue({ a: 2, b: 2 })
        yield* until(id, "done")
        assert.deepStrictEqual(yield* engine.await(id), { sum: 4, at: "1970-01-01T00:00:00.000Z" })
        assert.strictEqual((yield* Effect.flip(engine.await("d-nobody")))._tag, "JobUnknown")
        assert.strictEqual((yield* Effect.flip(engine.await("what")))._tag, "JobUnknown")
      })
    )

    it.effect("are kept with a time to live", () =>
      Effect.gen(function* () {
        const redis = yield* Redis
        const id = yield* Add.enqueue({ a: 2, b: 2 })
        yield* until(id, "done")
        const ttl = yield* redis.use("pttl", (c) => c.pttl(`${namespace}:{default}:job:${id}`))
        assert.isTrue(ttl > 86_000_000 && ttl <= 86_400_000, `ttl ${ttl}`)
      })
    )

    it.effect("show progress while they are made", () =>
      Effect.gen(function* () {
        const inspect = yield* Inspect
        const id = yield* Report.enqueue({ key: "report" })
        const job = yield* eventually(
          "progress",
          Effect.map(inspect.job(id), (j) => (j?.progress === undefined ? undefined : j))
        )
        assert.deepStrictEqual(job.progress, { done: 3, of: 10 })
        assert.strictEqual(job.state, "running")
        yield* Deferred.succeed(gate("report"), undefined)
        yield* until(id, "done")
      })
    )
  })

  describe("failures", () => {
    it.effect("that are declared come back typed", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Refuse.run({ why: "no reason" }))
        assert.instanceOf(error, Refused)
        assert.strictEqual(error.why, "no reason")
      })
    )

    it.effect("are tried again, and the attempt is counted", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* Flaky.run({ key: "flaky", fails: 2 }), 3)
        assert.strictEqual(runs.get("flaky"), 3)
      })
    )

    it.effect("end as dead letters when retries are used up, and can be replayed", () =>
      Effect.gen(function* () {
        const inspect = yield* Inspect
        const control = yield* Control
        const id = yield* Flaky.enqueue({ key: "worn", fails: 3 })
        yield* until(id, "dead")
        const job = yield* inspect.job(id)
        assert.strictEqual(job?.attempt, 3)
        assert.strictEqual(job?.error?._tag, "Refused")
        assert.deepStrictEqual(job?.payload, { key: "worn", fails: 3 })
        const dead = (yield* inspect.queues).find((q) => q.name === "default")?.dead ?? 0
        assert.isTrue(dead > 0)
        assert.deepStrictEqual(yield* control.replay({ id }), [id])
        yield* until(id, "done")
      })
    )

    it.effect("that tell nothing of ours are dead letters of their own", () =>
      Effect.gen(function* () {
        const redis = yield* Redis
        const inspect = yield* Inspect
        const keys = keysOf(redis.namespace).queue("default")
        const id = yield* Add.enqueue({ a: 1, b: 2 })
        yield* until(id, "done")
        const next = { id: "d-next", queue: "default", task: "add", payload: {} }
        const garbage = [
          "{",
          "null",
          "[]",
          "{}",
          '{"result":1}',
          '{"meta":{"l":null},"result":1}',
          '{"meta":{"l":{"next":{"id":"d-x"}}},"result":1}',
          '{"meta":{"l":{"join":{"id":"d-x","queue":"nowhere","index":0}}},"result":1}',
          JSON.stringify({ meta: { l: { next } }, failed: 1 }),
          JSON.stringify({ meta: { l: { next: { ...next, meta: 5 } } }, failed: { _tag: "X" } })
        ]
        const before = yield* redis.use("xlen", (c) => c.xlen(keys.dead))
        for (const payload of garbage) {
          yield* redis.use("xadd", (c) => c.xadd(keys.jobs, "*", "id", id, "task", "@link", "payload", payload))
        }
        yield* redis.use("xadd", (c) => c.xadd(keys.jobs, "*", "task", "@link"))
        yield* eventually(
          "all are dead letters",
          Effect.map(
            redis.use("xlen", (c) => c.xlen(keys.dead)),
            (n) => n === before + garbage.length + 1
          )
        )
        const { letters: mine } = yield* redis.use("list", (c) =>
          Dead.page(c, keysOf(redis.namespace), { task: "@link" }, { limit: 1_000, oldestFirst: true })
        )
        assert.deepStrictEqual(
          mine.map((letter) => letter.payload),
          [...garbage, "null"]
        )
        assert.isTrue(mine.every((letter) => letter.error.includes("@link can't be told: ")))
        // The job that the entry names is not touched.
        assert.strictEqual((yield* inspect.job(id))?.state, "done")
        yield* eventually(
          "no claim is left",
          Effect.map(inspect.queues, (rows) => rows.every((q) => q.inFlight === 0))
        )
      })
    )

    it.effect("that say retryable: false are not tried again", () =>
      Effect.gen(function* () {
        assert.instanceOf(yield* Effect.flip(Give.run({})), Final)
        assert.strictEqual(runs.get("give"), 1)
      })
    )

    it.effect("that are bugs are kept with their stack and never stop the worker", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Bug.run({}))
        assert.strictEqual(error._tag, "JobFailed")
        if (error._tag === "JobFailed") {
          assert.strictEqual(error.error._tag, "Defect")
          assert.include(String(error.error["stack"]), "a bug")
        }
        assert.strictEqual((yield* Add.run({ a: 1, b: 1 })).sum, 2)
      })
    )

    it.effect("of the payload are told by path and are not tried again", () =>
      Effect.gen(function* () {
        const bad = Task.make("add", { payload: { a: Schema.String, c: Schema.Int } })
        const error = yield* Effect.flip(bad.run({ a: "x", c: 1 }))
        assert.strictEqual(error._tag, "JobFailed")
        if (error._tag === "JobFailed") {
          assert.strictEqual(error.error._tag, "PayloadInvalid")
          const paths = (error.error["issues"] as ReadonlyArray<{ readonly path: string }>).map((i) => i.path)
          assert.deepStrictEqual(paths.toSorted(), ["a", "b"])
        }
        const here = yield* Effect.flip(Add.enqueue({ a: 1.5, b: 1 }))
        assert.strictEqual(here._tag, "PayloadInvalid")
        const large = yield* Effect.flip(Refuse.enqueue({ why: "x".repeat(1_100_000) }))
        assert.strictEqual(large._tag, "PayloadTooLarge")
      })
    )

    it.effect("of time interrupt the attempt", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Slow.run({}))
        assert.strictEqual(error._tag === "JobFailed" && error.error._tag, "TimedOut")
      })
    )

    it.effect("of unknown tasks wait for a worker that knows them", () =>
      Effect.gen(function* () {
        const id = yield* Missing.enqueue({})
        yield* until(id, "scheduled")
        yield* Control.use((c) => c.revoke(id))
        yield* until(id, "cancelled")
      })
    )
  })

  describe("words of a handler", () => {
    it.effect("snooze comes back later and counts as no attempt", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* Doze.run({}), 1)
        assert.strictEqual(runs.get("doze"), 3)
      })
    )
    it.effect("cancel ends the job", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Quit.run({}))
        assert.strictEqual(error._tag === "JobCancelled" && error.reason, "nothing to do")
      })
    )
  })

  describe("delay, expiry, ids, uniqueness", () => {
    it.effect("a delayed job runs when it is due, not before", () =>
      Effect.gen(function* () {
        const started = Date.now()
        yield* Add.run({ a: 1, b: 1 }, { delay: "120 millis" })
        assert.isTrue(Date.now() - started >= 115)
      })
    )
    it.effect("an expired job is cancelled", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Add.run({ a: 1, b: 1 }, { delay: "60 millis", expires: "1 millis" }))
        assert.strictEqual(error._tag, "JobCancelled")
      })
    )
    it.effect("a chosen id is accepted once, also at the same time", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const all = yield* Effect.forEach(
          Array.from({ length: 20 }, () => 0),
          () => engine.offer(Add.job({ a: 1, b: 1 }), { id: "slot:1" }),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(all.filter((e) => !e.duplicate).length, 1)
        assert.deepStrictEqual([...new Set(all.map((e) => e.id as string))], ["d-slot:1"])
        const chained = yield* engine.offer(Add.job({ a: 1, b: 1 }).andThen(Double, { by: 3 }), { id: "slot:2" })
        const again = yield* engine.offer(Add.job({ a: 1, b: 1 }).andThen(Double, { by: 3 }), { id: "slot:2" })
        assert.isTrue(!chained.duplicate && again.duplicate && chained.id === again.id)
        assert.strictEqual(yield* engine.await(chained.id), 6)
      })
    )
    it.effect("a unique key is held until its job has ended", () =>
      Effect.gen(function* () {
        const first = yield* Once.enqueue({ key: "k" })
        assert.strictEqual(yield* Once.enqueue({ key: "k" }), first)
        yield* Deferred.succeed(gate("k"), undefined)
        yield* until(first, "done")
        assert.notStrictEqual(yield* Once.enqueue({ key: "k" }), first)
      })
    )
  })

  describe("flows", () => {
    it.effect("a chain merges each result into the next payload", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const id = yield* engine.enqueue(Add.job({ a: 2, b: 3 }).andThen(Double, { by: 10 }))
        assert.isTrue(id.startsWith("h-"))
        assert.strictEqual(yield* engine.await(id), 50)
      })
    )
    it.effect("a group's continuation runs exactly once with results in order", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        runs.set("total", 0)
        const flows = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, f) => f),
          (f) => {
            const jobs = Array.from({ length: 25 }, (_, i) => Add.job({ a: f, b: i }).andThen(Double, { by: 1 }))
            return Effect.flatMap(engine.enqueue(Flow.all(jobs).andThen(Total, { note: `n${f}` })), engine.await)
          },
          { concurrency: "unbounded" }
        )
        flows.forEach((text, f) =>
          assert.strictEqual(text, `n${f}:${Array.from({ length: 25 }, (_, i) => f + i).join()}`)
        )
        assert.strictEqual(runs.get("total"), 20)
      })
    )
    it.effect("a group alone gives its results; an empty one gives none", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const id = yield* engine.enqueue(Flow.all([Double.job({ sum: 1, by: 2 }), Double.job({ sum: 2, by: 2 })]))
        assert.deepStrictEqual(yield* engine.await(id), { results: [2, 4] })
        const none = yield* engine.enqueue(Flow.all([]))
        assert.deepStrictEqual(yield* engine.await(none), { results: [] })
      })
    )
    it.effect("a member that fails, or is cancelled, fails what follows", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const chain = yield* engine.enqueue(Refuse.job({ why: "x" }).andThen(Double, { sum: 1, by: 1 }))
        const group = yield* engine.enqueue(
          Flow.all([Double.job({ sum: 1, by: 2 }), Refuse.job({ why: "y" })]).andThen(Total, { note: "" })
        )
        for (const id of [chain, group]) {
          const error = yield* Effect.flip(engine.await(id))
          assert.strictEqual(error._tag === "JobFailed" && error.error._tag, "FlowFailed")
        }
        const waiting = yield* engine.enqueue(Hang.job({ key: "head" }).andThen(Add, { a: 1, b: 1 }))
        assert.strictEqual(yield* stateOf(waiting), "scheduled")
        yield* Control.use((c) => c.revoke(waiting))
        yield* Deferred.succeed(gate("head"), undefined)
        assert.strictEqual((yield* Effect.flip(engine.await(waiting)))._tag, "JobCancelled")
      })
    )
  })

  describe("cancelling", () => {
    it.effect("interrupts a running job, whose finalizers run", () =>
      Effect.gen(function* () {
        const control = yield* Control
        const id = yield* Hang.enqueue({ key: "hang" })
        yield* eventually(
          "it runs",
          Effect.sync(() => runs.get("hang") === 1)
        )
        const asked = Date.now()
        assert.strictEqual(yield* control.revoke(id), "requested")
        yield* until(id, "cancelled")
        assert.isTrue(interrupted.has("hang"))
        assert.isTrue(Date.now() - asked < 2_000)
        assert.strictEqual(yield* control.revoke(id), "final")
        assert.strictEqual(yield* control.revoke("d-nobody"), "unknown")
      })
    )
    it.effect("lets a running job finish where it is not to be terminated", () =>
      Effect.gen(function* () {
        const control = yield* Control
        const id = yield* Hang.enqueue({ key: "finish" })
        yield* eventually(
          "it runs",
          Effect.sync(() => runs.get("finish") === 1)
        )
        yield* control.revoke(id, { terminate: false })
        yield* Deferred.succeed(gate("finish"), undefined)
        yield* until(id, "done")
      })
    )
    it.effect("reaches a delayed job and tells whoever waits", () =>
      Effect.gen(function* () {
        const control = yield* Control
        const engine = yield* Engine
        const id = yield* Add.enqueue({ a: 1, b: 1 }, { delay: "1 hour" })
        const waiting = yield* Effect.forkChild(Effect.exit(engine.await(id)))
        assert.strictEqual(
          (yield* Inspect.use((i) => i.scheduled)).some((row) => row.id === id),
          true
        )
        assert.strictEqual(yield* control.revoke(id), "cancelled")
        assert.isTrue(Exit.isFailure(yield* Fiber.join(waiting)))
      })
    )
    it.effect("reaches queued jobs of a paused queue; a purge takes the rest and keeps lag true", () =>
      Effect.gen(function* () {
        const control = yield* Control
        const inspect = yield* Inspect
        const low = Effect.map(inspect.queues, (rows) => rows.find((q) => q.name === "low-priority"))
        yield* control.pause("low-priority")
        yield* Effect.sleep(0)
        // The reader may be waiting already: it takes at most what comes first.
        const ids: Array<string> = []
        for (let i = 0; i < 200; i++)
          ids.push(yield* Total.enqueue({ results: [i], note: "" }, { delay: i > 150 ? "1 hour" : 0 }))
        const last = ids[150] as string
        const state = yield* stateOf(last)
        if (state === "queued") {
          assert.strictEqual(yield* control.revoke(last), "cancelled")
          assert.isTrue((yield* low)?.paused)
        }
        yield* control.purge("low-priority")
        const after = yield* low
        assert.strictEqual(after?.backlog, 0)
        assert.strictEqual(after?.delayed, 0)
        yield* control.resume("low-priority")
        assert.strictEqual(yield* Total.run({ results: [1], note: "after" }), "after:1")
      })
    )
  })

  describe("looking", () => {
    it.effect("events tell each job's life, from a given place on", () =>
      Effect.gen(function* () {
        const events = yield* Events
        const inspect = yield* Inspect
        const from = yield* inspect.lastEvent
        const id = yield* Add.enqueue({ a: 5, b: 5 })
        const rows = yield* events.tail(from).pipe(
          Stream.flatMap((batch) => Stream.fromIterable(batch.rows)),
          Stream.filter((row) => row.id === id),
          Stream.takeUntil((row) => row.state === "done"),
          Stream.runCollect
        )
        assert.strictEqual(rows.at(-1)?.state, "done")
        const recent = yield* inspect.recent({ limit: 1_000, task: "add" })
        assert.strictEqual(recent.filter((r) => r.id === id).length, 1)
        assert.strictEqual(recent.find((r) => r.id === id)?.state, "done")
        assert.strictEqual(new Set(recent.map((r) => r.id)).size, recent.length)
      })
    )
    it.effect("workers tell their name, tasks and running jobs", () =>
      Effect.gen(function* () {
        const inspect = yield* Inspect
        const id = yield* Hang.enqueue({ key: "look" })
        const active = yield* eventually(
          "active",
          Effect.map(inspect.active, (all) => all.find((a) => a.jobId === id))
        )
        assert.strictEqual(active.task, "hang")
        assert.isTrue((yield* inspect.registered).includes("add"))
        const worker = (yield* inspect.workers)[0]
        assert.strictEqual(worker?.version, "9.9.9")
        assert.strictEqual((yield* inspect.stats).concurrency, 8)
        assert.strictEqual((yield* inspect.job(id))?.state, "running")
        yield* Deferred.succeed(gate("look"), undefined)
        yield* until(id, "done")
      })
    )
  })
})
