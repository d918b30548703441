import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { levels } from "../../src/domain/Level.ts"
import { ProjectId } from "../../src/domain/Ids.ts"
import * as Query from "../../src/domain/Query.ts"
import { defaultProject } from "../../src/domain/Project.ts"
import { cleanText } from "../../src/store/LogRows.ts"
import { Database } from "../../src/store/Database.ts"
import { Logs, type SearchOptions } from "../../src/store/Logs.ts"
import { emptyDatabase, storeLayer } from "../support/postgres.ts"
import { event, noon, oddEvent, oddQuery, random } from "./events.ts"

const project = (id: string) => ProjectId.make(id)
const minute = 60_000

/** All pages of a search, one after the other. */
const everything = Effect.fnUntraced(function* (options: SearchOptions) {
  const logs = yield* Logs
  const ids: Array<string> = []
  let cursor: string | null | undefined
  do {
    const page: { events: ReadonlyArray<{ id: string }>; next: string | null } = yield* logs.search({
      ...options,
      ...(cursor ? { cursor } : {})
    })
    ids.push(...page.events.map(({ id }) => id))
    cursor = page.next
  } while (cursor !== null)
  return ids
})

layer(storeLayer())("search", (it) => {
  it.effect(
    "agrees with Query.matches on odd events and odd queries",
    () =>
      Effect.gen(function* () {
        const logs = yield* Logs
        for (const seed of [1, 2, 3]) {
          const r = random(seed)
          const id = project(`odd-${seed}`)
          const events = Array.from({ length: 400 }, () => oddEvent(r))
          const { firstIds } = yield* logs.append([{ id: id, project: id, observedAt: noon, events }])
          const first = firstIds.get(id)!
          for (let i = 0; i < 300; i++) {
            const query = oddQuery(r, events)
            const page = yield* logs.search({ project: id, query, limit: 1000 })
            const got = page.events.map((found) => Number(found.id) - first).sort((a, b) => a - b)
            const want = events.flatMap((one, n) => (Query.matches(query, one) ? [n] : []))
            const odd = [...got.filter((n) => !want.includes(n)), ...want.filter((n) => !got.includes(n))]
            const explained = JSON.stringify({ seed, i, query, event: events[odd[0]!] })
            assert.deepStrictEqual(got, want, explained)
            const counted = yield* logs.count({ project: id, query, observedFrom: noon, observedTo: noon + 1 })
            assert.strictEqual(counted, want.length, explained)
          }
        }
      }),
    120_000
  )

  it.effect("gives back what was stored", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const r = random(7)
      const events = Array.from({ length: 300 }, () => oddEvent(r))
      const { firstIds } = yield* logs.append([{ id: "whole", project: project("whole"), observedAt: noon, events }])
      const page = yield* logs.search({ project: project("whole"), limit: 1000 })
      const byId = new Map(page.events.map((found) => [Number(found.id), found]))
      for (const [n, one] of events.entries()) {
        const found = byId.get(firstIds.get("whole")! + n)!
        assert.deepStrictEqual(found, {
          id: String(firstIds.get("whole")! + n),
          project: project("whole"),
          time: new Date(one.time).toISOString(),
          observedAt: new Date(noon).toISOString(),
          level: one.level,
          service: cleanText(one.service),
          message: cleanText(one.message),
          attributes: JSON.parse(JSON.stringify(one.attributes)),
          ...(one.traceId !== undefined && { traceId: one.traceId }),
          ...(one.spanId !== undefined && { spanId: one.spanId }),
          ...(one.template !== undefined && { template: String(one.template) })
        })
      }
    })
  )

  it.effect("pages have no gaps and no doubles, with equal times and lines arriving in between", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const id = project("pages")
      const events = Array.from({ length: 250 }, (_, n) => event({ time: noon + (n % 3), message: `line ${n}` }))
      const { firstIds } = yield* logs.append([{ id: "pages", project: id, observedAt: noon, events }])
      const first = firstIds.get("pages")!
      const want = events
        .map((one, n) => ({ time: one.time, id: first + n }))
        .sort((a, b) => b.time - a.time || b.id - a.id)
        .map((one) => String(one.id))
      for (const limit of [1, 7, 100, 249, 250, 251, 1000]) {
        assert.deepStrictEqual(yield* everything({ project: id, limit }), want, `limit ${limit}`)
      }
      const page = yield* logs.search({ project: id, limit: 100 })
      const late = [event({ time: noon + 2, message: "late" }), event({ time: noon + 60_000, message: "later" })]
      yield* logs.append([{ id: "pages-late", project: id, observedAt: noon + 60_000, events: late }])
      const rest = yield* everything({ project: id, limit: 100, cursor: page.next! })
      assert.deepStrictEqual([...page.events.map((one) => one.id), ...rest], want)
    })
  )

  it.effect("time range, levels, service and words narrow together; from is inside, to is not", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const id = project("narrow")
      const events = [
        event({ time: noon, message: "a timeout", level: "error", service: "API" }),
        event({ time: noon + 1, message: "TIMEOUT b", level: "warn", service: "api" }),
        event({ time: noon + 2, message: "timeout c", level: "error", service: "web" }),
        event({ time: noon + 3, message: "fine", level: "error", service: "api" })
      ]
      yield* logs.append([{ id: "narrow", project: id, observedAt: noon, events }])
      const found = (options: Omit<SearchOptions, "project" | "limit">) =>
        Effect.map(logs.search({ project: id, limit: 10, ...options }), (page) => page.events.map((one) => one.message))
      assert.deepStrictEqual(yield* found({ from: noon + 1, to: noon + 3 }), ["timeout c", "TIMEOUT b"])
      assert.deepStrictEqual(yield* found({ levels: ["error", "warn"], service: "Api" }), [
        "fine",
        "TIMEOUT b",
        "a timeout"
      ])
      const query: Query.Query = { _tag: "Word", text: "TimeOut" }
      assert.deepStrictEqual(yield* found({ query, levels: ["error"], service: "api" }), ["a timeout"])
      assert.deepStrictEqual(yield* found({ from: -1e18, to: 1e18, query }), ["timeout c", "TIMEOUT b", "a timeout"])
      assert.deepStrictEqual(yield* logs.search({ project: project("other"), limit: 10 }), {
        events: [],
        next: null,
        complete: true,
        scannedTo: null
      })
    })
  )

  it.effect("a cursor that no search gave is refused", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const words = ["", "x", "1:2:3", Buffer.from("1:0:0;drop table logs").toString("base64url"), "a".repeat(10_000)]
      for (const cursor of words) {
        const error = yield* Effect.flip(logs.search({ project: defaultProject, limit: 1, cursor }))
        assert.strictEqual(error._tag, "CursorInvalid", cursor)
        assert.isBelow(error.message.length, 200)
      }
    })
  )

  it.effect("counts by arrival, with and without reading lines", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const id = project("counts")
      const lines = levels.flatMap((level, n) =>
        Array.from({ length: n + 1 }, () => event({ level, message: `m ${level}` }))
      )
      yield* logs.append([
        { id: "counts-1", project: id, observedAt: noon, events: lines },
        { id: "counts-2", project: id, observedAt: noon + minute, events: lines }
      ])
      const count = (text: string, from: number, to: number) => {
        const parsed = Query.parse(text)
        if (!parsed.ok) throw new Error(parsed.expected)
        return logs.count({ project: id, query: parsed.query, observedFrom: noon + from, observedTo: noon + to })
      }
      assert.strictEqual(yield* count("level:>=error", 0, 1), 13)
      assert.strictEqual(yield* count("level:>=error m", 0, 1), 13)
      assert.strictEqual(yield* count("-level:warn", 0, 2 * minute), 46)
      assert.strictEqual(yield* count("", 1, minute), 0)
      assert.strictEqual(yield* count("level:>fatal", 0, minute), 0)
      assert.strictEqual(yield* count("m", 0, minute + 1), 56)
    })
  )

  it.effect("the histogram has every bucket, empty ones too", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const id = project("histogram")
      const at = (offset: number, ...events: Array<ReturnType<typeof event>>) => ({
        id: `histogram-${offset}`,
        project: id,
        observedAt: noon + offset,
        events
      })
      yield* logs.append([
        at(0, event(), event({ level: "error" })),
        at(59_999, event({ level: "fatal" })),
        at(120_000, event({ level: "error" })),
        at(180_000, event())
      ])
      const buckets = yield* logs.histogram({ project: id, from: noon, to: noon + 180_000, bucketMs: minute })
      assert.deepStrictEqual(
        buckets.map(({ at: start, byLevel, total }) => [
          start.slice(11, 16),
          total,
          byLevel.error,
          byLevel.fatal,
          byLevel.info
        ]),
        [
          ["12:00", 3, 1, 1, 1],
          ["12:01", 0, 0, 0, 0],
          ["12:02", 1, 1, 0, 0]
        ]
      )
    })
  )

  it.effect("recent gives the last lines by arrival, newest last, whatever their own times", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const id = project("recent")
      assert.deepStrictEqual(yield* logs.recent(id, 10), [])
      const batch = (n: number) => ({
        id: `recent-${n}`,
        project: id,
        observedAt: noon + n,
        events: [0, 1, 2].map((i) => event({ time: noon - n * minute, message: `${n}.${i}` }))
      })
      yield* logs.append(Array.from({ length: 10 }, (_, n) => batch(n)))
      const recent = yield* logs.recent(id, 4)
      assert.deepStrictEqual(
        recent.map((one) => one.message),
        ["8.2", "9.0", "9.1", "9.2"]
      )
      assert.strictEqual((yield* logs.recent(id, 1000)).length, 30)
    })
  )
})

layer(storeLayer())("a thousand words in a long line", (it) => {
  const numbers = Array.from({ length: 50_000 }, (_, n) => `n${n}`)
  const words = (from: number): ReadonlyArray<Query.Query> =>
    Array.from({ length: 1_500 }, (_, n) => ({ _tag: "Word", text: `N${from + n}` }))

  it.effect(
    "are looked for in one pass",
    () =>
      Effect.gen(function* () {
        const logs = yield* Logs
        yield* logs.append([
          { id: "long", project: defaultProject, observedAt: noon, events: [event({ message: numbers.join(" ") })] }
        ])
        const found = (query: Query.Query) =>
          Effect.map(logs.search({ project: defaultProject, query, limit: 1 }), ({ events }) => events.length)
        assert.strictEqual(yield* found({ _tag: "And", parts: words(0) }), 1)
        assert.strictEqual(yield* found({ _tag: "And", parts: words(49_000) }), 0)
        assert.strictEqual(yield* found({ _tag: "And", parts: Array.from({ length: 2_000 }, () => words(0)[0]!) }), 1)
        const without = words(50_000).map((part): Query.Query => ({ _tag: "Not", part }))
        assert.strictEqual(yield* found({ _tag: "And", parts: without }), 1)
        assert.strictEqual(yield* found({ _tag: "Or", parts: words(49_999) }), 1)
      }),
    // One after the other they take far longer: Postgres heeds no time limit within a line.
    20_000
  )
})

layer(storeLayer({ readTimeoutMs: 40 }))("a search without end", (it) => {
  it.effect("is cut off, and says what to do", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const events = Array.from({ length: 2000 }, () => event({ message: "aA".repeat(10_000) }))
      yield* logs.append([{ id: "slow", project: defaultProject, observedAt: noon, events }])
      const parts = Array.from({ length: 60 }, (_, n): Query.Query => ({ _tag: "Word", text: `aa${n}` }))
      const error = yield* Effect.flip(logs.search({ project: defaultProject, query: { _tag: "Or", parts }, limit: 1 }))
      assert.strictEqual(error._tag, "SearchTooSlow")
      assert.include(error.message, "within 40 ms")
    })
  )
})

const impatient = emptyDatabase({ readTimeoutMs: 100, maxConnections: 2 })
layer(impatient.layer)("a read that is cut off amid its rows", (it) => {
  it.effect("leaves nothing behind for the next on its connection", () =>
    Effect.gen(function* () {
      const database = yield* Database
      // Rows come for a while, then the statement sleeps into its time limit.
      const cut = yield* Effect.flip(
        database.read(
          "cut",
          (sql) => sql`select n, repeat('x', 5000) from generate_series(1, 400) n where n < 400 or pg_sleep(5) is null`
        )
      )
      assert.strictEqual(cut.code, "57014")
      for (let again = 0; again < 3; again++) {
        const rows = yield* database.read("next", (sql) => sql`select n from generate_series(1, 3) n`)
        assert.deepStrictEqual(
          rows.map((row) => row["n"] as number),
          [1, 2, 3]
        )
      }
    })
  )
})
