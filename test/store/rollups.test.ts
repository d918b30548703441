/** Figures agree with the lines they were made of, however often and in whichever order these came. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { LogEvent } from "../../src/domain/LogEvent.ts"
import { defaultProject } from "../../src/domain/Project.ts"
import { quantile } from "../../src/domain/Sketch.ts"
import { Database } from "../../src/store/Database.ts"
import { Logs } from "../../src/store/Logs.ts"
import { Projects } from "../../src/store/Projects.ts"
import { chunksOf } from "../../src/store/RollupRows.ts"
import { Rollups } from "../../src/store/Rollups.ts"
import { storeLayer } from "../support/postgres.ts"
import { event, random } from "./events.ts"

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const now = Date.UTC(2026, 2, 10, 12)

/** Lines of the last two days in a fixed disorder, some of them odd. */
const linesOf = (n: number, seed: number): ReadonlyArray<LogEvent> => {
  const r = random(seed)
  return Array.from({ length: n }, () => {
    const level = r.pick(["info", "info", "warn", "error"] as const)
    const attributes = r.pick<Record<string, unknown>>([
      {},
      {
        duration_ms: 1 + r.int(1_000),
        "url.path": `/items/${r.int(1_000)}?a=1`,
        "http.request.method": "GET",
        host: "h1"
      },
      { duration: `${1 + r.int(9)}.5s`, host: "h2" },
      { duration_ms: "soon", latency: 1e300, took: -1, host: { a: 1 } },
      { request_time: 0.25, route: "/v1/x" }
    ])
    return event({ time: now - r.int(2 * dayMs), level, service: r.pick(["api", "web", ""]), attributes })
  })
}

const append = (id: string, events: ReadonlyArray<LogEvent>, observedAt = now) =>
  Effect.flatMap(Logs, (logs) => logs.append([{ id, project: defaultProject, observedAt, events }]))
const updateAll = Effect.flatMap(Rollups, (rollups) => rollups.update(defaultProject, { linesMax: 1e9 }))
const span = { project: defaultProject, from: Date.UTC(2026, 2, 8), to: Date.UTC(2026, 2, 11), stepMs: dayMs }

layer(storeLayer())("roll-ups", (it) => {
  it.effect("count every line once, also when more come later and when it is done again", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now + 3 * dayMs)
      const rollups = yield* Rollups
      const first = linesOf(3_000, 1)
      yield* append("a", first)
      assert.strictEqual((yield* updateAll).lines, 3_000)
      assert.deepStrictEqual(yield* updateAll, { hours: 0, lines: 0, left: false })
      const late = linesOf(500, 2)
      yield* append("b", late)
      yield* append("b", late)
      yield* append("c", late, now + dayMs)
      yield* updateAll
      const all = [...first, ...late, ...late]
      for (const stepMs of [hourMs, dayMs]) {
        const points = yield* rollups.volume({ ...span, stepMs })
        const byStep = Map.groupBy(all, ({ time }) => Math.floor(time / stepMs) * stepMs)
        assert.deepStrictEqual(
          points.map(({ at, byLevel }) => [at, byLevel.info, byLevel.warn, byLevel.error]),
          [...byStep]
            .sort(([a], [b]) => a - b)
            .map(([at, of]) => [
              at,
              ...["info", "warn", "error"].map((l) => of.filter(({ level }) => level === l).length)
            ])
        )
      }
      const services = yield* rollups.series({ ...span, part: "services" })
      const api = [...services.values()].reduce((sum, row) => sum + (row.services["api"]?.lines ?? 0), 0)
      assert.strictEqual(api, all.filter(({ service }) => service === "api").length)
      const endpoints = yield* rollups.series({ ...span, part: "endpoints" })
      const names = new Set([...endpoints.values()].flatMap((row) => Object.keys(row.endpoints)))
      assert.deepStrictEqual([...names].toSorted(), [
        " /v1/x",
        " GET /items/:id",
        "api /v1/x",
        "api GET /items/:id",
        "web /v1/x",
        "web GET /items/:id"
      ])
      const hosts = yield* rollups.series({ ...span, part: "hosts" })
      const h2 = [...hosts.values()].reduce((sum, row) => sum + (row.hosts["h2"] ?? 0), 0)
      assert.strictEqual(h2, all.filter(({ attributes }) => attributes["host"] === "h2").length)
    })
  )

  it.effect("know a duration however a line spells it, and take nothing else for one", () =>
    Effect.gen(function* () {
      const project = (yield* (yield* Projects).create({ name: "Spellings" })).id
      const attribute = (value: Record<string, unknown>) => ({ attributes: value, message: "done" })
      const message = (text: string) => ({ attributes: {}, message: text })
      const lines: ReadonlyArray<readonly [ms: number | null, line: Pick<LogEvent, "attributes" | "message">]> = [
        [12, message("query took 12ms, 3 hits")],
        [1_200, message("job finished, duration=1.2s")],
        [5, message("latency_ms: 5")],
        [250, message('{"elapsed_ms":250}')],
        [30, message("Response time = 30 ms")],
        [2_000, message("Time taken: 2 seconds")],
        [0.45, message("parsed; took 450µs")],
        [0.45, message("parsed; took 450 us")],
        [90_000, message("backup: total time was 1.5 min")],
        [7_000, message("elapsed_seconds=7")],
        [12, message("Saved cart ab12 in 12 ms")],
        [300, message("cache warmed in 300ms")],
        [8.4, message("Completed 200 OK (8.4ms)")],
        [12.5, attribute({ duration: "12.5ms" })],
        [1_200, attribute({ duration: "1.2 s" })],
        [62_500, attribute({ duration: "1m2.5s" })],
        [3_661_000, attribute({ elapsed: "1h1m1s" })],
        [47, attribute({ request_time: "0.047" })],
        [47, attribute({ request_time: 0.047 })],
        [250, attribute({ "http.server.request.duration": 0.25 })],
        [3, attribute({ durationNs: 3_000_000 })],
        [18, attribute({ ElapsedMilliseconds: 18 })],
        // An attribute is believed before the message.
        [5, { attributes: { took_ms: 5 }, message: "took 9 s" }],
        [null, message("took 3 steps")],
        [null, message("took 12 messages")],
        [null, message("retry in 30 s")],
        [null, message("token expires in 5m")],
        [null, message("built in 2026")],
        [null, message("duration 12")],
        [null, message("mistook 12 ms")],
        [null, attribute({ duration: "soon" })],
        [null, attribute({ duration: -1 })],
        [null, attribute({ duration: 1e300 })],
        [null, attribute({ duration: [1] })]
      ]
      const events = lines.map(([, line], i) => event({ time: now, service: `s${i}`, ...line }))
      const logs = yield* Logs
      yield* logs.append([{ id: "spellings", project, observedAt: now, events }])
      const rollups = yield* Rollups
      yield* rollups.update(project, { linesMax: 1e9 })
      const found = yield* rollups.series({ ...span, project, part: "latency" })
      const told = lines.flatMap(([ms]) => (ms === null ? [] : [ms]))
      const sketch = [...found.values()][0]!.latency!
      assert.strictEqual(sketch.n, told.length)
      assert.closeTo(
        sketch.sum,
        told.reduce((sum, ms) => sum + ms, 0),
        0.01
      )
      for (const q of [0.1, 0.3, 0.5, 0.7, 0.9]) {
        const exact = told.toSorted((a, b) => a - b)[Math.floor(q * (told.length - 1))]!
        assert.closeTo(quantile(sketch, q)!, exact, exact * 0.03 + 0.001)
      }
    })
  )

  it.effect("tell durations within their error, in whatever unit", () =>
    Effect.gen(function* () {
      const rollups = yield* Rollups
      const day = [...(yield* rollups.series({ ...span, part: "latency" })).values()][1]!
      const expected = [...linesOf(3_000, 1), ...linesOf(500, 2), ...linesOf(500, 2)]
        .filter(({ time }) => Math.floor(time / dayMs) * dayMs === Date.UTC(2026, 2, 9))
        .flatMap(({ attributes: a }) =>
          typeof a["duration_ms"] === "number"
            ? [a["duration_ms"]]
            : typeof a["duration"] === "string"
              ? [Number.parseFloat(a["duration"]) * 1_000]
              : a["request_time"] === 0.25
                ? [250]
                : []
        )
        .toSorted((a, b) => a - b)
      assert.strictEqual(day.latency!.n, expected.length)
      for (const q of [0.5, 0.9, 0.99]) {
        const truth = expected[Math.floor(q * (expected.length - 1))]!
        assert.approximately(quantile(day.latency!, q)!, truth, truth * 0.025)
      }
    })
  )

  it.effect("stay when the lines go, and take in what comes late", () =>
    Effect.gen(function* () {
      const rollups = yield* Rollups
      const logs = yield* Logs
      const before = yield* rollups.volume(span)
      yield* logs.dropBefore(now + dayMs)
      yield* updateAll
      assert.deepStrictEqual(yield* rollups.volume(span), before)
      yield* append("d", [event({ time: Date.UTC(2026, 2, 9, 5), level: "fatal" })], now + 2 * dayMs)
      yield* updateAll
      const points = yield* rollups.volume(span)
      assert.deepStrictEqual(
        points.map(({ byLevel }) => byLevel.fatal),
        [0, 1, 0]
      )
      assert.deepStrictEqual(
        points.map(({ byLevel }) => byLevel.info),
        before.map(({ byLevel }) => byLevel.info)
      )
    })
  )

  it.effect("of the last day come from the counts that are stored with the lines", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now + 10 * dayMs)
      const rollups = yield* Rollups
      const at = now + 10 * dayMs - hourMs
      yield* append("fresh", [event({ time: at })], at)
      const points = yield* rollups.volume({ project: defaultProject, from: at, to: at + 2 * hourMs, stepMs: hourMs })
      assert.deepStrictEqual(
        points.map(({ byLevel }) => byLevel.info),
        [1]
      )
    })
  )

  it.effect("a year by day is quick, and by hour too", () =>
    Effect.gen(function* () {
      const database = yield* Database
      yield* database.query(
        "test",
        (sql) => sql`
          insert into rollups
          select 'loglytics', 1, h, h::date, 700, array[0,0,100,500,50,40,10],
            (select jsonb_object_agg('service-' || s, jsonb_build_object('lines', 7, 'warnings', 1, 'errors', 1)) from generate_series(1, 100) s),
            '{}', '{}', null, now()
          from generate_series('2025-01-01'::timestamptz, '2025-12-31 23:00', '1 hour') h`
      )
      yield* database.query(
        "test",
        (
          sql
        ) => sql`insert into rollups select project, 24, start, day, 24 * lines, by_level, services, hosts, endpoints, latency, now()
          from rollups where project = 'loglytics' and extract(hour from start) = 0`
      )
      const rollups = yield* Rollups
      const year = { project: "loglytics" as typeof defaultProject, from: Date.UTC(2025, 0), to: Date.UTC(2026, 0) }
      const began = performance.now()
      assert.lengthOf(yield* rollups.volume({ ...year, stepMs: hourMs }), 8_760)
      const volumeMs = performance.now() - began
      assert.strictEqual((yield* rollups.series({ ...year, stepMs: dayMs, part: "services" })).size, 365)
      yield* Effect.logInfo(
        `a year's volume by hour ${volumeMs} ms, services by day ${performance.now() - began - volumeMs} ms`
      )
    })
  )

  it.effect("chunks hold no hour that is up to date", () =>
    Effect.sync(() => {
      const row = (hour: number, place: number, lines = 1) => ({
        day: "2026-03-10",
        hour: String(hour),
        place: String(place),
        lines: String(lines)
      })
      const chunks = chunksOf([row(9, 5), row(8, 4), row(6, 3), row(2, 1), { ...row(2, 1), day: "2026-03-09" }])
      assert.deepStrictEqual(
        chunks.map(({ from, to }) => [from / hourMs, to / hourMs]),
        [
          [6, 10],
          [2, 3],
          [2, 3]
        ]
      )
      assert.lengthOf(chunksOf([row(9, 2, 150_000), row(8, 1, 150_000)]), 2)
    })
  )
})
