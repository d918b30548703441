/**
 * Brings the schema to what this version of the code expects. Promises that each migration runs once, in order, in a
 * transaction of its own, also when several processes boot at the same moment; and that a migration that was changed
 * after it ran is refused. What the tables are is left to `migrations/`.
 */
import { createHash } from "node:crypto"
import { Data, Effect, Layer } from "effect"
import { Database, type StoreError, type Transaction } from "./Database.ts"
import { migrations } from "./migrations/all.ts"

export interface Migration {
  /** 1, 2, 3, … without gaps; also the first four digits of the file's name. */
  readonly id: number
  readonly name: string
  readonly sql: string
}

/** The database was made by other migrations than these. */
export class MigrationMismatch extends Data.TaggedError("MigrationMismatch")<{
  readonly id: number
  readonly name: string
  readonly expected: string
  readonly got: string
}> {
  override get message(): string {
    return `Migration ${this.id} (${this.name}) was changed after it ran: expected checksum ${this.expected}, got ${this.got}`
  }
}

export const checksum = (migration: Migration): string =>
  createHash("sha256").update(migration.sql).digest("hex").slice(0, 16)

const apply = async (sql: Transaction, schema: string, migration: Migration): Promise<string | undefined> => {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`loglytics migrations ${schema}`}, 0))`
  await sql`create schema if not exists ${sql(schema)}`
  await sql`create table if not exists migrations (
    id integer primary key,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now()
  )`
  const [done] = await sql<Array<{ checksum: string }>>`select checksum from migrations where id = ${migration.id}`
  if (done !== undefined) return done.checksum
  await sql.unsafe(migration.sql)
  await sql`insert into migrations (id, name, checksum) values (${migration.id}, ${migration.name}, ${checksum(migration)})`
  return undefined
}

/** Runs what has not run yet; answers the names of those that ran now. */
export const migrate = (
  list: ReadonlyArray<Migration> = migrations
): Effect.Effect<ReadonlyArray<string>, StoreError | MigrationMismatch, Database> =>
  Effect.gen(function* () {
    const database = yield* Database
    const ran: Array<string> = []
    for (const migration of list) {
      const found = yield* database.tx("migrate", (sql) => apply(sql, database.schema, migration))
      if (found === undefined) ran.push(migration.name)
      else if (found !== checksum(migration)) {
        const { id, name } = migration
        return yield* new MigrationMismatch({ id, name, expected: checksum(migration), got: found })
      }
    }
    return ran
  })

/** Migrates when the application starts; services of the store are built after it. */
export const layer = Layer.effectDiscard(migrate())
