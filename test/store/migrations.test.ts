import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Database } from "../../src/store/Database.ts"
import { checksum, migrate, type Migration } from "../../src/store/Migrations.ts"
import { migrations } from "../../src/store/migrations/all.ts"
import { emptyDatabase } from "../support/postgres.ts"

const step = (id: number, sql: string): Migration => ({ id, name: `step_${id}`, sql })

describe("migrations", () => {
  it.effect("are numbered without gaps", () =>
    Effect.sync(() =>
      assert.deepStrictEqual(
        migrations.map((migration) => migration.id),
        migrations.map((_, index) => index + 1)
      )
    )
  )

  it.effect("four processes at once: each migration runs once", () => {
    const { config, layer } = emptyDatabase()
    return Effect.gen(function* () {
      // A layer of its own each: as many pools as there would be processes.
      const boot = migrate().pipe(Effect.provide(Layer.fresh(Database.layer(config))))
      const ran = yield* Effect.all([boot, boot, boot, boot], { concurrency: "unbounded" })
      assert.deepStrictEqual(ran.flat().toSorted(), migrations.map((migration) => migration.name).toSorted())
      const database = yield* Database
      const rows = yield* database.query(
        "test",
        (sql) => sql<Array<{ id: string }>>`select id from projects order by id`
      )
      assert.deepStrictEqual(
        rows.map((row) => row.id),
        ["default", "loglytics"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("a migration that fails leaves nothing of itself, and those before it stay", () =>
    Effect.gen(function* () {
      const broken = [step(1, "create table a (n integer)"), step(2, "create table b (n integer); select 1 / 0")]
      const error = yield* Effect.flip(migrate(broken))
      assert.strictEqual(error._tag, "StoreError")
      assert.include(error.message, "division by zero")
      assert.deepStrictEqual(yield* migrate([broken[0]!, step(2, "create table b (n integer)")]), ["step_2"])
    }).pipe(Effect.provide(emptyDatabase().layer))
  )

  it.effect("a migration that was changed after it ran is refused, saying what was expected and got", () =>
    Effect.gen(function* () {
      yield* migrate([step(1, "create table a (n integer)")])
      const changed = step(1, "create table a (n bigint)")
      const error = yield* Effect.flip(migrate([changed]))
      assert.strictEqual(error._tag, "MigrationMismatch")
      assert.include(error.message, `expected checksum ${checksum(changed)}`)
    }).pipe(Effect.provide(emptyDatabase().layer))
  )

  it.effect("a schema name that would need quoting is refused", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Effect.provide(Database, Database.layer({ ...emptyDatabase().config, schema: 'x"; drop' }))
      )
      assert.include(error.message, "expected a schema name")
      assert.isFalse(error.retryable)
    })
  )
})
