/** Retention: each project keeps its lines as long as it says, counted in days of arrival. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { readdirSync } from "node:fs"
import { ProjectId } from "../../src/domain/Ids.ts"
import { defaultProject } from "../../src/domain/Project.ts"
import { Engine } from "../../src/jobs/Engine.ts"
import { table } from "../../src/schedules/table.ts"
import { Blobs } from "../../src/store/Blobs.ts"
import { Database } from "../../src/store/Database.ts"
import { LogFiles } from "../../src/store/LogFiles.ts"
import { Logs } from "../../src/store/Logs.ts"
import { Projects } from "../../src/store/Projects.ts"
import { ProjectSettings } from "../../src/store/ProjectSettings.ts"
import { CleanupOldLogs, CleanupOldLogsLive, planOf } from "../../src/tasks/logs/cleanup_old_logs.ts"
import { TestEngine } from "../../src/testing.ts"
import { freshFolder } from "../support/folder.ts"
import { storeLayer } from "../support/postgres.ts"

const dayMs = 86_400_000
const now = Date.UTC(2026, 10, 24, 2)
const short = ProjectId.make("short")
const live = (folder = freshFolder()) =>
  CleanupOldLogsLive.pipe(
    Layer.provideMerge(Layer.mergeAll(Layer.fresh(TestEngine.layer), storeLayer(), Blobs.layer(folder)))
  )

/** One line of each project on each of these days before now. */
const fill = Effect.fnUntraced(function* (days: ReadonlyArray<number>) {
  const logs = yield* Logs
  for (const project of [defaultProject, short]) {
    for (const ago of days) {
      const event = { time: now, level: "info" as const, service: "", message: `${ago} days`, attributes: {} }
      yield* logs.append([{ id: `${project}.${ago}`, project, observedAt: now - ago * dayMs, events: [event] }])
    }
  }
})

/** Days ago of what is stored, by project; also that the tables beside the lines agree. */
const left = Effect.gen(function* () {
  const database = yield* Database
  const rows = yield* database.query(
    "test",
    (sql) => sql<Array<{ project: string; message: string }>>`select project, message from logs order by observed_at`
  )
  for (const kept of ["batches", "blocks"]) {
    const [counted] = yield* database.query(
      "test",
      (sql) => sql<Array<{ count: number }>>`select count(*)::int from ${sql(kept)}`
    )
    assert.strictEqual(counted?.count, rows.length, kept)
  }
  const of = (project: string) => rows.filter((row) => row.project === project).map(({ message }) => message)
  return { default: of(defaultProject), short: of(short) }
})

const clean = (payload: { readonly olderThanDays?: number }) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const id = yield* CleanupOldLogs.enqueue(payload)
    yield* (yield* TestEngine).drain
    return yield* engine.await(id)
  })

describe("cleanup_old_logs", () => {
  it.effect(
    "drops days that nobody keeps, and deletes what shorter-lived projects have in others",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(now)
        yield* (yield* Projects).create({ id: short, name: "Short" })
        yield* (yield* ProjectSettings).change(short, { retentionDays: 2 })
        yield* fill([40, 31, 30, 3, 2, 0])
        const { days, lines } = (yield* clean({})) as { readonly days: ReadonlyArray<string>; readonly lines: unknown }
        assert.includeMembers([...days], ["2026-10-15", "2026-10-24"])
        assert.notInclude(days, "2026-10-25")
        assert.deepStrictEqual(lines, { short: 2 })
        assert.deepStrictEqual(yield* left, {
          default: ["30 days", "3 days", "2 days", "0 days"],
          short: ["2 days", "0 days"]
        })
        // Nothing is left to do.
        assert.deepStrictEqual(yield* clean({}), { days: [], lines: {}, files: 0 })
      }).pipe(Effect.provide(live())),
    60_000
  )

  it.effect(
    "removes uploaded files as old as lines that go",
    () => {
      const folder = freshFolder()
      return Effect.gen(function* () {
        const files = yield* LogFiles
        const blobs = yield* Blobs
        yield* (yield* Projects).create({ id: short, name: "Short" })
        yield* (yield* ProjectSettings).change(short, { retentionDays: 2 })
        const body = async function* () {
          yield Buffer.from("x")
        }
        for (const project of [defaultProject, short]) {
          for (const ago of [31, 3, 1]) {
            yield* TestClock.setTime(now - ago * dayMs)
            const { id } = yield* files.create({ project, name: `${ago} days`, bytes: 1 })
            yield* blobs.write(id, body(), 10)
          }
        }
        yield* TestClock.setTime(now)
        assert.deepInclude(yield* clean({}), { files: 3 })
        const names = (project: ProjectId) =>
          Effect.map(files.list(project, 10), (list) => list.map(({ name }) => name))
        assert.deepStrictEqual(yield* names(defaultProject), ["1 days", "3 days"])
        assert.deepStrictEqual(yield* names(short), ["1 days"])
        assert.lengthOf(readdirSync(folder), 3)
      }).pipe(Effect.provide(live(folder)))
    },
    60_000
  )

  it.effect(
    "keeps no project's lines longer than it is told",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(now)
        yield* (yield* Projects).create({ id: short, name: "Short" })
        yield* (yield* ProjectSettings).change(short, { retentionDays: 365 })
        yield* fill([20, 5, 0])
        yield* clean({ olderThanDays: 10 })
        assert.deepStrictEqual(yield* left, { default: ["5 days", "0 days"], short: ["5 days", "0 days"] })
      }).pipe(Effect.provide(live())),
    60_000
  )

  it("plans by the longest", () => {
    const days = new Map([
      [defaultProject, 30],
      [short, 2]
    ])
    assert.deepStrictEqual(planOf(now, days), {
      dropBefore: now - 30 * dayMs,
      shorter: [[short, now - 2 * dayMs]]
    })
    assert.deepStrictEqual(planOf(now, new Map()), { dropBefore: now - 30 * dayMs, shorter: [] })
  })

  it("runs daily at 2:00", () => {
    assert.include(JSON.stringify(table.find(({ name }) => name === "cleanup_old_logs")), "0 2 * * *")
  })
})
