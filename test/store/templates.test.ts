import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { LogEvent } from "../../src/domain/LogEvent.ts"
import { ProjectId } from "../../src/domain/Ids.ts"
import { type LogBatch, Logs } from "../../src/store/Logs.ts"
import { type KeptTemplate, Templates } from "../../src/store/Templates.ts"
import { storeLayer } from "../support/postgres.ts"
import { event, noon } from "./events.ts"

const hour = 3_600_000
const day = 24 * hour
const template = (id: number, change: Partial<KeptTemplate> = {}): KeptTemplate => ({
  id,
  text: `text ${id} <*>`,
  shape: `{"id":${id}}`,
  sample: `sample ${id}`,
  ...change
})
const lines = (id: number, count: number, level: LogEvent["level"] = "info"): ReadonlyArray<LogEvent> =>
  Array.from({ length: count }, () => event({ template: id, level }))
const batch = (id: string, project: ProjectId, observedAt: number, events: ReadonlyArray<LogEvent>): LogBatch => ({
  id,
  project,
  observedAt,
  events: events.map((one) => ({ ...one, time: observedAt }))
})

layer(storeLayer())("templates", (it) => {
  it.effect("are kept, changed and read by use, with ids to the end of the safe integers", () =>
    Effect.gen(function* () {
      const templates = yield* Templates
      const project = ProjectId.make("kept")
      const big = template(Number.MAX_SAFE_INTEGER, { sample: "a\0b\ud800" })
      yield* templates.save(project, [template(1), big], noon)
      yield* templates.save(project, [template(1, { text: "other", shape: "{}" })], noon + hour)
      yield* templates.save(ProjectId.make("elsewhere"), [template(2)], noon)
      const { templates: read } = yield* templates.load(project, { max: 10, since: noon - day })
      assert.deepStrictEqual(
        read.toSorted((a, b) => a.id - b.id),
        [
          { ...template(1, { text: "other", shape: "{}" }), alias: undefined },
          { ...big, sample: "ab\ufffd", alias: undefined }
        ]
      )
      assert.strictEqual((yield* templates.load(project, { max: 1, since: noon - day })).templates.length, 1)
      assert.deepStrictEqual((yield* templates.load(project, { max: 10, since: noon + day })).templates, [])
    })
  )

  it.effect("that were taken in resolve to one, never in a ring", () =>
    Effect.gen(function* () {
      const templates = yield* Templates
      const project = ProjectId.make("aliases")
      yield* templates.save(project, [template(1), template(2, { alias: 1 }), template(3)], noon)
      // 1 goes into 3, so 2 does too; 3 into 2 would be a ring.
      yield* templates.save(project, [template(1, { alias: 3 })], noon)
      yield* templates.save(project, [template(3, { alias: 2 })], noon)
      for (const id of ["1", "2", "3"]) assert.deepStrictEqual(yield* templates.family(project, id), ["1", "2", "3"])
      assert.deepStrictEqual(
        (yield* templates.load(project, { max: 10, since: 0 })).templates.map(({ id }) => id),
        [3]
      )
      const { templates: all } = yield* templates.changedSince(project, "-infinity")
      assert.deepStrictEqual(
        new Map(all.map(({ alias, id }) => [id, alias])),
        new Map([
          [1, 3],
          [2, 3],
          [3, undefined]
        ])
      )
    })
  )

  it.effect("are told to those who ask what changed", () =>
    Effect.gen(function* () {
      const templates = yield* Templates
      const project = ProjectId.make("changes")
      const { cursor } = yield* templates.load(project, { max: 10, since: 0 })
      yield* templates.save(project, [template(1)], noon)
      const first = yield* templates.changedSince(project, cursor)
      assert.deepStrictEqual(
        first.templates.map(({ id }) => id),
        [1]
      )
      yield* templates.save(project, [template(2)], noon)
      const ids = (yield* templates.changedSince(project, first.cursor)).templates.map(({ id }) => id)
      assert.include(ids, 2)
    })
  )

  it.effect("count their lines once, however often a batch comes, and tell window, trend and levels", () =>
    Effect.gen(function* () {
      const templates = yield* Templates
      const logs = yield* Logs
      const project = ProjectId.make("counts")
      yield* templates.save(project, [template(1), template(2, { alias: 1 }), template(3), template(4)], noon)
      const now = batch("counts-now", project, noon, [...lines(1, 3), ...lines(2, 2, "error"), ...lines(3, 4, "warn")])
      const before = batch("counts-before", project, noon - 3 * hour, [...lines(1, 1), event()])
      yield* logs.append([now, before])
      yield* logs.append([before, now])
      const window = { project, from: noon - hour, to: noon + hour }
      const found = yield* templates.patterns({ ...window, sort: "count", limit: 10 })
      assert.deepStrictEqual(
        found.map(({ count, id, levels, share, sparkline, trend }) => ({ id, count, share, trend, sparkline, levels })),
        [
          {
            id: "1",
            count: 5,
            share: 0.5556,
            trend: { before: 1, ratio: 5 },
            sparkline: [0, 5],
            levels: { warnings: 0, errors: 2 }
          },
          {
            id: "3",
            count: 4,
            share: 0.4444,
            trend: { before: 0, ratio: null },
            sparkline: [0, 4],
            levels: { warnings: 4, errors: 0 }
          }
        ]
      )
      const ids = (sort: "new" | "trend", text = "") =>
        Effect.map(templates.patterns({ ...window, sort, limit: 10, text }), (list) => list.map(({ id }) => id))
      assert.deepStrictEqual(yield* ids("trend"), ["3", "1"])
      assert.deepStrictEqual(yield* ids("new", "TEXT 3"), ["3"])
      assert.deepStrictEqual(yield* ids("new", "%"), [])
      assert.strictEqual((yield* templates.pattern(project, "2", window))?.count, 5)
      assert.strictEqual((yield* templates.pattern(project, "4", window))?.count, 0)
      assert.isUndefined(yield* templates.pattern(project, "5", window))
    })
  )

  it.effect("count lines in the hour of their own time, and of their arrival where that can't be", () =>
    Effect.gen(function* () {
      const templates = yield* Templates
      const logs = yield* Logs
      const project = ProjectId.make("own-time")
      yield* templates.save(project, [{ ...template(1), firstSeen: noon - 50 * hour }], noon)
      const times = [noon - 50 * hour, noon - 2 * hour, noon - 91 * day, noon + 25 * hour, noon + 23 * hour]
      const events = times.map((time) => event({ template: 1, time }))
      yield* logs.append([{ id: "own-time", project, observedAt: noon, events }])
      const at = (from: number) =>
        Effect.map(templates.pattern(project, "1", { from, to: from + hour }), (found) => found?.count)
      assert.strictEqual(yield* at(noon - 50 * hour), 1)
      assert.strictEqual(yield* at(noon - 2 * hour), 1)
      assert.strictEqual(yield* at(noon + 23 * hour), 1)
      assert.strictEqual(yield* at(noon), 2)
      assert.strictEqual(
        (yield* templates.pattern(project, "1", { from: noon, to: noon + hour }))?.firstSeen,
        new Date(noon - 50 * hour).toISOString()
      )
      // First seen earlier, as another process tells; never later.
      yield* templates.save(project, [{ ...template(1, { text: "new" }), firstSeen: noon - 60 * hour }], noon)
      yield* templates.save(project, [{ ...template(1, { text: "newer" }), firstSeen: noon }], noon)
      assert.strictEqual(
        (yield* templates.pattern(project, "1", { from: noon, to: noon + hour }))?.firstSeen,
        new Date(noon - 60 * hour).toISOString()
      )
    })
  )

  it.effect("go when nothing was seen of them for long, but not before", () =>
    Effect.gen(function* () {
      const templates = yield* Templates
      const logs = yield* Logs
      const project = ProjectId.make("old")
      yield* templates.save(project, [template(1), template(2)], noon - 100 * day)
      yield* logs.append([
        batch("old-1", project, noon, lines(1, 1)),
        batch("old-2", project, noon - 99 * day, lines(2, 1))
      ])
      assert.strictEqual(yield* templates.refresh(project), 2)
      assert.strictEqual(yield* templates.forget(project, { before: noon - 90 * day, max: 10, now: noon }), 1)
      assert.deepStrictEqual(yield* templates.family(project, "1"), ["1"])
      assert.deepStrictEqual(yield* templates.family(project, "2"), [])
      const pattern = yield* templates.pattern(project, "1", { from: noon, to: noon + hour })
      assert.strictEqual(pattern?.lastSeen, new Date(noon).toISOString())
      // Of too many, those seen last stay, and all that were seen of late.
      yield* templates.save(project, [template(3), template(4, { alias: 3 })], noon - 3 * day)
      assert.strictEqual(yield* templates.forget(project, { before: noon - 90 * day, max: 0, now: noon }), 2)
      assert.deepStrictEqual(yield* templates.family(project, "1"), ["1"])
    })
  )
})
