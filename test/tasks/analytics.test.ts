/** From stored lines to figures, and from figures to those who watch. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import type { LogEvent } from "../../src/domain/LogEvent.ts"
import { defaultProject } from "../../src/domain/Project.ts"
import * as Query from "../../src/domain/Query.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import { LiveBus } from "../../src/notify/LiveBus.ts"
import { Logs } from "../../src/store/Logs.ts"
import { Templates } from "../../src/store/Templates.ts"
import * as Analytics from "../../src/tasks/analytics/Analytics.ts"
import { DetectAnomaliesLive } from "../../src/tasks/analytics/detect_anomalies.ts"
import {
  UpdateAllProjectAnalytics,
  UpdateAllProjectAnalyticsLive
} from "../../src/tasks/analytics/update_all_project_analytics.ts"
import { UpdateProjectAnalyticsLive } from "../../src/tasks/analytics/update_project_analytics.ts"
import { UpdateLiveAnalytics, UpdateLiveAnalyticsLive } from "../../src/tasks/live/update_live_analytics.ts"
import { TestEngine } from "../../src/testing.ts"
import { storeLayer } from "../support/postgres.ts"

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const now = Date.UTC(2026, 5, 2, 12)
const pushed: Array<readonly [string, ReadonlyArray<unknown>]> = []
const bus = Layer.succeed(
  LiveBus,
  LiveBus.of({ push: (topic, _project, data) => Effect.sync(() => void pushed.push([topic, data])) })
)
const world = Layer.mergeAll(
  DetectAnomaliesLive,
  UpdateAllProjectAnalyticsLive,
  UpdateProjectAnalyticsLive,
  UpdateLiveAnalyticsLive
).pipe(Layer.provideMerge(Layer.mergeAll(Layer.fresh(TestEngine.layer), bus, storeLayer())))

const line = (time: number, change: Partial<LogEvent> = {}): LogEvent => ({
  time,
  level: "info",
  service: "api",
  message: "request done",
  attributes: { duration_ms: 20, "http.request.method": "GET", "url.path": "/a", host: "h1" },
  template: 1,
  ...change
})

/** Six calm hours, and then ten minutes in which the database of `orders` is away. */
const calm = Array.from({ length: 3_600 }, (_, i) => line(now - 6.5 * hourMs + i * 6_000))
const storm = Array.from({ length: 300 }, (_, i) =>
  line(now - 10 * minuteMs + i * 2_000, {
    level: "error",
    service: "orders",
    message: `connection refused by db-${i % 3}`,
    attributes: { duration_ms: 5_000, "url.path": "/orders", "http.request.method": "POST" },
    template: 2
  })
)

const setUp = Effect.gen(function* () {
  yield* TestClock.setTime(now)
  const logs = yield* Logs
  const templates = yield* Templates
  yield* templates.save(defaultProject, [{ id: 1, text: "request done", shape: "", sample: "" }], now - 7 * hourMs)
  yield* templates.save(
    defaultProject,
    [{ id: 2, text: "connection refused by <*>", shape: "", sample: "" }],
    now - 10 * minuteMs
  )
  // Arrival follows the lines' own time.
  yield* logs.append(
    Array.from(
      Map.groupBy([...calm, ...storm], ({ time }) => Math.floor(time / hourMs)),
      ([hour, events]) => ({
        id: `b${hour}`,
        project: defaultProject,
        observedAt: Math.max(...events.map(({ time }) => time)),
        events
      })
    )
  )
})

const run = Effect.gen(function* () {
  const test = yield* TestEngine
  const engine = yield* Engine
  const id = yield* UpdateAllProjectAnalytics.enqueue({})
  yield* test.drain
  return yield* engine.await(id)
})

describe("analytics of stored lines", () => {
  it.effect("are rolled up for every project, and tell what changed most", () =>
    Effect.gen(function* () {
      yield* setUp
      assert.deepStrictEqual(yield* run, { projects: 2 })
      const window = { project: defaultProject, from: now - 12 * hourMs, to: now + hourMs, stepMs: hourMs }
      const found = yield* Analytics.overview(window)
      assert.strictEqual(found.lines, 3_900)
      assert.strictEqual(found.byLevel.error, 300)
      assert.deepStrictEqual(
        found.services.map(({ errors, lines, service }) => [service, lines, errors]),
        [
          ["api", 3_600, 0],
          ["orders", 300, 300]
        ]
      )
      assert.deepStrictEqual(found.hosts, [{ host: "h1", lines: 3_600, share: 1 }])
      assert.strictEqual(found.rolledUpTo, new Date(now + (now % hourMs)).toISOString())
      const points = yield* Analytics.volume(window)
      assert.lengthOf(points, 13)
      assert.strictEqual(
        points.reduce((sum, { total }) => sum + total, 0),
        3_900
      )
      const latency = yield* Analytics.latency(window, 10, undefined)
      assert.deepStrictEqual(
        latency.endpoints.map(({ endpoint, service }) => `${service} ${endpoint}`),
        ["orders POST /orders", "api GET /a"]
      )
      assert.approximately(latency.total!.p50, 20, 0.5)
      assert.approximately(latency.total!.p99, 5_000, 110)
      const templates = yield* Analytics.templates({ ...window, from: now - hourMs }, 10)
      assert.deepStrictEqual(
        templates.new.templates.map(({ id, lines }) => [id, lines]),
        [["2", 300]]
      )
    }).pipe(Effect.provide(world))
  )

  it.effect("rank the cause of an alert first, in words, with a query that finds its lines", () =>
    Effect.gen(function* () {
      yield* setUp
      const alert = { startedAt: new Date(now - 5 * minuteMs).toISOString(), resolvedAt: null, lines: [] }
      const found = yield* Analytics.causes({ project: defaultProject, ...Analytics.windowOfAlert(alert, now) })
      assert.strictEqual(found.lines, 300 + calm.filter(({ time }) => time >= now - 10 * minuteMs).length)
      const first = found.causes[0]!
      assert.strictEqual(first.kind, "template")
      assert.strictEqual(first.change, "new")
      assert.match(
        first.explanation,
        /connection refused by <\*>.*never been seen before: 300 came in 10 min.*300 of them tell an error.*Score/u
      )
      const parsed = Query.parse(first.query)
      assert.isTrue(parsed.ok)
      const logs = yield* Logs
      const page = parsed.ok
        ? yield* logs.search({ project: defaultProject, query: parsed.query, limit: 1_000 })
        : undefined
      assert.lengthOf(page!.events, 300)
      for (const { query } of found.causes) assert.isTrue(Query.parse(query).ok, query)
      // An alert of lines that came five hours late: what changed is where they are.
      const late = { startedAt: new Date(now + 5 * hourMs).toISOString(), resolvedAt: null, lines: [{ time: now }] }
      const there = yield* Analytics.causes({ project: defaultProject, ...Analytics.windowOfAlert(late, now) })
      assert.deepInclude(there.causes[0], { change: "new", lines: 300, errors: 300 })
    }).pipe(Effect.provide(world))
  )

  it.effect("of the last minutes go to those who watch", () =>
    Effect.gen(function* () {
      yield* setUp
      const test = yield* TestEngine
      const engine = yield* Engine
      const id = yield* UpdateLiveAnalytics.enqueue({ projectId: defaultProject })
      yield* test.drain
      const result = yield* engine.await(id)
      assert.strictEqual(
        (result as { lines: number }).lines,
        300 + calm.filter(({ time }) => time >= now - 14 * minuteMs).length
      )
      const [topic, [figures]] = pushed.at(-1)!
      assert.strictEqual(topic, "metrics")
      assert.include(figures as object, { perSecond: 0.5 })
      assert.lengthOf((figures as { minutes: ReadonlyArray<unknown> }).minutes, 15)
    }).pipe(Effect.provide(world))
  )
})
