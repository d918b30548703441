/** Dead letters on a real Redis: found, grouped, mended, put back and thrown away, also by two at once. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Schema } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import { LocalWorker } from "../../src/actors/Worker.ts"
import * as Sexton from "../../src/actors/Sexton.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import * as Fingerprint from "../../src/jobs/Fingerprint.ts"
import * as Retry from "../../src/jobs/Retry.ts"
import * as Task from "../../src/jobs/Task.ts"
import { DeadLetters } from "../../src/streams/DeadLetters.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { keysOf } from "../../src/streams/Keys.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

/** Fails unless it is told to be good. */
const Mood = Task.make("mood", {
  payload: { good: Schema.Boolean, n: Schema.Int },
  result: Schema.Int,
  retry: Retry.exponential({ attempts: 1, base: "1 millis", cap: "1 millis" })
})
const Other = Task.make("other", { payload: { n: Schema.Int }, queue: "low-priority", retry: Retry.none })

const world = () => {
  const runs: Array<number> = []
  const tasks = Layer.mergeAll(
    Mood.toLayer(
      Effect.succeed(({ good, n }) => {
        runs.push(n)
        return good ? Effect.succeed(n) : Effect.die(new Error(`number ${n} is in a bad mood`))
      })
    ),
    Other.toLayer(Effect.succeed(({ n }) => Effect.die(new TypeError(`other ${n}`))))
  )
  const worker = (options: Workers.Options = {}) =>
    Layer.fresh(Workers.layer({ leaseMs: 1_000, ...options })).pipe(Layer.provide(tasks))
  return { runs, worker }
}

const dead = (count: number) =>
  Effect.gen(function* () {
    const letters = yield* DeadLetters
    yield* eventually(
      `${count} are dead`,
      Effect.map(letters.depth, (d) => Object.values(d).reduce((a, b) => a + b, 0) === count)
    )
    return letters
  })

describe("fingerprints", () => {
  it("forget what differs from job to job", () => {
    const of = (message: string) => Fingerprint.of("t", { _tag: "E", message }, "{}")
    assert.strictEqual(of("user 17 not found"), of("user 4711 not found"))
    assert.strictEqual(of('no file "a.txt"'), of('no file "b.txt"'))
    assert.strictEqual(of("row 0b5a1e3c-9d57-4c3e-8a43-0f7a9f1f7d11"), of("row 11111111-9d57-4c3e-8a43-0f7a9f1f7d22"))
    assert.notStrictEqual(of("user not found"), of("file not found"))
    const lost = (payload: string, message: string) => Fingerprint.of("t", { _tag: "WorkerLost", message }, payload)
    assert.strictEqual(lost("1", "twice"), lost("1", "thrice"))
    assert.notStrictEqual(lost("1", "twice"), lost("2", "twice"))
  })
})

describe("dead letters", () => {
  const listed = freshNamespace("dead")
  it.live("are listed with history, filtered, paged and grouped", () => {
    const { worker } = world()
    return Effect.gen(function* () {
      const engine = yield* Engine
      yield* Layer.build(worker())
      const ids = yield* engine.enqueueAll(Array.from({ length: 7 }, (_, n) => Mood.job({ good: false, n })))
      yield* engine.enqueueAll(Array.from({ length: 3 }, (_, n) => Other.job({ n })))
      const letters = yield* dead(10)
      const all = (yield* letters.list()).letters
      assert.strictEqual(all.length, 10)
      assert.deepStrictEqual(
        all.map((l) => l.diedAt),
        all.map((l) => l.diedAt).toSorted((a, b) => b - a)
      )
      const one = yield* letters.get(ids[3] ?? "")
      assert.deepStrictEqual(one.payload, { good: false, n: 3 })
      assert.strictEqual(one.attempts, 2)
      assert.deepStrictEqual(
        one.history.map((h) => [h.attempt, h.tag]),
        [
          [1, "Defect"],
          [2, "Defect"]
        ]
      )
      const pages: Array<string> = []
      let cursor: string | undefined
      do {
        const page = yield* letters.list({ task: "mood" }, { limit: 3, cursor })
        pages.push(...page.letters.map((l) => l.id))
        cursor = page.cursor
      } while (cursor !== undefined)
      assert.deepStrictEqual(pages.toSorted(), ids.toSorted())
      const groups = yield* letters.groups()
      assert.deepStrictEqual(
        groups.map((g) => [g.task, g.count]),
        [
          ["mood", 7],
          ["other", 3]
        ]
      )
      const found = (filter: Parameters<typeof letters.list>[0]) =>
        Effect.map(letters.list(filter), (page) => page.letters.length)
      assert.strictEqual(yield* found({ fingerprint: groups[1]?.fingerprint }), 3)
      assert.strictEqual(yield* found({ text: "NUMBER 5" }), 1)
      assert.strictEqual(yield* found({ since: Date.now() + 60_000 }), 0)
      assert.strictEqual(yield* found({ queue: "high-priority" }), 0)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(letters.get("d-nothing"))))
    }).pipe(Effect.scoped, Effect.provide(clientLayer(listed)))
  })

  const mended = freshNamespace("mended")
  it.live("are edited by the schema and put back", () => {
    const { worker } = world()
    return Effect.gen(function* () {
      const engine = yield* Engine
      yield* Layer.build(worker())
      const ids = yield* engine.enqueueAll([Mood.job({ good: false, n: 1 }), Mood.job({ good: false, n: 2 })])
      const letters = yield* dead(2)
      const [first = "", second = ""] = ids
      const refused = yield* Effect.flip(letters.edit(first, { good: "yes" }, [Mood]))
      assert.strictEqual(refused._tag, "PayloadInvalid")
      const before = yield* letters.get(first)
      const edited = yield* letters.edit(first, { good: true, n: 1 })
      assert.isTrue(edited.edited)
      assert.strictEqual(edited.diedAt, before.diedAt)
      assert.deepStrictEqual((yield* letters.get(first)).payload, { good: true, n: 1 })
      yield* letters.replay(first)
      assert.strictEqual(yield* engine.await(first), 1)
      yield* letters.replay(second, { good: true, n: 20 }, [Mood])
      assert.strictEqual(yield* engine.await(second), 20)
      assert.strictEqual((yield* Effect.flip(letters.replay(first)))._tag, "DeadLetterUnknown")
      assert.strictEqual((yield* Inspect.use((i) => i.job(second)))?.attempt, 1)
      yield* dead(0)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(mended)))
  })

  const raced = freshNamespace("raced")
  it.live("are put back and thrown away once, by however many at once", () => {
    const { worker } = world()
    return Effect.gen(function* () {
      const engine = yield* Engine
      const count = 300
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Layer.build(worker())
          yield* engine.enqueueAll(Array.from({ length: count }, (_, n) => Mood.job({ good: false, n })))
          yield* dead(count)
        })
      )
      const letters = yield* DeadLetters
      const seen: Array<number> = []
      const onProgress = ({ done, skipped }: { readonly done: number; readonly skipped: number }) =>
        void seen.push(done + skipped)
      const ends = yield* Effect.all(
        [
          letters.replayAll({ task: "mood" }, { onProgress }),
          letters.replayAll({ task: "mood" }),
          letters.discardAll({ task: "mood" }),
          letters.discardAll({ text: "bad mood" })
        ],
        { concurrency: "unbounded" }
      )
      assert.strictEqual(
        ends.reduce((n, e) => n + e.done, 0),
        count
      )
      assert.deepStrictEqual(
        seen,
        [...seen].toSorted((a, b) => a - b)
      )
      yield* dead(0)
      const replayed = (ends[0]?.done ?? 0) + (ends[1]?.done ?? 0)
      const queued = yield* Inspect.use((i) => i.queues)
      assert.strictEqual(
        queued.reduce((n, q) => n + q.backlog + q.delayed, 0),
        replayed
      )
    }).pipe(Effect.scoped, Effect.provide(clientLayer(raced)))
  })

  const again = freshNamespace("again")
  it.live("are put back once by one call, though they die again within the same second", () => {
    const { worker } = world()
    return Effect.gen(function* () {
      const engine = yield* Engine
      yield* Layer.build(worker({ concurrency: 50 }))
      const count = 300
      yield* engine.enqueueAll(Array.from({ length: count }, (_, n) => Other.job({ n })))
      const letters = yield* dead(count)
      assert.deepStrictEqual(yield* letters.replayAll({}), { done: count, skipped: 0 })
      yield* dead(count)
      assert.deepStrictEqual(yield* letters.replayAll({}, { limit: 2.5 }), { done: 2, skipped: 0 })
      const refused: ReadonlyArray<readonly [string, Effect.Effect<unknown, unknown>]> = [
        ["limit", letters.replayAll({}, { limit: Number.NaN })],
        ["limit", letters.list({}, { limit: Number.NaN })],
        ["rate", letters.replayAll({}, { rate: "fast" as "1/s" })],
        ["since", letters.discardAll({ since: Number.NaN })],
        ["until", letters.groups({ until: Number.POSITIVE_INFINITY })],
        ["cursor", letters.list({}, { cursor: "zzz" })]
      ]
      for (const [what, asked] of refused) {
        const exit = yield* Effect.exit(asked)
        assert.isTrue(Exit.isFailure(exit) && Cause.pretty(exit.cause).includes("expected"), what)
      }
      assert.isAtLeast((yield* letters.list({ since: -1.5 }, { limit: 500 })).letters.length, count - 2)
      for (const payload of [undefined, () => 1, 1n]) {
        const [first] = (yield* letters.list({}, { limit: 1 })).letters
        assert.strictEqual((yield* Effect.flip(letters.edit(first?.id ?? "", payload)))._tag, "PayloadInvalid")
      }
    }).pipe(Effect.scoped, Effect.provide(clientLayer(again)))
  })

  const rated = freshNamespace("rated")
  it.live("are put back at a rate, and what dies again is not put back again", () => {
    const { runs, worker } = world()
    return Effect.gen(function* () {
      const engine = yield* Engine
      yield* Layer.build(worker())
      yield* engine.enqueueAll(Array.from({ length: 20 }, (_, n) => Mood.job({ good: false, n })))
      const letters = yield* dead(20)
      runs.length = 0
      const started = Date.now()
      const end = yield* letters.replayAll({}, { rate: "20/s", limit: 15 })
      assert.deepStrictEqual(end, { done: 15, skipped: 0 })
      assert.isBelow(Date.now() - started, 500)
      yield* eventually(
        "all have run again",
        Effect.sync(() => runs.length === 30)
      )
      // The fifteenth is due after 14/20 s.
      assert.isAtLeast(Date.now() - started, 690)
      yield* dead(20)
    }).pipe(Effect.scoped, Effect.provide(clientLayer(rated)))
  })

  const kept = freshNamespace("kept")
  it.live("are found when the job's record has expired, and forgotten by age", () => {
    const { worker } = world()
    return Effect.gen(function* () {
      const redis = yield* Redis
      const context = yield* Layer.build(worker())
      const id = yield* Mood.enqueue({ good: false, n: 1 })
      const letters = yield* dead(1)
      const k = keysOf(kept).queue("default")
      yield* redis.use("del", (c) => c.del(k.job(id)))
      assert.strictEqual((yield* letters.get(id)).id, id)
      const local = yield* LocalWorker.pipe(Effect.provideContext(context))
      assert.strictEqual(yield* Sexton.turn(local, 60_000), 0)
      yield* eventually(
        "it is older than a few ms",
        Effect.map(Sexton.turn(local, 5), (n) => n === 1)
      )
      assert.isFalse(yield* letters.discard(id))
    }).pipe(Effect.scoped, Effect.provide(clientLayer(kept)))
  })
})
