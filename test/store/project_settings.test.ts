import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ProjectId } from "../../src/domain/Ids.ts"
import { defaultProject, ownProject } from "../../src/domain/Project.ts"
import { defaultSettings } from "../../src/domain/ProjectSettings.ts"
import { Database } from "../../src/store/Database.ts"
import { ProjectSettings } from "../../src/store/ProjectSettings.ts"
import { Projects } from "../../src/store/Projects.ts"
import { storeLayer } from "../support/postgres.ts"

layer(storeLayer())("project settings", (it) => {
  it.effect("are the defaults until something is said; a change is merged and counted", () =>
    Effect.gen(function* () {
      const settings = yield* ProjectSettings
      assert.deepStrictEqual(yield* settings.get(defaultProject), { version: 0, settings: defaultSettings })
      const first = yield* settings.change(defaultProject, { retentionDays: 7 })
      assert.deepStrictEqual(first, { version: 1, settings: { ...defaultSettings, retentionDays: 7 } })
      yield* settings.change(defaultProject, { redaction: { builtIn: { email: false } } })
      const rule = { name: "a", pattern: "b", replacement: "c" }
      yield* settings.change(defaultProject, { redaction: { builtIn: { card: false }, custom: [rule] } })
      assert.deepStrictEqual(yield* settings.get(defaultProject), {
        version: 3,
        settings: {
          retentionDays: 7,
          redaction: { builtIn: { email: false, card: false }, custom: [rule] },
          formats: []
        }
      })
      assert.deepStrictEqual(yield* settings.get(ownProject), { version: 0, settings: defaultSettings })
    })
  )

  it.effect("twenty changes at once are all kept", () =>
    Effect.gen(function* () {
      const settings = yield* ProjectSettings
      const { id } = yield* (yield* Projects).create({ name: "busy" })
      const formats = (n: number) => ({ formats: [{ name: `f${n}` }] })
      const changes = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? formats(n) : { retentionDays: 100 + n }))
      yield* Effect.forEach(changes, (change) => settings.change(id, change), { concurrency: "unbounded" })
      const { settings: last, version } = yield* settings.get(id)
      assert.strictEqual(version, 20)
      assert.lengthOf(last.formats, 1)
      assert.isAbove(last.retentionDays, 100)
    })
  )

  it.effect("tell the retention of every project", () =>
    Effect.gen(function* () {
      const settings = yield* ProjectSettings
      const { id } = yield* (yield* Projects).create({ name: "short" })
      yield* settings.change(id, { retentionDays: 2 })
      const retention = yield* settings.retention
      assert.strictEqual(retention.get(id), 2)
      assert.strictEqual(retention.get(ownProject), 30)
    })
  )

  it.effect("that an older version wrote are read as far as they are known", () =>
    Effect.gen(function* () {
      const settings = yield* ProjectSettings
      const { id } = yield* (yield* Projects).create({ name: "old" })
      const kept = JSON.stringify({ retentionDays: 9, redaction: { builtIn: { gone_rule: 3 } } })
      const database = yield* Database
      yield* database.query(
        "test",
        (sql) => sql`insert into project_settings (project, settings) values (${id}, ${kept}::text::jsonb)`
      )
      assert.deepStrictEqual((yield* settings.get(id)).settings, { ...defaultSettings, retentionDays: 9 })
    })
  )

  it.effect("of a project that does not exist can't be changed", () =>
    Effect.gen(function* () {
      const settings = yield* ProjectSettings
      const error = yield* Effect.flip(settings.change(ProjectId.make("nobody"), { retentionDays: 1 }))
      assert.strictEqual(error.code, "23503")
    })
  )
})
