/** detect_anomalies on a real store: rates, new and vanished templates, sessions; each finding once, however often it runs. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import type { LogEvent } from "../../src/domain/LogEvent.ts"
import type { ProjectId } from "../../src/domain/Ids.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import { Anomalies } from "../../src/store/Anomalies.ts"
import { Logs } from "../../src/store/Logs.ts"
import { Projects } from "../../src/store/Projects.ts"
import { Rollups } from "../../src/store/Rollups.ts"
import { Templates } from "../../src/store/Templates.ts"
import { DetectAnomalies, DetectAnomaliesLive } from "../../src/tasks/analytics/detect_anomalies.ts"
import { TestEngine } from "../../src/testing.ts"
import { storeLayer } from "../support/postgres.ts"

const hour = 3_600_000
const second = 1_000
const begin = Date.UTC(2026, 2, 2)
const hours = 84

const template = (id: number, text: string) => ({ id, text, shape: `s${id}`, sample: text })
const line = (time: number, id: number, extra: Partial<LogEvent> = {}): LogEvent => ({
  time,
  level: "info",
  service: "shop",
  message: `line of ${id}`,
  attributes: {},
  template: id,
  ...extra
})

const run = Effect.fnUntraced(function* (projectId: ProjectId, sessionBy?: string) {
  const engine = yield* Engine
  const id = yield* DetectAnomalies.enqueue(sessionBy === undefined ? { projectId } : { projectId, sessionBy })
  yield* (yield* TestEngine).drain
  return (yield* engine.await(id)) as { readonly found: number; readonly again: number; readonly sessions: number }
})

const live = DetectAnomaliesLive.pipe(Layer.provideMerge(Layer.mergeAll(Layer.fresh(TestEngine.layer), storeLayer())))

describe("detect_anomalies", () => {
  it.effect(
    "finds a rate that leaps, a template that is new and one that is gone, each once",
    () =>
      Effect.gen(function* () {
        const { id: project } = yield* (yield* Projects).create({ name: "Rates" })
        const templates = yield* Templates
        const known = [template(1, "GET <*> took <*>"), template(2, "user <*> logged in"), template(3, "heartbeat <*>")]
        yield* templates.save(project, known, begin)
        const now = begin + hours * hour + 60_000
        yield* templates.save(project, [template(4, "cannot reach <*>")], now - hour)
        const logs = yield* Logs
        const batches = Array.from({ length: hours }, (_, i) => {
          const at = begin + i * hour
          const many = (id: number, n: number, extra: Partial<LogEvent> = {}) =>
            Array.from({ length: n }, (__, k) => line(at + k, id, extra))
          const events = [
            ...many(1, i === hours - 1 ? 160 : 20 + (i % 3)),
            ...many(2, 30 + (i % 2)),
            ...(i < hours - 4 ? many(3, 12) : []),
            ...(i === hours - 1 ? many(4, 6, { level: "error" }) : [])
          ]
          return { id: `rates.${i}`, project, observedAt: at + 60_000, events }
        })
        yield* logs.append(batches)
        yield* TestClock.setTime(now)
        const first = yield* run(project)
        const anomalies = yield* Anomalies
        const list = yield* anomalies.list({ project, from: 0, to: now + hour, limit: 100 })
        const told = list.map(({ kind, subject }) => `${kind} ${subject}`).toSorted()
        assert.deepStrictEqual(told, ["new_template 4", "template_rate 1", "vanished_template 3"])
        assert.strictEqual(first.found, 3)
        const rate = list.find(({ kind }) => kind === "template_rate")!
        assert.strictEqual(rate.got, 160)
        assert.isAtMost(rate.expected!, 40)
        assert.match(rate.explanation, /^160 lines from .* UTC; about \d+ were expected/u)
        assert.strictEqual(rate.query, "template:1")
        assert.strictEqual(rate.template, "GET <*> took <*>")
        const fresh = list.find(({ kind }) => kind === "new_template")!
        assert.match(fresh.explanation, /6 of them errors/u)
        // The same again, and an hour later: nothing is told twice.
        const again = yield* run(project)
        assert.strictEqual(again.found, 0)
        assert.strictEqual(again.again, 3)
        yield* TestClock.setTime(now + hour)
        yield* run(project)
        const later = yield* anomalies.list({ project, from: 0, to: now + 2 * hour, limit: 100 })
        assert.isTrue(later.filter(({ kind }) => kind === "new_template").length === 1)
        assert.deepStrictEqual(
          (yield* anomalies.list({ project, from: 0, to: now, kind: "new_template", limit: 10 })).map(({ id }) => id),
          [fresh.id]
        )
        assert.strictEqual(yield* anomalies.forget(project, now + 10 * hour), later.length)
      }).pipe(Effect.provide(live)),
    120_000
  )

  it.effect(
    "finds a service's errors that no pattern by itself shows",
    () =>
      Effect.gen(function* () {
        const { id: project } = yield* (yield* Projects).create({ name: "Services" })
        const ids = Array.from({ length: 11 }, (_, i) => i + 1)
        yield* (yield* Templates).save(
          project,
          ids.map((id) => template(id, `step ${id} of <*>`)),
          begin
        )
        const logs = yield* Logs
        const now = begin + hours * hour + 60_000
        const batches = Array.from({ length: hours + 1 }, (_, i) => {
          const at = begin + i * hour
          const bad = i === hours - 1
          const pay = ids
            .slice(0, 10)
            .flatMap((id) =>
              Array.from({ length: bad ? 8 : 1 }, (__, k) =>
                line(at + k, id, { service: "pay", level: bad ? "error" : "info" })
              )
            )
          const shop = Array.from({ length: 300 + (i % 7) }, (__, k) => line(at + k, 11))
          return { id: `services.${i}`, project, observedAt: at + 1_000, events: [...pay, ...shop] }
        })
        yield* logs.append(batches)
        yield* TestClock.setTime(now)
        yield* (yield* Rollups).update(project, { linesMax: 100_000 })
        yield* run(project)
        const list = yield* (yield* Anomalies).list({ project, from: 0, to: now, limit: 100 })
        assert.deepStrictEqual(
          list.map(({ kind, subject }) => `${kind} ${subject}`),
          ["service_rate errors:pay"]
        )
        const errors = list.find(({ subject }) => subject === "errors:pay")!
        assert.strictEqual(errors.got, 80)
        assert.strictEqual(errors.query, 'service:"pay" level:>=error')
      }).pipe(Effect.provide(live)),
    120_000
  )

  it.effect(
    "finds ten bad minutes of a project that is six hours old, also when they come late, with lines",
    () =>
      Effect.gen(function* () {
        const { id: project } = yield* (yield* Projects).create({ name: "Young" })
        yield* (yield* Templates).save(
          project,
          [template(1, "order <*> placed"), { ...template(2, "payment <*> failed"), firstSeen: begin + 3 * hour }],
          begin
        )
        const logs = yield* Logs
        const now = begin + 6 * hour
        const calm = Array.from({ length: 360 }, (_, i) =>
          Array.from({ length: 10 + (i % 3) }, (__, k) => line(begin + i * 60_000 + k * second, 1))
        )
        yield* logs.append([{ id: "young.1", project, observedAt: now, events: calm.flat() }])
        yield* TestClock.setTime(now)
        assert.strictEqual((yield* run(project)).found, 0)
        const bad = Array.from({ length: 120 }, (_, i) =>
          line(begin + 3 * hour + i * 5 * second, 2, { level: "error", service: i % 2 === 0 ? "pay" : "shop" })
        )
        yield* logs.append([{ id: "young.2", project, observedAt: now + second, events: bad }])
        yield* TestClock.setTime(now + 60_000)
        yield* run(project)
        const anomalies = yield* Anomalies
        const told = yield* anomalies.list({ project, from: 0, to: now + hour, limit: 10 })
        assert.deepStrictEqual(told.map(({ kind, subject }) => `${kind} ${subject}`).toSorted(), [
          "new_template 2",
          "service_rate errors"
        ])
        const errors = told.find(({ subject }) => subject === "errors")!
        assert.strictEqual(errors.from, new Date(begin + 3 * hour).toISOString())
        assert.strictEqual(errors.to, new Date(begin + 3 * hour + 10 * 60_000).toISOString())
        assert.match(
          errors.explanation,
          /^120 errors from .* among them 60 of (?:pay|shop), 60 of .*; hardly any were/u
        )
        for (const { samples } of told) {
          assert.strictEqual(samples.length, 3)
          assert.isDefined(samples[0]!.id)
        }
        // A window that is asked for is told as it is, and moves nothing.
        yield* anomalies.forget(project, now + 10 * hour)
        const engine = yield* Engine
        const [from, to] = [begin + 2 * hour, begin + 4 * hour].map((ms) => new Date(ms).toISOString()) as [
          string,
          string
        ]
        const id = yield* DetectAnomalies.enqueue({ projectId: project, from, to })
        yield* (yield* TestEngine).drain
        assert.deepInclude((yield* engine.await(id)) as object, { found: 2 })
      }).pipe(Effect.provide(live)),
    120_000
  )

  it.effect(
    "learns sessions of an attribute in silence, then tells an odd one with its lines",
    () =>
      Effect.gen(function* () {
        const { id: project } = yield* (yield* Projects).create({ name: "Sessions" })
        yield* (yield* Templates).save(
          project,
          [1, 2, 3, 9].map((id) => template(id, `step ${id} of <*>`)),
          begin
        )
        const logs = yield* Logs
        const session = (key: string, at: number, events: ReadonlyArray<number>) =>
          events.map((id, i) => line(at + i * second, id, { attributes: { order: { id: key } } }))
        const now = begin + 4 * hour
        const usual = Array.from({ length: 300 }, (_, i) =>
          session(`o${i}`, begin + 2 * hour + i * 10 * second, [1, 2, 2, 3])
        )
        yield* logs.append([{ id: "sessions.1", project, observedAt: now - 10_000, events: usual.flat() }])
        yield* TestClock.setTime(now)
        const first = yield* run(project, "order.id")
        assert.strictEqual(first.sessions, 300)
        const sessions = (to: number) =>
          Effect.flatMap(Anomalies, (all) => all.list({ project, from: 0, to, kind: "sequence", limit: 10 }))
        assert.deepStrictEqual(yield* sessions(now), [])
        const next = [
          ...session("p1", now + second, [1, 2, 2, 3]),
          ...session("bad", now + 20 * second, [1, 9, 2, 3]),
          ...session("p2", now + 40 * second, [1, 2, 2, 3])
        ]
        yield* logs.append([{ id: "sessions.2", project, observedAt: now + 60_000, events: next }])
        yield* TestClock.setTime(now + hour)
        const after = yield* run(project, "order.id")
        assert.strictEqual(after.sessions, 3)
        const [found, ...more] = yield* sessions(now + hour)
        assert.deepStrictEqual(more, [])
        assert.match(found!.explanation, /hardly any session had before.*bad/su)
        assert.strictEqual(found!.query, 'order.id:"bad"')
        assert.strictEqual(found!.samples[0]!.message, "line of 9")
        assert.strictEqual((yield* run(project, "order.id")).sessions, 0)
      }).pipe(Effect.provide(live)),
    120_000
  )
})
