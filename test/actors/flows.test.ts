/** Flows as their users see them, on real Redis: nesting, immutable steps, map and chunks, callbacks, failing and revoking. */
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer, Result, Schema } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import { Engine, type Failure } from "../../src/jobs/Engine.ts"
import * as Flow from "../../src/jobs/Flow.ts"
import type { Job } from "../../src/jobs/Job.ts"
import { queues } from "../../src/jobs/JobQueue.ts"
import { plan } from "../../src/jobs/Plan.ts"
import * as Retry from "../../src/jobs/Retry.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Control } from "../../src/streams/Control.ts"
import { masters } from "../../src/streams/Connect.ts"
import * as FlowStore from "../../src/streams/FlowStore.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { keysOf } from "../../src/streams/Keys.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

const N = Schema.Struct({ n: Schema.Int })
const One = Task.make("one", { payload: { n: Schema.Int }, result: N, retry: Retry.none })
const Inc = Task.make("inc", { payload: { n: Schema.Int, by: Schema.Int }, result: N, queue: "high-priority" })
const Sum = Task.make("sum", {
  payload: { results: Schema.Array(N) },
  result: N,
  queue: "low-priority"
})
const Boom = Task.make("boom", { payload: { n: Schema.Int }, result: N, retry: Retry.none })
const Hang = Task.make("hang", { payload: { n: Schema.Int }, result: N, retry: Retry.none })
const Big = Task.make("big", { payload: { n: Schema.Int }, result: Schema.String })
const Held = Task.make("held", { payload: { n: Schema.Int }, result: N, unique: () => "same" })
const Note = Task.make("note", {
  payload: { key: Schema.String, error: Schema.Struct({ _tag: Schema.String }), id: Schema.String, task: Schema.String }
})
const Seen = Task.make("seen", { payload: { key: Schema.String, n: Schema.Int } })

const notes: Array<{ readonly key: string; readonly tag: string; readonly id: string; readonly task: string }> = []
const seen = new Map<string, number>()
const started = new Set<number>()
const stopped = new Set<number>()

const tasks = Layer.mergeAll(
  One.toLayer(Effect.succeed(({ n }) => Effect.succeed({ n }))),
  Inc.toLayer(Effect.succeed(({ by, n }) => Effect.succeed({ n: n + by }))),
  Sum.toLayer(Effect.succeed(({ results }) => Effect.succeed({ n: results.reduce((sum, r) => sum + r.n, 0) }))),
  Boom.toLayer(Effect.succeed(() => Effect.die(new Error("boom")))),
  Hang.toLayer(
    Effect.succeed(({ n }) =>
      Effect.sync(() => started.add(n)).pipe(
        Effect.andThen(Effect.never),
        Effect.onInterrupt(() => Effect.sync(() => stopped.add(n)))
      )
    )
  ),
  Big.toLayer(Effect.succeed(({ n }) => Effect.succeed("x".repeat(n)))),
  Held.toLayer(Effect.succeed(({ n }) => Effect.as(Effect.sleep(200), { n }))),
  Note.toLayer(
    Effect.succeed(({ error, id, key, task }) => Effect.sync(() => void notes.push({ key, tag: error._tag, id, task })))
  ),
  Seen.toLayer(Effect.succeed(({ key, n }) => Effect.sync(() => void seen.set(key, (seen.get(key) ?? 0) + n))))
)

const namespace = freshNamespace("flows")
const live = Workers.layer({ concurrency: 40, leaseMs: 1_000 }).pipe(
  Layer.provide(tasks),
  Layer.provideMerge(clientLayer(namespace))
)

const result = (job: Job<unknown>) =>
  Engine.use((engine) => Effect.flatMap(engine.enqueue(job), (id) => engine.await(id)))
const failure = (job: Job<unknown>) =>
  Effect.map(Effect.flip(result(job)), (error): Failure =>
    error._tag === "JobFailed" ? error.error : { _tag: error._tag, message: error.message }
  )
const ones = (count: number) => Array.from({ length: count }, (_, n) => One.job({ n }))
const empty = eventually(
  "nothing is left",
  Effect.flatMap(Inspect, (inspect) =>
    Effect.map(inspect.queues, (rows) => rows.every((q) => q.backlog === 0 && q.inFlight === 0 && q.delayed === 0))
  )
)

layer(live, { excludeTestServices: true })("flows", (it) => {
  describe("shapes", () => {
    it.effect("a group in the midst of a chain: each member is given the result before it", () =>
      Effect.gen(function* () {
        const job = One.job({ n: 10 })
          .andThen(Flow.all([Flow.step(Inc, { by: 1 }), Flow.step(Inc, { by: 2 }), One.job({ n: 100 })]))
          .andThen(Sum, {})
          .andThen(Inc, { by: 1_000 })
        assert.deepStrictEqual(yield* result(job), { n: 1_123 })
      })
    )
    it.effect("a group after a group, an empty one, groups in groups", () =>
      Effect.gen(function* () {
        const inner = Flow.all([Flow.all(ones(3)).andThen(Sum, {}), Flow.all([Flow.all(ones(2))]), Flow.all([])])
        assert.deepStrictEqual(yield* result(Flow.all(ones(2)).andThen(inner)), {
          results: [{ n: 3 }, { results: [{ results: [{ n: 0 }, { n: 1 }] }] }, { results: [] }]
        })
      })
    )
    it.effect("a complete job as a step takes nothing of the result before", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(
          yield* result(
            One.job({ n: 1 })
              .andThen(Inc.job({ n: 5, by: 1 }))
              .andThen(Inc, { by: 1 })
          ),
          {
            n: 7
          }
        )
      })
    )
    it.effect("20 deep: a chord in a member of a chord in a chain …", () =>
      Effect.gen(function* () {
        let job: Job<{ readonly n: number }> = One.job({ n: 1 })
        for (let i = 0; i < 20; i++) {
          job = Flow.all([job, One.job({ n: 1 }).andThen(Flow.step(Inc, { by: 0 }))])
            .andThen(Sum, {})
            .andThen(Flow.all([Flow.step(Inc, { by: 0 })]))
            .andThen(Sum, {})
        }
        assert.deepStrictEqual(yield* result(job), { n: 21 })
      })
    )
    it.effect(
      "250 long: the most steps a chain may have",
      () =>
        Effect.gen(function* () {
          const engine = yield* Engine
          const control = yield* Control
          let job: Job<{ readonly n: number }> = One.job({ n: 0 })
          for (let i = 1; i < 250; i++) job = job.andThen(Inc, { by: 1 })
          assert.deepStrictEqual(yield* result(job), { n: 249 })
          const id = yield* engine.enqueue(job, { delay: "1 hour" })
          assert.strictEqual((yield* control.revokeFlow(id)).cancelled, 250)
        }),
      60_000
    )
    it.effect("map, starmap and chunks give results in order", () =>
      Effect.gen(function* () {
        const of = (...values: ReadonlyArray<number>) => ({ results: values.map((n) => ({ n })) })
        assert.deepStrictEqual(yield* result(Flow.map(Inc, "n", [1, 2, 3], { by: 10 })), of(11, 12, 13))
        const pairs = [1, 2, 3, 4, 5].map((n) => ({ n, by: n }))
        assert.deepStrictEqual(yield* result(Flow.starmap(Inc, pairs)), of(2, 4, 6, 8, 10))
        for (const size of [0, -1, Number.NaN]) {
          const refusal = yield* Effect.flip(Engine.use((engine) => engine.enqueue(Flow.chunks(Inc, pairs, size))))
          assert.include(refusal.message, `expected chunks of 1 payload or more, got ${size}`)
        }
        assert.deepStrictEqual(yield* result(Flow.chunks(Inc, pairs, 2)), { results: [of(2, 4), of(6, 8), of(10)] })
        assert.deepStrictEqual(yield* result(Flow.map(One, "n", [7], {}).andThen(Sum, {})), { n: 7 })
        const bad = yield* Effect.flip(result(Flow.map(One, "n", [1, 0.5], {})))
        assert.strictEqual(bad._tag === "PayloadInvalid" && bad.issues[0]?.path, "items.1.n")
      })
    )
  })

  describe("failures", () => {
    it.effect("a member fails its chord at once, told with its id, task and cause", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const control = yield* Control
        const id = yield* engine.enqueue(Flow.all([Hang.job({ n: -1 }), Boom.job({ n: 1 })]).andThen(Sum, {}))
        const failed = yield* Effect.flip(engine.await(id))
        const error = failed._tag === "JobFailed" ? failed.error : assert.fail(failed._tag)
        yield* control.revokeFlow(id)
        assert.strictEqual(error._tag, "FlowFailed")
        assert.strictEqual(error["task"], "boom")
        assert.match(String(error["id"]), /^d-/u)
        assert.strictEqual((error["cause"] as Failure)._tag, "Defect")
      })
    )
    it.effect("end all that waits, also members not begun, through every level", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const redis = yield* Redis
        const job = Boom.job({ n: 1 })
          .andThen(
            Flow.all([Flow.step(Inc, { by: 1 }).andThen(Flow.all([Flow.step(Inc, { by: 2 })])), One.job({ n: 1 })])
          )
          .andThen(Inc.job({ n: 1, by: 1 }))
        const id = yield* engine.enqueue(job)
        yield* Effect.flip(engine.await(id))
        yield* empty
        const all = keysOf(namespace).queue("high-priority").all(id)
        const ids = yield* redis.use("ids", (c) => FlowStore.readIds(c, all, 0))
        assert.strictEqual(ids?.length, 7)
        const errors = yield* Effect.forEach(ids ?? [], (one) => Effect.flip(engine.await(one)))
        assert.isTrue(errors.every((e) => e._tag === "JobFailed"))
      })
    )
    it.effect("start error callbacks once: of a step, of a chain, of a chord whose header fails", () =>
      Effect.gen(function* () {
        yield* failure(
          Flow.all([Boom.job({ n: 1 }).onError(Note, { key: "member" }), Boom.job({ n: 2 })])
            .onError(Note, { key: "group" })
            .andThen(Sum, {})
            .andThen(Inc, { by: 1 })
            .onError(Note, { key: "chain" })
        )
        yield* failure(Boom.job({ n: 3 }).onError(Note, { key: "alone" }))
        yield* result(One.job({ n: 3 }).onError(Note, { key: "never" }))
        yield* empty
        assert.deepStrictEqual(notes.map((note) => note.key).toSorted(), ["alone", "chain", "group", "member"])
        assert.isTrue(notes.every((note) => note.tag === "Defect" && note.task === "boom" && note.id.startsWith("d-")))
      })
    )
    it.effect("success callbacks run beside the chain", () =>
      Effect.gen(function* () {
        const job = One.job({ n: 2 })
          .onSuccess(Seen, { key: "a" })
          .andThen(Inc, { by: 3 })
          .onSuccess(Seen, { key: "b" })
        assert.deepStrictEqual(yield* result(job), { n: 5 })
        yield* eventually(
          "both ran",
          Effect.sync(() => seen.get("a") === 2 && seen.get("b") === 5)
        )
      })
    )
    it.effect("results that are too large together are told, and so is what is too large to merge", () =>
      Effect.gen(function* () {
        const error = yield* failure(Flow.all(Array.from({ length: 40 }, () => Big.job({ n: 30_000 }))))
        assert.strictEqual(error._tag, "ResultTooLarge")
        yield* empty
      })
    )
    it.effect("a member that another job stands for fails its group", () =>
      Effect.gen(function* () {
        const error = yield* failure(Flow.all([Held.job({ n: 1 }), Held.job({ n: 2 })]))
        assert.strictEqual((error["cause"] as Failure)._tag, "Duplicate")
      })
    )
  })

  describe("control", () => {
    it.effect("a whole flow is revoked by the id of any of its members", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const control = yield* Control
        const redis = yield* Redis
        for (const which of ["final", "running", "waiting", "delayed"]) {
          started.clear()
          stopped.clear()
          yield* control.pause("low-priority")
          const members = [
            ...Array.from({ length: 5 }, (_, n) => Hang.job({ n })),
            Flow.all([Sum.job({ results: [] })])
          ]
          const id = yield* engine.enqueue(
            Flow.all([...members, One.job({ n: 1 }).andThen(Flow.all([Flow.step(Inc, { by: 1 })]))]).andThen(Sum, {}),
            which === "delayed" ? { delay: "1 hour" } : undefined
          )
          if (which !== "delayed")
            yield* eventually(
              "they run",
              Effect.sync(() => started.size === 5)
            )
          const all = keysOf(namespace).queue("low-priority").all(id)
          const ids = (yield* redis.use("ids", (c) => FlowStore.readIds(c, all, 0))) ?? []
          const by =
            which === "final" ? id : which === "running" ? ids.at(-7) : which === "waiting" ? ids[1] : ids.at(-1)
          const told = yield* control.revokeFlow(by ?? assert.fail())
          assert.isAbove(told.cancelled, 2)
          assert.strictEqual((yield* Effect.flip(engine.await(id)))._tag, "JobCancelled")
          if (which !== "delayed")
            yield* eventually(
              "they are stopped",
              Effect.sync(() => stopped.size === 5)
            )
          yield* control.resume("low-priority")
          yield* empty
          for (const one of ids) {
            const state = yield* redis.use("state", (c) =>
              c.hget(
                keysOf(namespace)
                  .queue(queues.find((q) => q[0] === one[0]) ?? "default")
                  .job(one),
                "state"
              )
            )
            assert.include(["cancelled", "done"], state, one)
          }
        }
      })
    )
    it.effect("a group can be looked at while it runs", () =>
      Effect.gen(function* () {
        const engine = yield* Engine
        const inspect = yield* Inspect
        const control = yield* Control
        const id = yield* engine.enqueue(Flow.all([One.job({ n: 1 }), Hang.job({ n: 99 }), Boom.job({ n: 1 })]))
        const view = yield* eventually(
          "one is done and one has failed",
          Effect.map(inspect.group(id), (v) => (v?.completed === 1 && v.failed === 1 ? v : undefined))
        )
        assert.strictEqual(view.total, 3)
        assert.strictEqual(view.waiting, 1)
        assert.deepStrictEqual(view.results, [{ n: 1 }, undefined, undefined])
        assert.strictEqual(view.children.length, 3)
        assert.isUndefined(yield* inspect.group("d-nobody"))
        yield* control.revokeFlow(view.children[1]?.id ?? "")
        yield* empty
      })
    )
    it.effect(
      "cut off while it is written down, a flow leaves nothing that stays, and sending it again makes it whole",
      () =>
        Effect.gen(function* () {
          const engine = yield* Engine
          const redis = yield* Redis
          const job = One.job({ n: 1 })
            .andThen(Flow.all([Flow.step(Inc, { by: 1 }), One.job({ n: 2 })]))
            .andThen(Sum, {})
          const planned = Result.getOrThrow(plan(job, { now: Date.now(), maxPayloadBytes: 1_000 }))
          yield* redis.use("prepare", (c) => FlowStore.prepare(c, keysOf(namespace), planned))
          yield* redis.use("prepare", (c) => FlowStore.prepare(c, keysOf(namespace), planned))
          const found = yield* redis.use("keys", async (c) => {
            const pages = await Promise.all(
              masters(c).map((node) => node.keys(`${namespace}:*${planned.id.slice(2, -1)}*`))
            )
            const names = pages.flat()
            return Promise.all(names.map(async (name) => [name, await c.pttl(name)] as const))
          })
          assert.isAbove(found.length, 4)
          assert.deepStrictEqual(
            found.filter(([, ttl]) => ttl < 0),
            []
          )
          const id = "again"
          const first = yield* engine.enqueue(job, { id })
          assert.strictEqual(yield* engine.enqueue(job, { id }), first)
          assert.deepStrictEqual(yield* engine.await(first), { n: 4 })
          assert.deepStrictEqual(yield* engine.await(yield* engine.enqueue(job, { id })), { n: 4 })
        })
    )
  })
})
