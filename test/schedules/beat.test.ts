/** The beat on real Redis: slots fire once however many beats run, and overlaps follow their policy. */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Schema } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import * as Task from "../../src/jobs/Task.ts"
import * as Beat from "../../src/schedules/Beat.ts"
import { Schedules } from "../../src/schedules/Schedules.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { Redis } from "../../src/streams/Redis.ts"
import * as Slots from "../../src/streams/Slots.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

const Tick = Task.make("tick", { payload: { n: Schema.Int } })
const half = Beat.every("30 seconds", "half_minute", Tick.job({ n: 1 }))
const daily = Beat.cron("0 2 * * *", "nightly", Tick.job({ n: 2 }), { timeZone: "Europe/Berlin" })
const single = Beat.every("1 minute", "single", Tick.job({ n: 3 }), { overlap: "skip" })
const latest = Beat.every("1 minute", "latest", Tick.job({ n: 4 }), { overlap: "cancelOther" })
const start = Date.parse("2026-06-01T00:00:00Z")

/** A process of its own, as far as the engine can tell. */
const another = (namespace: string) => Layer.build(Layer.fresh(clientLayer(namespace)))

const one = freshNamespace("beat")
it.live("two processes fire each slot once, over a night", () =>
  Effect.gen(function* () {
    const a = yield* another(one)
    const b = yield* another(one)
    const fired: Array<string> = []
    for (let now = start; now < start + 4 * 3_600_000; now += 29_000) {
      const turns = yield* Effect.forEach(
        [a, b],
        (context) => Effect.provideContext(Beat.turn([half, daily], now), context),
        {
          concurrency: 2
        }
      )
      for (const turn of turns) for (const f of turn.fired) fired.push(`${f.name}:${f.slot}`)
    }
    assert.strictEqual(new Set(fired).size, fired.length)
    // From 0:00:00 to before 4:00:00 there are 480 half minutes, each met by a turn every 29 s; Berlin's 2:00 is 0:00 UTC.
    assert.strictEqual(fired.filter((f) => f.startsWith("half_minute")).length, 480)
    assert.deepStrictEqual(
      fired.filter((f) => f.startsWith("nightly")),
      [`nightly:${start}`]
    )
    const seen = yield* Layer.build(Schedules.layer([half, daily])).pipe(Effect.provideContext(a))
    const rows = yield* Schedules.use((schedules) => schedules.list).pipe(Effect.provideContext(seen))
    assert.deepStrictEqual(
      rows.map((r) => [r.name, r.task, r.when, r.timeZone]),
      [
        ["half_minute", "tick", "every 30 seconds", "UTC"],
        ["nightly", "tick", "0 2 * * *", "Europe/Berlin"]
      ]
    )
    assert.strictEqual(rows[1]?.lastAt, start)
  }).pipe(Effect.scoped)
)

const two = freshNamespace("beat-overlap")
it.live("skips or cancels where the job before has not ended", () =>
  Effect.gen(function* () {
    const inspect = yield* Inspect
    const first = yield* Beat.turn([single, latest], start)
    assert.strictEqual(first.fired.length, 2)
    const second = yield* Beat.turn([single, latest], start + 60_000)
    assert.deepStrictEqual(
      second.fired.map((f) => f.name),
      ["latest"]
    )
    const cancelled = yield* inspect.job(first.fired[1]?.id ?? "")
    assert.strictEqual(cancelled?.state, "cancelled")
  }).pipe(Effect.provide(clientLayer(two)))
)

const three = freshNamespace("beat-live")
it.live("fires by itself, by the server's clock", () =>
  Effect.gen(function* () {
    const inspect = yield* Inspect
    yield* Layer.build(Beat.layer([Beat.every("1 second", "second", Tick.job({ n: 5 }))]))
    yield* eventually(
      "three slots",
      Effect.map(inspect.queues, (rows) => (rows.find((q) => q.name === "default")?.backlog ?? 0) >= 3)
    )
  }).pipe(Effect.scoped, Effect.provide(clientLayer(three)))
)

const crowded = "one is waiting already"
const four = freshNamespace("beat-buffer")
it.live("keeps one slot waiting until the job before has ended, and leaves those out that come meanwhile", () =>
  Effect.gen(function* () {
    const redis = yield* Redis
    const known = Effect.map(Slots.recall(redis, ["buffered"]), (all) => all.get("buffered"))
    const gate = yield* Deferred.make<void>()
    let running = 0
    let most = 0
    const tasks = Tick.toLayer(
      Effect.succeed(() =>
        Effect.sync(() => void (most = Math.max(most, ++running))).pipe(
          Effect.andThen(Deferred.await(gate)),
          Effect.andThen(Effect.sync(() => void running--))
        )
      )
    )
    yield* Layer.build(Workers.layer({ drainTimeout: "1 second" }).pipe(Layer.provide(tasks)))
    const buffered = Beat.every("1 second", "buffered", Tick.job({ n: 6 }), { overlap: "bufferOne" })
    yield* Layer.build(Beat.layer([buffered]))
    yield* eventually(
      "the first runs",
      Effect.sync(() => running === 1)
    )
    const began = Date.now()
    yield* eventually(
      "three more slots are over",
      Effect.sync(() => Date.now() - began > 3_200)
    )
    assert.strictEqual((yield* known)?.runs, 1)
    yield* Deferred.succeed(gate, undefined)
    yield* eventually(
      "the one that waited has run, the others are left out",
      Effect.map(known, (now) => now !== undefined && now.runs > 1 && now.last.some((run) => run.why === crowded))
    )
    assert.strictEqual(most, 1)
  }).pipe(Effect.scoped, Effect.provide(clientLayer(four)))
)
