/** Places that logs are fetched from, and how far each was read. Fetching is left to ingest. */
import { Clock, Context, Effect, Layer } from "effect"
import type { Connection } from "../domain/Connection.ts"
import { ConnectionId, type ProjectId } from "../domain/Ids.ts"
import { Database, type StoreError } from "./Database.ts"
import { freshId, isoOrNull } from "./ids.ts"

export class Connections extends Context.Service<
  Connections,
  {
    readonly create: (
      connection: Pick<Connection, "project" | "name" | "kind" | "config">
    ) => Effect.Effect<Connection, StoreError>
    readonly get: (id: ConnectionId) => Effect.Effect<Connection | undefined, StoreError>
    /** Of one project, oldest first. */
    readonly list: (project: ProjectId) => Effect.Effect<ReadonlyArray<Connection>, StoreError>
    /** All that are to be polled. */
    readonly active: Effect.Effect<ReadonlyArray<Connection>, StoreError>
    /** A poll went well: goes on at `cursor` (null: as before), and the last error is cleared. */
    readonly saveCursor: (id: ConnectionId, cursor: string | null) => Effect.Effect<void, StoreError>
    /** A poll failed; the cursor stays. */
    readonly saveError: (id: ConnectionId, error: string) => Effect.Effect<void, StoreError>
    readonly setActive: (id: ConnectionId, active: boolean) => Effect.Effect<void, StoreError>
  }
>()("loglytics/store/Connections") {
  static readonly layer = Layer.effect(Connections, Effect.map(Database, make))
}

interface Row {
  readonly id: ConnectionId
  readonly project: ProjectId
  readonly name: string
  readonly kind: Connection["kind"]
  readonly config: Connection["config"]
  readonly cursor: string | null
  readonly active: boolean
  readonly last_polled_at: Date | null
  readonly last_error: string | null
  readonly created_at: Date
}
const fromRow = (row: Row): Connection => ({
  id: row.id,
  project: row.project,
  name: row.name,
  kind: row.kind,
  config: row.config,
  cursor: row.cursor,
  active: row.active,
  lastPolledAt: isoOrNull(row.last_polled_at),
  lastError: row.last_error,
  createdAt: row.created_at.toISOString()
})
const fromRows = (rows: ReadonlyArray<Row>): ReadonlyArray<Connection> => rows.map(fromRow)
const nowIso = Effect.map(Clock.currentTimeMillis, (now) => new Date(now).toISOString())

function make(database: Database["Service"]): Connections["Service"] {
  const create: Connections["Service"]["create"] = Effect.fnUntraced(function* (wanted) {
    const id = ConnectionId.make(yield* freshId("conn"))
    const now = yield* nowIso
    const rows = yield* database.query(
      "connections.create",
      (sql) => sql<Array<Row>>`
        insert into connections (id, project, name, kind, config, created_at)
        values (${id}, ${wanted.project}, ${wanted.name}, ${wanted.kind}, ${JSON.stringify(wanted.config)}::text::jsonb,
          ${now}::text::timestamptz) returning *`
    )
    return fromRow(rows[0]!)
  })

  return Connections.of({
    create,
    get: (id) =>
      database
        .query("connections.get", (sql) => sql<Array<Row>>`select * from connections where id = ${id}`)
        .pipe(Effect.map((rows) => rows[0] && fromRow(rows[0]))),
    list: (project) =>
      database
        .query(
          "connections.list",
          (sql) => sql<Array<Row>>`select * from connections where project = ${project} order by created_at, id`
        )
        .pipe(Effect.map(fromRows)),
    active: database
      .query(
        "connections.active",
        (sql) => sql<Array<Row>>`select * from connections where active order by created_at, id`
      )
      .pipe(Effect.map(fromRows)),
    saveCursor: Effect.fnUntraced(function* (id, cursor) {
      const now = yield* nowIso
      yield* database.query(
        "connections.cursor",
        (sql) => sql`
          update connections set cursor = coalesce(${cursor}, cursor), last_error = null,
            last_polled_at = ${now}::text::timestamptz where id = ${id}`
      )
    }),
    saveError: Effect.fnUntraced(function* (id, error) {
      const now = yield* nowIso
      yield* database.query(
        "connections.error",
        (sql) => sql`
          update connections set last_error = ${error}, last_polled_at = ${now}::text::timestamptz where id = ${id}`
      )
    }),
    setActive: (id, active) =>
      database
        .query("connections.active", (sql) => sql`update connections set active = ${active} where id = ${id}`)
        .pipe(Effect.asVoid)
  })
}
