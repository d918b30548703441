import { assert, describe, it as plain, layer } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import type { LogEvent } from "../../src/domain/LogEvent.ts"
import { ProjectId } from "../../src/domain/Ids.ts"
import { severity } from "../../src/domain/Level.ts"
import * as Query from "../../src/domain/Query.ts"
import { Database } from "../../src/store/Database.ts"
import { type LogBatch, Logs, type Page, type SearchOptions } from "../../src/store/Logs.ts"
import * as Migrations from "../../src/store/Migrations.ts"
import { migrations } from "../../src/store/migrations/all.ts"
import { gramHashes, gramPlaces, canonical, SignatureBuilder } from "../../src/store/Signature.ts"
import { emptyDatabase, storeLayer } from "../support/postgres.ts"
import { event, noon, oddEvent, oddQuery, type Random, random } from "./events.ts"

const minute = 60_000
const day = 86_400_000
const project = (id: string) => ProjectId.make(id)
const parsed = (text: string): Query.Query => {
  const result = Query.parse(text)
  if (!result.ok) throw new Error(result.expected)
  return result.query
}

/** Batches of several projects in calls of all sizes, their times all over three days, arrivals over two. */
const scattered = (r: Random, projects: ReadonlyArray<string>, calls: number) =>
  Array.from({ length: calls }, (_, call) =>
    r.many(1, 4, (): LogBatch => {
      const observedAt = noon + (call % 2) * day + call
      const old = r.next() < 0.2
      return {
        id: `${projects.join()}-${call}-${r.next()}`,
        project: project(r.pick(projects)),
        observedAt,
        events: r.many(0, r.pick([1, 3, 40]), () => ({
          ...oddEvent(r),
          time: (old ? noon - r.int(3 * day) : observedAt - r.int(10) * minute) + r.int(3)
        }))
      }
    })
  )

/** What is stored, in the order of a search. */
const storedOf = (batches: ReadonlyArray<LogBatch>, firstIds: ReadonlyMap<string, number>, order = "newest") =>
  batches
    .flatMap((batch) => batch.events.map((one, n) => ({ one, batch, id: firstIds.get(batch.id)! + n })))
    .sort((a, b) => (order === "newest" ? 1 : -1) * (b.one.time - a.one.time || b.id - a.id))

const pages = Effect.fnUntraced(function* (options: SearchOptions) {
  const logs = yield* Logs
  const found: Array<string> = []
  const seen: Array<Page> = []
  let cursor: string | undefined
  for (;;) {
    const page: Page = yield* logs.search({ ...options, ...(cursor === undefined ? {} : { cursor }) })
    found.push(...page.events.map(({ id }) => id))
    seen.push(page)
    if (page.next === null) return { found, seen }
    cursor = page.next
  }
})

/** Every look at the clock costs seconds, so that each search is late after its first group. */
const hurried = () => {
  let now = noon
  const tick = () => (now += 4_000)
  return Effect.provideServiceEffect(
    Clock.Clock,
    Effect.map(Clock.Clock, (clock) => ({
      ...clock,
      currentTimeMillisUnsafe: tick,
      currentTimeMillis: Effect.sync(tick)
    }))
  )
}

layer(storeLayer())("blocks", (it) => {
  it.effect(
    "a search is what Query.matches says, in order, whatever the blocks",
    () =>
      Effect.gen(function* () {
        const logs = yield* Logs
        for (const seed of [11, 12]) {
          const r = random(seed)
          const projects = [`x${seed}-a`, `x${seed}-b`]
          const calls = scattered(r, projects, 40)
          const firstIds = new Map<string, number>()
          for (const call of calls) for (const [id, n] of (yield* logs.append(call)).firstIds) firstIds.set(id, n)
          for (let i = 0; i < 40; i++) {
            const name = r.pick(projects)
            const mine = calls.flat().filter((batch) => batch.project === name)
            const events = mine.flatMap((batch) => batch.events)
            const query = oddQuery(r, events, 2)
            const from = r.next() < 0.5 ? noon - r.int(2 * day) : undefined
            const to = r.next() < 0.3 ? noon + r.int(day) : undefined
            const order = r.pick(["newest", "oldest"] as const)
            const limit = r.pick([1, 7, 50, 1000])
            const want = storedOf(mine, firstIds, order).filter(
              ({ one }) => Query.matches(query, one) && one.time >= (from ?? -Infinity) && one.time < (to ?? Infinity)
            )
            const options = {
              project: project(name),
              query,
              order,
              limit: want.length > 200 ? Math.max(50, limit) : limit,
              ...(from === undefined ? {} : { from }),
              ...(to === undefined ? {} : { to })
            }
            const { found } = yield* pages(options)
            const explained = JSON.stringify({ seed, i, query, order })
            assert.deepStrictEqual(
              found,
              want.map(({ id }) => String(id)),
              explained
            )
            const window = { from: noon - 3 * day, to: noon + 2 * day, bucketMs: r.pick([minute, 7_777_777, day]) }
            const timeline = yield* logs.timeline({ project: project(name), query, ...window })
            const inside = mine
              .flatMap((batch) => batch.events)
              .filter((one) => Query.matches(query, one) && one.time >= window.from && one.time < window.to)
            const counts = new Map<number, number>()
            const bucket = (one: LogEvent) => Math.floor((one.time - window.from) / window.bucketMs)
            const reach = 10_000 * window.bucketMs
            for (const one of inside.filter(({ time }) => time < window.from + reach)) {
              counts.set(bucket(one), (counts.get(bucket(one)) ?? 0) + 1)
            }
            assert.deepStrictEqual(
              timeline.buckets.flatMap(({ total }, index) => (total > 0 ? [[index, total]] : [])),
              [...counts].sort(([a], [b]) => a - b),
              explained
            )
            assert.isTrue(timeline.complete)
          }
        }
      }),
    120_000
  )

  it.effect(
    "a search that is late gives what it is sure of, and its cursor goes on without a gap or a double",
    () =>
      Effect.gen(function* () {
        const logs = yield* Logs
        const r = random(21)
        const calls = scattered(r, ["late"], 60)
        const firstIds = new Map<string, number>()
        for (const call of calls) for (const [id, n] of (yield* logs.append(call)).firstIds) firstIds.set(id, n)
        // Blocks of their own, so that there are many groups.
        const big = Array.from({ length: 6 }, (_, n): LogBatch => {
          const at = noon - n * 50 * minute
          const events = Array.from({ length: 1_500 }, (__, i) => event({ time: at + i, message: `big ${n} ${i}` }))
          return { id: `late-big-${n}`, project: project("late"), observedAt: noon + n, events }
        })
        for (const batch of big) for (const [id, n] of (yield* logs.append([batch])).firstIds) firstIds.set(id, n)
        const want = storedOf([...calls.flat(), ...big], firstIds)
        const ids = want.map(({ id }) => String(id))
        const { found, seen } = yield* pages({ project: project("late"), limit: 5_000 }).pipe(hurried())
        assert.deepStrictEqual(found, ids)
        const partial = seen.filter((page) => !page.complete)
        assert.isAbove(partial.length, 0)
        assert.isTrue(partial.every((page) => page.scannedTo !== null && page.next !== null))
        const oldest = yield* pages({ project: project("late"), limit: 5_000, order: "oldest" }).pipe(hurried())
        assert.deepStrictEqual(oldest.found, ids.toReversed())
      }),
    60_000
  )

  it.effect("lines are found though the table was rewritten in another order", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const database = yield* Database
      const id = project("moved")
      const events = Array.from({ length: 3_000 }, (_, n) =>
        event({ message: `moved ${(n * 7919) % 3_000} ${"x".repeat(n % 90)}`, time: noon + n })
      )
      const observedAt = noon + 20 * day
      yield* logs.append([{ id: "moved", project: id, observedAt, events }])
      const count = () =>
        Effect.map(pages({ project: id, query: parsed("moved"), limit: 1_000 }), (p) => p.found.length)
      assert.strictEqual(yield* count(), 3_000)
      yield* database.query("test", (sql) => sql`create index moved_by_message on logs_20260321 (message)`)
      yield* database.query("test", (sql) => sql`cluster logs_20260321 using moved_by_message`)
      assert.strictEqual(yield* count(), 3_000)
      assert.strictEqual(
        yield* logs.count({
          project: id,
          query: parsed("moved"),
          observedFrom: observedAt,
          observedTo: observedAt + 1
        }),
        3_000
      )
      assert.strictEqual((yield* logs.recent(id, 10)).length, 10)
    })
  )

  it.effect("blocks and counts go with their day", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const id = project("gone")
      const batch = (n: number): LogBatch => ({
        id: `gone-${n}`,
        project: id,
        observedAt: noon - (40 - n) * day,
        events: [event({ time: noon - 41 * day, message: `gone ${n}` })]
      })
      yield* logs.append([batch(0), batch(1)])
      yield* logs.dropBefore(noon - 39 * day)
      const window = { from: noon - 42 * day, to: noon, bucketMs: 2 * minute * 60 }
      const timeline = yield* logs.timeline({ project: id, ...window })
      assert.strictEqual(
        timeline.buckets.reduce((sum, { total }) => sum + total, 0),
        1
      )
      const database = yield* Database
      const [left] = yield* database.query(
        "test",
        (sql) => sql<Array<{ n: string }>>`select count(*) as n from blocks where project = ${id}`
      )
      assert.strictEqual(left?.n, "1")
    })
  )

  it.effect("knows fields with their types, and the values of one", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const id = project("fields")
      const events = Array.from({ length: 30 }, (_, n) =>
        event({
          service: n % 3 === 0 ? "web" : "api",
          attributes: {
            "http.status": n % 5 === 0 ? 500 : 200,
            user: { id: n % 2 === 0 ? `u${n}` : n, "50%": true },
            tags: [{ deep: 1 }]
          }
        })
      )
      yield* logs.append([{ id: "fields", project: id, observedAt: noon, events }])
      assert.deepStrictEqual(yield* logs.fields(id, "", 100), [
        { name: "http.status", types: ["number"], example: "500" },
        { name: "tags", types: ["array"], example: "" },
        { name: "user", types: ["object"], example: "" },
        { name: "user.50%", types: ["boolean"], example: "true" },
        { name: "user.id", types: ["string", "number"], example: "u0" }
      ])
      assert.deepStrictEqual(
        (yield* logs.fields(id, "USER.5", 100)).map(({ name }) => name),
        ["user.50%"]
      )
      const values = yield* logs.values({ project: id, field: "http.status", limit: 10 })
      assert.deepStrictEqual(values.values, [
        { value: "200", lines: 24 },
        { value: "500", lines: 6 }
      ])
      const services = yield* logs.values({ project: id, field: "service", prefix: "W", limit: 10 })
      assert.deepStrictEqual(services.values, [{ value: "web", lines: 10 }])
      assert.deepStrictEqual((yield* logs.values({ project: id, field: "nowhere", limit: 10 })).values, [])
    })
  )

  it.effect("shows the lines around a line, of the same service, host or trace", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const id = project("around")
      const firstIds: Array<number> = []
      for (let call = 0; call < 30; call++) {
        const done = yield* logs.append([
          {
            id: `around-${call}`,
            project: id,
            observedAt: noon + call,
            events: [0, 1, 2].map((n) =>
              event({
                service: n === 0 ? "api" : "web",
                message: `${call}.${n}`,
                attributes: { host: { name: `h${call % 2}` } }
              })
            )
          },
          { id: `other-${call}`, project: project("other"), observedAt: noon, events: [event({ message: "other" })] }
        ])
        firstIds.push(done.firstIds.get(`around-${call}`)!)
      }
      const around = (same: ReadonlyArray<"service" | "host">, before = 3, after = 2) =>
        Effect.map(logs.context({ project: id, id: String(firstIds[15]!), before, after, same }), (found) =>
          found === undefined
            ? undefined
            : [found.before.map((one) => one.message), found.line.message, found.after.map((one) => one.message)]
        )
      assert.deepStrictEqual(yield* around([]), [["14.0", "14.1", "14.2"], "15.0", ["15.1", "15.2"]])
      assert.deepStrictEqual(yield* around(["service"]), [["12.0", "13.0", "14.0"], "15.0", ["16.0", "17.0"]])
      assert.deepStrictEqual(yield* around(["service", "host"], 2), [["11.0", "13.0"], "15.0", ["17.0", "19.0"]])
      assert.deepStrictEqual(
        (yield* around(["service"], 100, 100))?.map((part) => part.length),
        [15, 4, 14]
      )
      assert.isUndefined(yield* logs.context({ project: id, id: "999999999", before: 1, after: 1, same: [] }))
    })
  )
})

describe("a database from before the blocks", () => {
  plain.effect("finds its lines after the migration, and counts them", () => {
    const { layer: database } = emptyDatabase()
    return Effect.gen(function* () {
      yield* Migrations.migrate(migrations.slice(0, 1))
      const store = yield* Database
      yield* store.query("test", async (sql) => {
        await sql`create table logs_20260301 partition of logs for values from ('2026-03-01 00:00Z') to ('2026-03-02 00:00Z')`
        await sql`
          insert into logs (project, time, observed_at, seq, level, service, message, attributes)
          select case when n % 3 = 0 then 'other' else 'default' end, '2026-03-01 12:00Z'::timestamptz - n * interval '1 s',
            '2026-03-01 12:00Z', n, ${severity.error}, 'api', 'line ' || n, '{}'
          from generate_series(1, 5000) n`
        await sql`select setval('log_seq', 5000)`
      })
      yield* Migrations.migrate()
      const found = yield* Effect.gen(function* () {
        const logs = yield* Logs
        yield* logs.append([
          { id: "new", project: project("default"), observedAt: noon, events: [event({ message: "line 0" })] }
        ])
        const all = yield* pages({ project: project("default"), query: parsed("line"), limit: 1_000 })
        const one = yield* pages({ project: project("default"), query: parsed('"line 4999"'), limit: 10 })
        const window = { from: noon - day, to: noon + minute, bucketMs: minute }
        const timeline = yield* logs.timeline({ project: project("default"), query: parsed("level:error"), ...window })
        const total = timeline.buckets.reduce((sum, bucket) => sum + bucket.total, 0)
        return [all.found.length, new Set(all.found).size, one.found, total]
      }).pipe(Effect.provide(Layer.fresh(Logs.layer)))
      assert.deepStrictEqual(found, [3335, 3335, ["4999"], 3334])
    }).pipe(Effect.provide(database))
  })
})

describe("signatures", () => {
  plain("never deny a stretch of what they hold, at any size", () => {
    const r = random(5)
    for (const size of [1, 10, 300]) {
      const builder = new SignatureBuilder()
      const messages = Array.from({ length: size }, () => `${oddEvent(r).message} ${r.int(1e9)} İSTANBUL ΟΔΟΣ`)
      for (const message of messages) builder.addMessage(message)
      const bits = builder.take()
      for (const message of messages) {
        for (const place of gramHashes(canonical(message)).flatMap(gramPlaces)) {
          const at = place % (bits.length * 8)
          assert.strictEqual((bits[at >> 3]! >> (at & 7)) & 1, 1)
        }
      }
      assert.strictEqual(builder.set, 0)
    }
  })

  plain("are small for a few lines", () => {
    const builder = new SignatureBuilder()
    builder.addMessage("connection reset by peer")
    assert.isAtMost(builder.take().length, 60)
  })
})
