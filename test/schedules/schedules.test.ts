/** Schedules added and steered at run time: checked, heard by the beat at once, paused, run by hand, backfilled. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import * as Task from "../../src/jobs/Task.ts"
import * as Beat from "../../src/schedules/Beat.ts"
import { Schedules, type Spec } from "../../src/schedules/Schedules.ts"
import { Inspect } from "../../src/streams/Inspect.ts"
import { clientLayer, eventually, freshNamespace } from "../support/engine.ts"

const Report = Task.make("report", { payload: { project: Schema.String }, queue: "low-priority" })
const code = [Beat.every("1 hour", "hourly", Report.job({ project: "own" }))]
const world = (namespace: string) => Schedules.layer(code, [Report]).pipe(Layer.provideMerge(clientLayer(namespace)))
const spec: Spec = { name: "weekly", task: "report", payload: { project: "p" }, cron: "0 9 * * mon" }
const failure = <A, E extends { readonly message: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.message)
const hour = 3_600_000
/** Cleared at the end, with all that begin like it. */
const base = freshNamespace("schedules")

it.live("creates, changes, lists and deletes", () =>
  Effect.gen(function* () {
    const api = yield* Schedules
    const made = yield* api.create({
      ...spec,
      timeZone: "Europe/Berlin",
      description: "for the boss",
      endAt: "2999-01-01"
    })
    assert.strictEqual(made.next.length, 5)
    assert.deepStrictEqual(
      made.next.map((at, i) => Math.round((at - (made.next[0] ?? 0)) / hour / 24) === i * 7),
      [true, true, true, true, true]
    )
    assert.include(yield* failure(api.create(spec)), "expected a name that is free")
    const changed = yield* api.update("weekly", { every: "90 minutes", timeZone: null, queue: "default" })
    assert.deepStrictEqual([changed.when, changed.nextAt! % 5_400_000], ["every 90 minutes", 0])
    assert.isUndefined(changed.spec?.cron)
    const rows = yield* api.list
    assert.deepStrictEqual(
      rows.map((r) => [r.name, r.source, r.description]),
      [
        ["hourly", "code", null],
        ["weekly", "stored", "for the boss"]
      ]
    )
    yield* api.remove("weekly")
    assert.include(yield* failure(api.get("weekly")), 'expected a schedule that exists, got "weekly"')
    assert.include(yield* failure(api.remove("hourly")), "it can be paused, not deleted")
    assert.include(yield* failure(api.update("hourly", { every: "1 minute" })), "it can be paused, not changed")
  }).pipe(Effect.provide(world(`${base}-first`)))
)

it.live("says all that is wrong, with what was expected and got", () =>
  Effect.gen(function* () {
    const api = yield* Schedules
    const text = yield* failure(
      api.create({
        ...spec,
        name: "a b",
        payload: { project: 1 },
        cron: "0 25 * * *",
        timeZone: "Mars/Base",
        maxRuns: 0
      })
    )
    assert.match(text, /payload\.project: .*string/iu)
    assert.include(
      text,
      'cron: expected a cron expression of 5 fields (6 with seconds first) such as "0 2 * * *", got "0 25'
    )
    assert.include(text, 'timeZone: expected an IANA time zone such as "Europe/Berlin", got "Mars/Base"')
    assert.include(text, "maxRuns: expected a whole number above 0, got 0")
    assert.include(text, "name: expected a name like")
    assert.include(
      yield* failure(api.create({ ...spec, task: "none" })),
      'expected a task that is known here, got "none"'
    )
    assert.include(yield* failure(api.create({ ...spec, every: "1 hour" })), "exactly one of cron, crontab and every")
    assert.include(
      yield* failure(api.create({ ...spec, cron: undefined, every: "1 minute", jitter: "61 seconds" })),
      'jitter: expected at most the interval (1 minute), got "61 seconds"'
    )
    assert.include(yield* failure(api.create({ ...spec, cron: "0 0 31 2 *" })), "expected times that come")
    assert.include(
      yield* failure(api.create({ ...spec, cron: undefined, every: "soon" })),
      'a duration such as "5 minutes"'
    )
  }).pipe(Effect.provide(world(`${base}-wrong`)))
)

it.live("a running beat hears of what is added, changed, paused and deleted", () =>
  Effect.gen(function* () {
    const api = yield* Schedules
    const inspect = yield* Inspect
    yield* Layer.build(Beat.layer(code, { tasks: [Report] }))
    yield* api.create({ ...spec, name: "second", cron: undefined, every: "1 second" })
    const fired = (n: number) =>
      eventually(
        `${n} runs`,
        Effect.map(api.get("second"), (view) => view.runs >= n && view),
        5_000
      )
    const view = yield* fired(1)
    assert.strictEqual((yield* inspect.job(view.last.at(-1)?.job ?? ""))?.queue, "low-priority")
    assert.strictEqual(view.last[0]?.state, "queued")
    yield* api.update("second", { payload: { project: "q" } })
    const { runs } = yield* api.get("second")
    const after = yield* fired(runs + 1)
    const newest = after.last.find((run) => run.job !== null)?.job ?? ""
    assert.deepStrictEqual((yield* inspect.job(newest))?.payload, { project: "q" })
    yield* api.pause("second")
    const paused = yield* api.get("second")
    assert.deepStrictEqual([paused.paused, paused.nextAt, paused.next], [true, null, []])
    const byHand = yield* api.run("second")
    yield* eventually(
      "the job by hand",
      Effect.map(inspect.job(byHand), (job) => job?.state === "queued")
    )
    yield* Effect.sleep("1200 millis")
    assert.strictEqual((yield* api.get("second")).runs, paused.runs)
    yield* api.resume("second")
    yield* fired(paused.runs + 1)
    yield* api.remove("second")
    assert.strictEqual((yield* api.list).length, 1)
  }).pipe(Effect.scoped, Effect.provide(world(`${base}-live`)))
)

it.live("backfills the slots that did not fire, and by force those that did", () =>
  Effect.gen(function* () {
    const api = yield* Schedules
    const now = Math.floor(Date.now() / hour) * hour
    yield* Beat.turn(code, now)
    const range = { from: now - 5 * hour, to: now }
    const first = yield* api.backfill("hourly", range)
    assert.deepStrictEqual([first.jobs.length, first.known], [5, 1])
    assert.deepStrictEqual(yield* api.backfill("hourly", range), { jobs: [], known: 6 })
    const forced = yield* api.backfill("hourly", { ...range, force: true, perSecond: 1 })
    assert.strictEqual(forced.jobs.length, 6)
    const inspect = yield* Inspect
    assert.strictEqual((yield* inspect.scheduled).length, 5, "one per second")
    assert.deepStrictEqual((yield* Beat.turn(code, now)).fired, [])
    assert.include(
      yield* failure(api.backfill("hourly", { from: now - 10_000 * hour, to: now - 50 * hour })),
      "expected at most 1000 slots"
    )
    assert.include(yield* failure(api.backfill("hourly", { from: now, to: now + 9 * hour })), "a time that is past")
  }).pipe(Effect.provide(world(`${base}-back`)))
)

it.live("ends after maxRuns, and keeps the reason of a slot left out", () =>
  Effect.gen(function* () {
    const api = yield* Schedules
    yield* api.create({ ...spec, name: "single", cron: undefined, every: "1 hour", overlap: "skip", maxRuns: 2 })
    const slot = (Math.floor(Date.now() / hour) + 1) * hour
    const turn = (at: number) => Effect.map(Beat.turn([], at, [Report]), ({ fired }) => fired.length)
    assert.deepStrictEqual([yield* turn(slot), yield* turn(slot + hour), yield* turn(slot + hour)], [1, 0, 0])
    const view = yield* api.get("single")
    assert.deepStrictEqual(
      view.last.map((run) => [run.slot, run.why, run.state]),
      [
        [slot + hour, "the one before has not ended", null],
        [slot, "on time", "queued"]
      ]
    )
    yield* api.update("single", { overlap: "allow" })
    assert.deepStrictEqual([yield* turn(slot + 2 * hour), yield* turn(slot + 3 * hour)], [1, 0])
    assert.isNull((yield* api.get("single")).nextAt)
  }).pipe(Effect.provide(world(`${base}-max`)))
)

it.live("understands Celery's crontab", () =>
  Effect.gen(function* () {
    const api = yield* Schedules
    const view = yield* api.create({
      ...spec,
      cron: undefined,
      crontab: { minute: 0, hour: "0", day_of_month: "13", day_of_week: "fri" },
      startAt: "2026-01-01T00:00:00Z"
    })
    assert.strictEqual(view.when, "0 0 13 * fri")
    const days = view.next.map((at) => new Date(at))
    assert.isTrue(days.length === 5 && days.every((day) => day.getUTCDate() === 13 && day.getUTCDay() === 5))
  }).pipe(Effect.provide(world(`${base}-celery`)))
)
