/** A schema of its own for each test file, dropped when its layer closes. The server comes from DATABASE_URL. */
import { randomBytes } from "node:crypto"
import { Effect, Layer, Redacted } from "effect"
import { Database, type DatabaseConfig } from "../../src/store/Database.ts"
import * as Store from "../../src/store/Store.ts"

/** The server of this run. */
export const databaseUrl = (): Redacted.Redacted => {
  const url = process.env["DATABASE_URL"]
  if (url === undefined || url === "") throw new Error("expected DATABASE_URL in the environment, got nothing")
  return Redacted.make(url)
}

export const randomSchema = (): string => `test_${randomBytes(8).toString("hex")}`

/** Drops the schema when the scope closes, after whatever was built upon this layer. */
const dropAtEnd = (config: DatabaseConfig) =>
  Layer.effectDiscard(
    Effect.acquireRelease(Effect.void, () =>
      Effect.flatMap(Database, (database) =>
        database.query("test.drop", (sql) => sql`drop schema if exists ${sql(database.schema)} cascade`)
      ).pipe(Effect.provide(Database.layer(config)), Effect.orDie)
    )
  )

const configOf = (options: Partial<DatabaseConfig>): DatabaseConfig => ({
  url: databaseUrl(),
  schema: randomSchema(),
  maxConnections: 6,
  ...options
})

/** The whole store in a fresh schema: `layer(storeLayer())("…", (it) => …)`. */
export const storeLayer = ({ secretKeys = [], ...options }: Partial<Store.StoreConfig> = {}) => {
  const config = configOf(options)
  return Store.layer({ ...config, secretKeys }).pipe(Layer.provideMerge(dropAtEnd(config)))
}

/** Only the database, with nothing in it, and its config, to build more upon. */
export const emptyDatabase = (options: Partial<DatabaseConfig> = {}) => {
  const config = configOf(options)
  return { config, layer: Database.layer(config).pipe(Layer.provideMerge(dropAtEnd(config))) }
}
