/**
 * One contract, two engines: every case runs on the engine in memory in virtual time, and on real Redis with a worker. What
 * holds in a test with the kit holds in production.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Schema } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import { Engine, type Failure } from "../../src/jobs/Engine.ts"
import * as Flow from "../../src/jobs/Flow.ts"
import type { Job } from "../../src/jobs/Job.ts"
import * as Retry from "../../src/jobs/Retry.ts"
import * as Task from "../../src/jobs/Task.ts"
import { Control } from "../../src/streams/Control.ts"
import { TestEngine } from "../../src/testing.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

class Busy extends Schema.TaggedError<Busy>()("Busy", { n: Schema.Int }) {}
class Final extends Schema.TaggedError<Final>()("Final", {}) {
  readonly retryable = false
}

const quick = Retry.fixed({ attempts: 2, delay: "30 millis" })
const n = { n: Schema.Int }
const Sum = Schema.Struct({ sum: Schema.Int })
const Add = Task.make("add", { payload: { a: Schema.Int, b: Schema.Int }, result: Sum })
const Double = Task.make("double", { payload: { sum: Schema.Int }, result: Sum, queue: "high-priority" })
const Total = Task.make("total", { payload: { results: Schema.Array(Sum) }, result: Sum, queue: "low-priority" })
const Shaky = Task.make("shaky", { payload: { fails: Schema.Int }, result: Schema.Int, error: Busy, retry: quick })
const Broken = Task.make("broken", { payload: n, result: Sum, error: Final, retry: quick })
const Bug = Task.make("bug", { payload: n, retry: Retry.none })
const Doze = Task.make("doze", { payload: n, result: Schema.Int })
const Quit = Task.make("quit", { payload: n })
const Slow = Task.make("slow", { payload: n, timeout: "40 millis", retry: Retry.none })
const Blame = Task.make("blame", { payload: { error: Schema.Struct({ _tag: Schema.String }), task: Schema.String } })
const Mark = Task.make("mark", { payload: { who: Schema.String } })
const Once = Task.make("once", { payload: n, result: Schema.Int, unique: () => "one" })
const Hourly = Task.make("hourly", { payload: n, unique: { key: () => "one", within: "1 hour" } })
const Newest = Task.make("newest", { payload: n, unique: { key: () => "one", mode: "replace" } })
const Calm = Task.make("calm", { payload: n, unique: { key: () => "one", mode: "debounce", within: "1 second" } })
const Anything = Task.make("anything", { payload: { what: Schema.String }, result: Schema.Any, retry: Retry.none })
const Parent = Task.make("parent", { payload: n })

/** What the handlers have done. */
class Log extends Context.Service<Log, Array<string>>()("test/Log") {}

const logged = <P, R, E>(name: string, act: (payload: P, job: Task.JobContext) => Effect.Effect<R, E>) =>
  Effect.map(
    Log,
    (log) => (payload: P, job: Task.JobContext) =>
      Effect.andThen(
        Effect.sync(() => void log.push(`${name} ${JSON.stringify(payload)}`)),
        act(payload, job)
      )
  )
const handlers = Layer.mergeAll(
  Add.toLayer(logged("add", ({ a, b }) => Effect.succeed({ sum: a + b }))),
  Double.toLayer(logged("double", ({ sum }) => Effect.succeed({ sum: sum * 2 }))),
  Total.toLayer(logged("total", ({ results }) => Effect.succeed({ sum: results.reduce((s, r) => s + r.sum, 0) }))),
  Anything.toLayer(
    logged("anything", ({ what }) => {
      const circle: { self?: unknown } = {}
      circle.self = circle
      return Effect.succeed(what === "bigint" ? 1n : what === "circle" ? circle : new Date(0))
    })
  ),
  Shaky.toLayer(
    logged("shaky", ({ fails }, { attempt }) =>
      attempt <= fails ? Effect.fail(new Busy({ n: attempt })) : Effect.succeed(attempt)
    )
  ),
  Broken.toLayer(logged("broken", () => Effect.fail(new Final()))),
  Bug.toLayer(logged("bug", () => Effect.die(new Error("a bug")))),
  Doze.toLayer(
    Effect.map(
      Log,
      (log) =>
        (_: unknown, { attempt }: Task.JobContext) =>
          log.push("doze") < 3 ? Task.snooze("20 millis") : Effect.succeed(attempt)
    )
  ),
  Quit.toLayer(logged("quit", () => Task.cancel("nothing to do"))),
  Slow.toLayer(logged("slow", () => Effect.never)),
  Blame.toLayer(logged("blame", () => Effect.void)),
  Mark.toLayer(logged("mark", () => Effect.void)),
  Once.toLayer(logged("once", (p) => Effect.succeed(p.n))),
  Hourly.toLayer(logged("hourly", () => Effect.void)),
  Newest.toLayer(logged("newest", () => Effect.void)),
  Calm.toLayer(logged("calm", () => Effect.void)),
  Parent.toLayer(
    Effect.gen(function* () {
      const engine = yield* Engine
      return ({ n: count }: { readonly n: number }) =>
        Effect.asVoid(Effect.orDie(engine.enqueue(Add.job({ a: count, b: 1 }))))
    })
  )
)

/** What a case may ask of either engine. */
class Stage extends Context.Service<
  Stage,
  {
    /** Waits until the job has ended, and what follows from it; in words. */
    readonly end: (id: string) => Effect.Effect<string>
    /** Lets so many ms pass, or until `done`. */
    readonly until: (what: string, done: () => boolean) => Effect.Effect<void>
    readonly cancel: (id: string) => Effect.Effect<void>
  }
>()("test/Stage") {}

const inWords = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return `done ${JSON.stringify(exit.value)}`
  const error = exit.cause.reasons.find((r) => r._tag === "Fail")?.error as
    | { readonly _tag: string; readonly error?: Failure; readonly reason?: string }
    | undefined
  if (error?._tag === "JobCancelled") return `cancelled: ${error.reason}`
  const cause = error?.error?.["cause"] as Failure | undefined
  return `${error?._tag} ${error?.error?._tag ?? ""}${cause === undefined ? "" : ` because of ${cause._tag}`}`.trim()
}

const enqueue = (job: Job<unknown>, options?: Parameters<Engine["Service"]["enqueue"]>[1]) =>
  Engine.use((engine) => Effect.orDie(engine.enqueue(job, options)))
const offer = (job: Job<unknown>, options?: Parameters<Engine["Service"]["offer"]>[1]) =>
  Engine.use((engine) => Effect.orDie(engine.offer(job, options)))
const ended = (job: Job<unknown>, options?: Parameters<Engine["Service"]["enqueue"]>[1]) =>
  Effect.flatMap(enqueue(job, options), (id) => Stage.use((stage) => stage.end(id)))

type Case = readonly [what: string, act: Effect.Effect<unknown, never, Engine | Stage | Log>, wanted: unknown]

const cases: ReadonlyArray<Case> = [
  ["a result comes back", ended(Add.job({ a: 1, b: 2 })), 'done {"sum":3}'],
  ["a failure is tried again, and counted", ended(Shaky.job({ fails: 2 })), "done 3"],
  ["retries end", ended(Shaky.job({ fails: 3 })), "JobFailed Busy"],
  ["a caller may ask for other retries", ended(Shaky.job({ fails: 2 }), { retries: 1 }), "JobFailed Busy"],
  ["some errors are not tried again", ended(Broken.job({ n: 1 })), "JobFailed Final"],
  ["a bug is a defect", ended(Bug.job({ n: 1 })), "JobFailed Defect"],
  ["a result that is a Date is kept as JSON", ended(Anything.job({ what: "date" })), 'done "1970-01-01T00:00:00.000Z"'],
  ["a result that has no JSON is invalid", ended(Anything.job({ what: "bigint" })), "JobFailed ResultInvalid"],
  ["a result in a circle is invalid", ended(Anything.job({ what: "circle" })), "JobFailed ResultInvalid"],
  ["a snooze is no attempt", ended(Doze.job({ n: 1 })), "done 1"],
  ["a job may give itself up", ended(Quit.job({ n: 1 })), "cancelled: nothing to do"],
  ["a time limit ends a run", ended(Slow.job({ n: 1 })), "JobFailed TimedOut"],
  ["a caller may set the limit", ended(Slow.job({ n: 1 }), { timeout: "20 millis" }), "JobFailed TimedOut"],
  ["a delayed job runs", ended(Add.job({ a: 1, b: 1 }), { delay: "30 millis" }), 'done {"sum":2}'],
  [
    "a job that has expired does not run",
    ended(Add.job({ a: 1, b: 1 }), { delay: "30 millis", expires: "5 millis" }),
    "cancelled: expired before it could start"
  ],
  [
    "nothing is kept where the result is ignored",
    ended(Add.job({ a: 1, b: 1 }), { ignoreResult: true, id: "ignored" }),
    "done null"
  ],
  [
    "a known id adds nothing",
    Effect.gen(function* () {
      const first = yield* offer(Add.job({ a: 1, b: 1 }), { id: "x" })
      const second = yield* offer(Add.job({ a: 2, b: 2 }), { id: "x" })
      return [first.duplicate, second.duplicate, first.id === second.id, yield* (yield* Stage).end(first.id)]
    }),
    [false, true, true, 'done {"sum":2}']
  ],
  [
    "a delayed job can be cancelled",
    Effect.gen(function* () {
      const id = yield* enqueue(Add.job({ a: 1, b: 1 }), { delay: "1 hour" })
      const stage = yield* Stage
      yield* stage.cancel(id)
      return yield* stage.end(id)
    }),
    "cancelled: revoked"
  ],
  [
    "a handler's jobs run",
    Effect.gen(function* () {
      yield* enqueue(Parent.job({ n: 4 }))
      const log = yield* Log
      yield* (yield* Stage).until("the child", () => log.includes('add {"a":4,"b":1}'))
      return log
    }),
    ['add {"a":4,"b":1}']
  ],
  [
    "a chain merges results into payloads",
    ended(Add.job({ a: 1, b: 2 }).andThen(Double, {}).andThen(Double, {})),
    'done {"sum":12}'
  ],
  [
    "a chord gathers results in order",
    ended(Flow.all([1, 2, 3].map((a) => Add.job({ a, b: 0 }).andThen(Double, {}))).andThen(Total, {})),
    'done {"sum":12}'
  ],
  ["an empty group is done", ended(Flow.all([])), 'done {"results":[]}'],
  [
    "a group may stand after another step",
    ended(
      Add.job({ a: 1, b: 2 })
        .andThen(Flow.all([Flow.step(Double, {}), Flow.step(Double, {})]))
        .andThen(Total, {})
    ),
    'done {"sum":12}'
  ],
  [
    "starmap runs one task over a list",
    ended(
      Flow.starmap(Add, [
        { a: 1, b: 1 },
        { a: 2, b: 2 }
      ])
    ),
    'done {"results":[{"sum":2},{"sum":4}]}'
  ],
  [
    "chunks are a group of them",
    ended(
      Flow.chunks(
        Add,
        [1, 2, 3].map((a) => ({ a, b: 0 })),
        2
      )
    ),
    'done {"results":[{"results":[{"sum":1},{"sum":2}]},{"results":[{"sum":3}]}]}'
  ],
  [
    "a failed step fails what follows, with its cause",
    ended(Broken.job({ n: 1 }).andThen(Double, {}).andThen(Double, {})),
    "JobFailed FlowFailed because of Final"
  ],
  [
    "a failed member fails the chord, with its cause",
    ended(Flow.all([Add.job({ a: 1, b: 1 }), Broken.job({ n: 1 })]).andThen(Total, {})),
    "JobFailed FlowFailed because of Final"
  ],
  [
    "an error callback is started once",
    Effect.gen(function* () {
      const log = yield* Log
      const end = yield* ended(Broken.job({ n: 1 }).andThen(Double, {}).onError(Blame, {}))
      yield* (yield* Stage).until("the callback", () => log.length === 2)
      return [end, ...log]
    }),
    ["JobFailed FlowFailed because of Final", 'broken {"n":1}', 'blame {"error":{"_tag":"Final"},"task":"broken"}']
  ],
  [
    "a success callback is started beside the chain",
    Effect.gen(function* () {
      const log = yield* Log
      const end = yield* ended(Add.job({ a: 1, b: 2 }).onSuccess(Double, {}))
      yield* (yield* Stage).until("the callback", () => log.length === 2)
      return [end, ...log]
    }),
    ['done {"sum":3}', 'add {"a":1,"b":2}', 'double {"sum":3}']
  ],
  [
    "a unique job is refused until it has ended",
    Effect.gen(function* () {
      const first = yield* offer(Once.job({ n: 1 }), { delay: "30 millis" })
      const second = yield* offer(Once.job({ n: 2 }))
      const end = yield* (yield* Stage).end(first.id)
      const third = yield* offer(Once.job({ n: 3 }))
      return [second.duplicate, second.id === first.id, end, third.duplicate, yield* (yield* Stage).end(third.id)]
    }),
    [true, true, "done 1", false, "done 3"]
  ],
  [
    "a unique job with a window is refused after its end too",
    Effect.gen(function* () {
      const first = yield* offer(Hourly.job({ n: 1 }))
      yield* (yield* Stage).end(first.id)
      const second = yield* offer(Hourly.job({ n: 2 }))
      return [second.duplicate, second.id === first.id]
    }),
    [true, true]
  ],
  [
    "a job that waits takes the payload of its replacement over",
    Effect.gen(function* () {
      const first = yield* offer(Newest.job({ n: 1 }), { delay: "30 millis" })
      const second = yield* offer(Newest.job({ n: 2 }))
      const end = yield* (yield* Stage).end(first.id)
      return [second.id === first.id, second.replaced === first.id, end, ...(yield* Log)]
    }),
    [true, true, "done null", 'newest {"n":2}']
  ],
  [
    "a debounced job runs once, with the newest payload",
    Effect.gen(function* () {
      const first = yield* offer(Calm.job({ n: 1 }))
      yield* offer(Calm.job({ n: 2 }))
      yield* offer(Calm.job({ n: 3 }))
      const end = yield* (yield* Stage).end(first.id)
      return [end, ...(yield* Log)]
    }),
    ["done null", 'calm {"n":3}']
  ],
  [
    "a tenant with few jobs does not wait for one with many",
    Effect.gen(function* () {
      const many = Array.from({ length: 200 }, (_, i) => enqueue(Mark.job({ who: `busy${i}` }), { key: "busy" }))
      yield* Effect.all(many, { concurrency: "unbounded" })
      yield* enqueue(Mark.job({ who: "rare" }), { key: "rare" })
      const log = yield* Log
      const marks = () => log.filter((line) => line.startsWith("mark"))
      yield* (yield* Stage).until("all", () => marks().length === 201)
      // What has been fed or claimed already goes first; the rest waits for its turn.
      return marks().indexOf('mark {"who":"rare"}') < 190
    }),
    true
  ]
]

const logs = () => Layer.sync(Log, () => Log.of([]))

/** The engine in memory; time is virtual. */
const memoryStage = Layer.effect(
  Stage,
  Effect.gen(function* () {
    const test = yield* TestEngine
    const engine = yield* Engine
    return Stage.of({
      end: (id) =>
        Effect.andThen(
          test.advance("10 minutes"),
          Effect.map(Effect.exit(engine.await(id, { timeout: "1 second" })), inWords)
        ),
      until: (what, done) =>
        Effect.andThen(
          test.advance("10 minutes"),
          Effect.sync(() => assert.isTrue(done(), what))
        ),
      cancel: (id) => test.cancel(id)
    })
  })
)
const memory = () =>
  Layer.merge(handlers, memoryStage).pipe(Layer.provideMerge(Layer.merge(Layer.fresh(TestEngine.layer), logs())))

/** Real Redis with one worker; time is time. */
const redisStage = Layer.effect(
  Stage,
  Effect.gen(function* () {
    const engine = yield* Engine
    const control = yield* Control
    return Stage.of({
      end: (id) => Effect.map(Effect.exit(engine.await(id, { timeout: "10 seconds" })), inWords),
      until: (what, done) => eventually(what, Effect.sync(done)),
      cancel: (id) => Effect.asVoid(Effect.orDie(control.revoke(id)))
    })
  })
)
const redis = (namespace: string) =>
  Layer.merge(Workers.layer({ leaseMs: 5_000 }), redisStage).pipe(
    Layer.provideMerge(handlers),
    Layer.provideMerge(Layer.merge(clientLayer(namespace), logs()))
  )

describe("in memory", () => {
  for (const [what, act, wanted] of cases) {
    it.effect(what, () => Effect.map(act, (got) => assert.deepStrictEqual(got, wanted)).pipe(Effect.provide(memory())))
  }
})

// One worker for all cases: each begins with an empty log.
layer(redis(freshNamespace("contract")), { excludeTestServices: true, timeout: "30 seconds" })("on Redis", (live) => {
  for (const [what, act, wanted] of cases) {
    live.effect(what, () =>
      Effect.gen(function* () {
        const log = yield* Log
        log.length = 0
        assert.deepStrictEqual(yield* act, wanted)
      })
    )
  }
})
