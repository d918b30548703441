/** The engine in memory, driven by a test clock. */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Flow from "../../src/jobs/Flow.ts"
import * as Retry from "../../src/jobs/Retry.ts"
import * as Task from "../../src/jobs/Task.ts"
import { TestEngine } from "../../src/testing.ts"

class Busy extends Schema.TaggedError<Busy>()("Busy", {}) {}
const Add = Task.make("add", { payload: { a: Schema.Int, b: Schema.Int }, result: Schema.Struct({ sum: Schema.Int }) })
const Twice = Task.make("twice", { payload: { sum: Schema.Int }, result: Schema.Int })
const All = Task.make("all", { payload: { results: Schema.Array(Schema.Int) }, result: Schema.Int })
const Shaky = Task.make("shaky", {
  payload: { key: Schema.String },
  error: Busy,
  result: Schema.Int,
  retry: Retry.exponential({ attempts: 2, base: "10 seconds" })
})

const tasks = Layer.mergeAll(
  Add.toLayer(Effect.succeed(({ a, b }) => Effect.succeed({ sum: a + b }))),
  Twice.toLayer(Effect.succeed(({ sum }) => Effect.succeed(sum * 2))),
  All.toLayer(Effect.succeed(({ results }) => Effect.succeed(results.reduce((x, y) => x + y, 0)))),
  Shaky.toLayer(Effect.succeed((_, job) => (job.attempt < 3 ? Effect.fail(new Busy()) : Effect.succeed(job.attempt))))
)
const live = tasks.pipe(Layer.provideMerge(Layer.fresh(TestEngine.layer)))

it.effect("runs what is due and what follows from it", () =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const test = yield* TestEngine
    yield* Add.enqueue({ a: 1, b: 2 })
    yield* Add.enqueue({ a: 1, b: 2 }, { delay: "1 minute" })
    const id = yield* engine.enqueue(
      Flow.all([1, 2].map((n) => Add.job({ a: n, b: n }).andThen(Twice, {}))).andThen(All, {})
    )
    assert.deepStrictEqual(test.enqueued(Add)[0], { a: 1, b: 2 })
    assert.strictEqual((yield* test.drain).failed, 0)
    assert.strictEqual(yield* engine.await(id), 12)
    assert.strictEqual(test.enqueued(Add).length, 1)
    yield* TestClock.adjust("1 minute")
    assert.strictEqual((yield* test.drain).done, 1)
  }).pipe(Effect.provide(live))
)

it.effect("tries again by the clock", () =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const test = yield* TestEngine
    const id = yield* Shaky.enqueue({ key: "k" })
    assert.strictEqual((yield* test.drain).retried, 1)
    const waiting = yield* Effect.forkChild(engine.await(id))
    for (let i = 0; i < 3; i++) {
      yield* TestClock.adjust("40 seconds")
      yield* test.drain
    }
    assert.strictEqual(yield* Fiber.join(waiting), 3)
  }).pipe(Effect.provide(live))
)

it.effect("draws the same waits in each run, not none", () => {
  const waited = Effect.gen(function* () {
    const test = yield* TestEngine
    yield* Shaky.enqueue({ key: "k" })
    yield* test.drain
    for (let ms = 0; ; ms += 10) {
      if ((yield* test.drain).retried > 0) return ms
      yield* TestClock.adjust(10)
    }
  }).pipe(Effect.provide(live))
  return Effect.gen(function* () {
    const [first, second] = [yield* waited, yield* waited]
    assert.isAbove(first, 0)
    assert.strictEqual(second, first)
  })
})

it.effect("encodes for real: what does not fit is refused", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(Add.run({ a: 0.5, b: 1 }))
    assert.strictEqual(error._tag, "PayloadInvalid")
    const engine = yield* Engine
    const first = yield* engine.offer(Add.job({ a: 1, b: 1 }), { id: "x" })
    const second = yield* engine.offer(Add.job({ a: 1, b: 1 }), { id: "x" })
    assert.deepStrictEqual([first.duplicate, second.duplicate], [false, true])
  }).pipe(Effect.provide(live))
)
