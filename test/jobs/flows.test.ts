/** Flows as plans, and in the engine in memory: the same shapes as on Redis (test/actors/flows.test.ts). */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result, Schema } from "effect"
import { Engine, type Failure } from "../../src/jobs/Engine.ts"
import * as Flow from "../../src/jobs/Flow.ts"
import type { Job } from "../../src/jobs/Job.ts"
import { chosenId } from "../../src/jobs/JobQueue.ts"
import { plan } from "../../src/jobs/Plan.ts"
import * as Retry from "../../src/jobs/Retry.ts"
import * as Task from "../../src/jobs/Task.ts"
import { TestEngine } from "../../src/testing.ts"

const N = Schema.Struct({ n: Schema.Int })
const One = Task.make("one", { payload: { n: Schema.Int }, result: N })
const Inc = Task.make("inc", { payload: { n: Schema.Int, by: Schema.Int }, result: N })
const Sum = Task.make("sum", { payload: { results: Schema.Array(N) }, result: N })
const Boom = Task.make("boom", { payload: { n: Schema.Int }, result: N, retry: Retry.none })
const Note = Task.make("note", { payload: { key: Schema.String, task: Schema.String } })

const notes: Array<string> = []
const live = Layer.mergeAll(
  One.toLayer(Effect.succeed(({ n }) => Effect.succeed({ n }))),
  Inc.toLayer(Effect.succeed(({ by, n }) => Effect.succeed({ n: n + by }))),
  Sum.toLayer(Effect.succeed(({ results }) => Effect.succeed({ n: results.reduce((sum, r) => sum + r.n, 0) }))),
  Boom.toLayer(Effect.succeed(() => Effect.die(new Error("boom")))),
  Note.toLayer(Effect.succeed(({ key, task }) => Effect.sync(() => void notes.push(`${key} ${task}`))))
).pipe(Layer.provideMerge(Layer.fresh(TestEngine.layer)))

const options = { now: 0, maxPayloadBytes: 1_000 }
const result = (job: Job<unknown>) =>
  Engine.use((engine) => Effect.flatMap(engine.enqueue(job), (id) => engine.await(id)))
const amid = () =>
  One.job({ n: 1 })
    .andThen(Flow.all([Flow.step(Inc, { by: 1 }), Flow.all([Flow.step(Inc, { by: 2 })]), One.job({ n: 5 })]))
    .andThen(One.job({ n: 9 }))

describe("plan", () => {
  it("of a group in the midst: its members wait to be given the result, complete jobs are fixed", () => {
    const p = Result.getOrThrow(plan(amid(), options))
    assert.deepStrictEqual(
      p.heads.map((e) => e.task),
      ["one"]
    )
    assert.deepStrictEqual(
      p.fans.map((fan) => fan.heads.map((e) => [e.task, e.fixed === true])),
      [
        [
          ["inc", false],
          ["inc", false],
          ["one", true]
        ]
      ]
    )
    assert.deepStrictEqual(
      p.groups.map((g) => g.members.length),
      [1, 3]
    )
    assert.isTrue([...p.heads, ...p.waiting].every((e) => e.meta?.r === p.id))
  })
  it("of a chosen id is the same each time, callbacks included", () => {
    const id = chosenId("default", "again") ?? assert.fail()
    const once = () => plan(amid().onError(Note, { key: "k" }), { ...options, id })
    assert.deepStrictEqual(Result.getOrThrow(once()), Result.getOrThrow(once()))
  })
  it("of a job alone is no flow", () => {
    assert.isUndefined(Result.getOrThrow(plan(One.job({ n: 1 }), options)).heads[0]?.meta)
  })
  it("is refused beyond its limits, told which", () => {
    const told = (job: Job<unknown>) => {
      const p = plan(job, options)
      return Result.isFailure(p) && p.failure._tag === "PayloadInvalid" ? p.failure.issues[0]?.message : undefined
    }
    assert.include(told(Flow.all(Array.from({ length: 10_001 }, () => One.job({ n: 1 })))), "at most 10000 jobs")
    let deep: Job<unknown> = One.job({ n: 1 })
    for (let i = 0; i < 102; i++) deep = Flow.all([deep])
    assert.include(told(deep), "at most 100 groups")
    let long: Job<unknown> = One.job({ n: 1 })
    for (let i = 0; i < 250; i++) long = long.andThen(One.job({ n: 1 }))
    assert.include(told(long), "at most 250 steps")
  })
})

describe("in memory", () => {
  it.effect("groups amid chains, map and chunks", () =>
    Effect.gen(function* () {
      const group = Flow.all([Flow.step(Inc, { by: 1 }), Flow.step(Inc, { by: 2 }).andThen(Inc, { by: 10 })])
      assert.deepStrictEqual(yield* result(One.job({ n: 1 }).andThen(group).andThen(Sum, {})), { n: 15 })
      assert.deepStrictEqual(yield* result(amid()), { n: 9 })
      assert.deepStrictEqual(yield* result(Flow.chunks(One, [{ n: 1 }, { n: 2 }], 1)), {
        results: [{ results: [{ n: 1 }] }, { results: [{ n: 2 }] }]
      })
    }).pipe(Effect.provide(live))
  )
  it.effect("a failure is told with its cause, and to callbacks", () =>
    Effect.gen(function* () {
      const test = yield* TestEngine
      const job = Boom.job({ n: 1 })
        .andThen(Flow.all([Flow.step(Inc, { by: 1 })]))
        .andThen(Sum, {})
        .onError(Note, { key: "chain" })
      const error = yield* Effect.flip(result(job))
      const failure = error._tag === "JobFailed" ? error.error : assert.fail(error._tag)
      assert.deepStrictEqual(
        [failure._tag, failure["task"], (failure["cause"] as Failure)._tag],
        ["FlowFailed", "boom", "Defect"]
      )
      yield* result(One.job({ n: 1 }).onSuccess(Note, { key: "beside", task: "-" }))
      yield* test.drain
      assert.deepStrictEqual(notes, ["chain boom", "beside -"])
      assert.isTrue(test.jobs().every((j) => j.state !== "scheduled"))
    }).pipe(Effect.provide(live))
  )
})
