import { assert, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import type { LogEvent } from "../../src/domain/LogEvent.ts"
import { ProjectId } from "../../src/domain/Ids.ts"
import { defaultProject } from "../../src/domain/Project.ts"
import { Database } from "../../src/store/Database.ts"
import { type LogBatch, Logs } from "../../src/store/Logs.ts"
import { toStored } from "../../src/store/LogRows.ts"
import { storeLayer } from "../support/postgres.ts"
import { event, noon } from "./events.ts"

const day = 86_400_000
const batch = (id: string, lines: number, change: Partial<LogBatch> = {}): LogBatch => ({
  id,
  project: defaultProject,
  observedAt: noon,
  events: Array.from({ length: lines }, (_, n) => event({ message: `${id} ${n}` })),
  ...change
})

/** Lines per message that are in the table; exactly-once means that every value is 1. */
const copies = Effect.flatMap(Database, (database) =>
  database.query(
    "test.copies",
    (sql) => sql<Array<{ message: string; n: string }>>`select message, count(*) as n from logs group by 1`
  )
).pipe(Effect.map((rows) => new Map(rows.map((row) => [row.message, Number(row.n)]))))

layer(storeLayer())("append", (it) => {
  it.effect("numbers the lines of a batch from its first id", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const project = ProjectId.make("numbers")
      const one = batch("numbers-1", 3, { project })
      const two = batch("numbers-2", 2, { project })
      const done = yield* logs.append([two, one, batch("numbers-0", 0, { project })])
      assert.strictEqual(done.stored, 5)
      assert.deepStrictEqual(done.duplicates, [])
      const page = yield* logs.search({ project, limit: 10 })
      const want = [one, two].flatMap(({ events, id, observedAt }) =>
        events.map((line, n) => toStored(project, observedAt, done.firstIds.get(id)! + n, line))
      )
      assert.deepStrictEqual(
        [...page.events].sort((a, b) => a.message.localeCompare(b.message)),
        want
      )
    })
  )

  it.effect("a batch that comes again stores nothing, be it in the same call, later or in part", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const first = yield* logs.append([batch("again-1", 2), batch("again-2", 2), batch("again-1", 2)])
      assert.deepStrictEqual([first.stored, first.duplicates], [4, ["again-1"]])
      const second = yield* logs.append([batch("again-2", 2), batch("again-3", 2)])
      assert.deepStrictEqual(
        [second.stored, second.duplicates, [...second.firstIds.keys()]],
        [2, ["again-2"], ["again-3"]]
      )
      assert.deepStrictEqual((yield* logs.append([])).stored, 0)
    })
  )

  it.effect("exactly once with many writers and the same batches in every order", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const batches = Array.from({ length: 30 }, (_, n) => batch(`race-${n}`, 20))
      const rotated = Array.from({ length: 12 }, (_, n) => {
        const turned = [...batches.slice(n * 2), ...batches.slice(0, n * 2)]
        return n % 2 === 0 ? turned : turned.toReversed()
      })
      const done = yield* Effect.forEach(rotated, logs.append, { concurrency: "unbounded" })
      assert.strictEqual(
        done.reduce((sum, one) => sum + one.stored, 0),
        600
      )
      const found = [...(yield* copies)].filter(([message]) => message.startsWith("race-"))
      assert.strictEqual(found.length, 600)
      assert.isTrue(found.every(([, n]) => n === 1))
    })
  )

  it.effect("odd lines are kept as well as Postgres can, and never cost the others of their batch", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const project = ProjectId.make("odd")
      const cycle: Record<string, unknown> = {}
      cycle["self"] = cycle
      let deep: unknown = "bottom"
      for (let i = 0; i < 20_000; i++) deep = { deep }
      const odd: ReadonlyArray<Partial<LogEvent>> = [
        { message: "nul \0 inside" },
        { message: "lone \ud83d surrogate" },
        { message: "attributes", attributes: { "a\0": "b\0", c: "\udc00", d: "\\u0000" } },
        { message: "cycle", attributes: cycle },
        { message: "bigint", attributes: { n: 1n } },
        { message: "undefined", attributes: { gone: undefined, nan: Number.NaN, at: new Date(0) } },
        { message: "deep", attributes: { deep } },
        { message: "array", attributes: [1] as unknown as LogEvent["attributes"] },
        { message: "no level", level: "loud" as LogEvent["level"] },
        { message: "far past", time: -1e15 },
        { message: "far future", time: 8.64e15 },
        { message: "no time", time: Number.NaN },
        { message: undefined as unknown as string, service: 7 as unknown as string },
        { message: "ids", traceId: "t\0", spanId: "\ud800" }
      ]
      const events = [event({ message: "first" }), ...odd.map(event), event({ message: "last" })]
      const done = yield* logs.append([{ id: "odd", project, observedAt: noon, events }])
      assert.strictEqual(done.stored, events.length)
      const page = yield* logs.search({ project, limit: 100 })
      const by = new Map(page.events.map((one) => [one.message, one]))
      assert.strictEqual(by.size, events.length)
      assert.isTrue(by.has("nul  inside") && by.has("lone \ufffd surrogate") && by.has(""))
      assert.deepStrictEqual(by.get("attributes")?.attributes, { a: "b", c: "\ufffd", d: "\\u0000" })
      assert.property(by.get("cycle")?.attributes, "_unreadable")
      assert.deepStrictEqual(by.get("undefined")?.attributes, { nan: null, at: "1970-01-01T00:00:00.000Z" })
      assert.deepStrictEqual(by.get("array")?.attributes, {})
      assert.strictEqual(by.get("no level")?.level, "unknown")
      for (const message of ["far past", "far future", "no time"]) {
        assert.strictEqual(by.get(message)?.time, new Date(noon).toISOString())
      }
      assert.deepStrictEqual([by.get("ids")?.traceId, by.get("ids")?.spanId], ["t", "\ufffd"])
      const stored = events.map((one, n) => toStored(project, noon, done.firstIds.get("odd")! + n, one))
      assert.deepStrictEqual(
        [...page.events].sort((a, b) => Number(a.id) - Number(b.id)),
        stored.map((one) => ({ ...one, level: one.level === ("loud" as string) ? "unknown" : one.level }))
      )
    })
  )

  it.effect("days get their tables as lines arrive, and lose them whole", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const project = ProjectId.make("days")
      const arriving = (offset: number) => batch(`days-${offset}`, 10, { project, observedAt: noon + offset * day })
      // Ten writers meet on days that have no table yet.
      yield* Effect.forEach(
        Array.from({ length: 10 }, (_, n) => arriving(100 + (n % 5) + n / 100)),
        (one) => logs.append([one]),
        {
          concurrency: "unbounded"
        }
      )
      assert.strictEqual((yield* logs.search({ project, limit: 1000 })).events.length, 100)
      const dropped = yield* logs.dropBefore(noon + 102 * day)
      assert.deepStrictEqual(dropped.slice(-2), ["2026-06-09", "2026-06-10"])
      assert.strictEqual((yield* logs.search({ project, limit: 1000 })).events.length, 60)
      assert.strictEqual((yield* logs.append([arriving(102 + 2 / 100)])).stored, 0)
      // A batch for a day that was dropped, also behind this process's back, makes the table anew.
      const database = yield* Database
      yield* database.query("test.drop", (sql) => sql`drop table logs_20260611`)
      assert.strictEqual((yield* logs.append([arriving(102.3), arriving(100.3)])).stored, 20)
    })
  )

  it.effect("an arrival that is no time is refused and not retryable", () =>
    Effect.gen(function* () {
      const logs = yield* Logs
      const error = yield* Effect.flip(logs.append([batch("when", 1, { observedAt: Number.NaN })]))
      assert.include(error.message, "expected the arrival of batch when in epoch ms, got NaN")
      assert.isFalse(error.retryable)
    })
  )
})

layer(storeLayer())("append under fire", (it) => {
  it.effect(
    "exactly once while connections are killed and writers try again",
    () =>
      Effect.gen(function* () {
        const logs = yield* Logs
        const database = yield* Database
        const kill = database
          .query(
            "test.kill",
            (sql) => sql`
            select pg_terminate_backend(pid) from pg_locks
            where relation = 'batches'::regclass and mode = 'RowExclusiveLock'`
          )
          .pipe(Effect.ignore)
        const killer = yield* Effect.forkChild(Effect.forever(Effect.andThen(kill, Effect.yieldNow)))
        let failures = 0
        const persist = (some: ReadonlyArray<LogBatch>) =>
          logs.append(some).pipe(
            Effect.tapError((error) => Effect.sync(() => assert.isTrue(error.retryable, error.message))),
            Effect.tapError(() => Effect.sync(() => failures++)),
            Effect.retry({ times: 1000 })
          )
        const calls = Array.from({ length: 60 }, (_, n) => [
          batch(`kill-${n}`, 100),
          batch(`kill-${(n + 1) % 60}`, 100)
        ])
        yield* Effect.forEach(calls, persist, { concurrency: 4, discard: true }).pipe(
          Effect.ensuring(Fiber.interrupt(killer))
        )
        const found = [...(yield* copies)].filter(([message]) => message.startsWith("kill-"))
        assert.strictEqual(found.length, 6000)
        assert.isTrue(found.every(([, n]) => n === 1))
        assert.isAbove(failures, 0, "the test killed nobody")
      }),
    60_000
  )
})
