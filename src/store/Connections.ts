/**
 * Places that logs are fetched from, and how far each was read. Promises that a page and the cursor behind it are kept in one
 * step, that of two pollers only one takes a step (the fence is `version`), and that credentials lie sealed and leave only by
 * `open` and `secretsOf`. Fetching is left to ingest, the order of the steps to tasks/live/poll_cloud_logs.
 */
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import { gunzipSync, gzipSync } from "node:zlib"
import type { Connection } from "../domain/Connection.ts"
import { ConnectionId, type ProjectId } from "../domain/Ids.ts"
import { type ConnectionRow, fromRow } from "./ConnectionRows.ts"
import { Database, type StoreError } from "./Database.ts"
import { freshId } from "./ids.ts"
import { Vault, type VaultError } from "./Vault.ts"

export type ConnectionSecrets = Redacted.Redacted<Readonly<Record<string, string>>>

/** Lines that were fetched and may not be on the stream yet; `key` names this very set of them. */
export interface KeptPage {
  readonly key: string
  readonly lines: ReadonlyArray<string>
}

/** A connection as a poller sees it. */
export interface OpenConnection {
  readonly connection: Connection
  readonly secrets: ConnectionSecrets
  readonly cursor: string | null
  /** Changes are accepted only from who has seen the newest. */
  readonly version: number
  readonly page: KeptPage | undefined
}

export interface Changes {
  readonly name?: string | undefined
  readonly config?: Connection["config"] | undefined
  /** Replaces all of them. */
  readonly secrets?: ConnectionSecrets | undefined
  readonly active?: boolean | undefined
  /** Begin anew, since another place is meant. */
  readonly restart?: boolean
}

export class Connections extends Context.Service<
  Connections,
  {
    readonly create: (
      connection: Pick<Connection, "project" | "name" | "kind" | "config"> & { readonly secrets: ConnectionSecrets }
    ) => Effect.Effect<Connection, StoreError | VaultError>
    readonly get: (id: ConnectionId) => Effect.Effect<Connection | undefined, StoreError>
    /** Of one project, oldest first. */
    readonly list: (project: ProjectId) => Effect.Effect<ReadonlyArray<Connection>, StoreError>
    /** All that are to be polled at `now`, epoch ms: neither paused nor waiting after a failure. */
    readonly due: (now: number) => Effect.Effect<ReadonlyArray<Connection>, StoreError>
    /** Undefined when there is none. */
    readonly secretsOf: (id: ConnectionId) => Effect.Effect<ConnectionSecrets | undefined, StoreError | VaultError>
    readonly open: (id: ConnectionId) => Effect.Effect<OpenConnection | undefined, StoreError | VaultError>
    /** Undefined when there is none. A change wakes it: it is polled at the next opportunity. */
    readonly change: (
      id: ConnectionId,
      changes: Changes
    ) => Effect.Effect<Connection | undefined, StoreError | VaultError>
    /** False when there was none. */
    readonly remove: (id: ConnectionId) => Effect.Effect<boolean, StoreError>
    /**
     * A poll went well: goes on at `cursor`, and the lines of its page (none: []) are kept until `settle`. Returns the page and
     * the version after it; undefined when another poller was quicker or the connection is gone: then nothing was changed.
     */
    readonly keep: (
      id: ConnectionId,
      version: number,
      polled: { readonly cursor: string; readonly lines: ReadonlyArray<string>; readonly lagMs: number }
    ) => Effect.Effect<{ readonly version: number; readonly page: KeptPage } | undefined, StoreError | VaultError>
    /** The kept page is on the stream. Harmless when it was said before. */
    readonly settle: (id: ConnectionId, key: string) => Effect.Effect<void, StoreError>
    /** A poll failed; the cursor stays, and the next poll waits until `nextPollAt`, epoch ms. */
    readonly saveError: (id: ConnectionId, error: string, nextPollAt: number) => Effect.Effect<void, StoreError>
  }
>()("loglytics/store/Connections") {
  static readonly layer = Layer.effect(
    Connections,
    Effect.gen(function* () {
      return make(yield* Database, yield* Vault)
    })
  )
}

const iso = (ms: number): string => new Date(ms).toISOString()
const nowIso = Effect.map(Clock.currentTimeMillis, iso)

/** What a sealed thing is bound to. */
const secretsFor = (id: ConnectionId) => `connection ${id} secrets`
const pageFor = (id: ConnectionId, key: string) => `connection ${id} page ${key}`

interface PageRow {
  readonly key: string
  readonly body: Buffer
  readonly sealed_by: string
}

function make(database: Database["Service"], vault: Vault["Service"]): Connections["Service"] {
  const seal = Effect.fnUntraced(function* (id: ConnectionId, secrets: ConnectionSecrets) {
    const plain = Redacted.value(secrets)
    const names = JSON.stringify(Object.keys(plain).toSorted())
    if (names === "[]") return { bytes: null, key: null, names }
    return { ...(yield* vault.seal(Buffer.from(JSON.stringify(plain)), secretsFor(id))), names }
  })

  const rowOf = (id: ConnectionId) =>
    database
      .query("connections.get", (sql) => sql<Array<ConnectionRow>>`select * from connections where id = ${id}`)
      .pipe(Effect.map((rows) => rows[0]))

  const unseal = Effect.fnUntraced(function* (row: ConnectionRow) {
    if (row.secrets === null || row.secret_key === null) return Redacted.make({}) as ConnectionSecrets
    const plain = yield* vault.open({ bytes: row.secrets, key: row.secret_key }, secretsFor(row.id))
    const secrets: ConnectionSecrets = Redacted.make(JSON.parse(plain.toString("utf8")))
    // Sealed by an earlier key: from now on by the one that is in use.
    if (row.secret_key !== vault.current && vault.current !== undefined) {
      const { bytes, key } = yield* seal(row.id, secrets)
      yield* database.query(
        "connections.reseal",
        (sql) => sql`update connections set secrets = ${bytes}, secret_key = ${key}
          where id = ${row.id} and secret_key = ${row.secret_key}`
      )
    }
    return secrets
  })

  const pageOf = Effect.fnUntraced(function* (id: ConnectionId) {
    const [row] = yield* database.query(
      "connections.page",
      (sql) => sql<Array<PageRow>>`select key, body, sealed_by from connection_pages where connection_id = ${id}`
    )
    if (row === undefined) return undefined
    const packed = yield* vault.open({ bytes: row.body, key: row.sealed_by }, pageFor(id, row.key))
    return { key: row.key, lines: JSON.parse(gunzipSync(packed).toString("utf8")) as ReadonlyArray<string> }
  })

  const keep: Connections["Service"]["keep"] = Effect.fnUntraced(function* (id, version, { cursor, lagMs, lines }) {
    const key = `poll.${id}.${version + 1}`
    const now = yield* nowIso
    const packed = lines.length === 0 ? undefined : gzipSync(JSON.stringify(lines), { level: 1 })
    const sealed = packed === undefined ? undefined : yield* vault.seal(packed, pageFor(id, key))
    const done = yield* database.tx("connections.keep", async (sql) => {
      const { count } = await sql`
        update connections set cursor = ${cursor}, version = version + 1, lines = lines + ${lines.length}, failures = 0,
          last_error = null, next_poll_at = null, lag_ms = ${lagMs}, last_polled_at = ${now}::text::timestamptz
        where id = ${id} and version = ${version}
          and not exists (select from connection_pages where connection_id = ${id})`
      if (count === 0 || sealed === undefined) return count > 0
      await sql`
        insert into connection_pages (connection_id, key, lines, body, sealed_by)
        values (${id}, ${key}, ${lines.length}, ${sealed.bytes}, ${sealed.key})`
      return true
    })
    return done ? { version: version + 1, page: { key, lines } } : undefined
  })

  const change: Connections["Service"]["change"] = Effect.fnUntraced(function* (id, changes) {
    const sealed = changes.secrets === undefined ? undefined : yield* seal(id, changes.secrets)
    const config = changes.config === undefined ? null : JSON.stringify(changes.config)
    const rows = yield* database.query(
      "connections.change",
      (sql) => sql<Array<ConnectionRow>>`
        update connections set
          name = coalesce(${changes.name ?? null}::text, name),
          config = coalesce(${config}::text::jsonb, config),
          active = coalesce(${changes.active ?? null}::boolean, active),
          secrets = case when ${sealed !== undefined} then ${sealed?.bytes ?? null}::bytea else secrets end,
          secret_key = case when ${sealed !== undefined} then ${sealed?.key ?? null}::text else secret_key end,
          secret_names = coalesce(${sealed?.names ?? null}::text::jsonb, secret_names),
          cursor = case when ${changes.restart === true} then null else cursor end,
          version = version + 1,
          next_poll_at = null
        where id = ${id} returning *`
    )
    return rows[0] && fromRow(rows[0])
  })

  return Connections.of({
    create: Effect.fnUntraced(function* (wanted) {
      const id = ConnectionId.make(yield* freshId("conn"))
      const now = yield* nowIso
      const sealed = yield* seal(id, wanted.secrets)
      const rows = yield* database.query(
        "connections.create",
        (sql) => sql<Array<ConnectionRow>>`
          insert into connections (id, project, name, kind, config, secrets, secret_key, secret_names, created_at)
          values (${id}, ${wanted.project}, ${wanted.name}, ${wanted.kind},
            ${JSON.stringify(wanted.config)}::text::jsonb, ${sealed.bytes}, ${sealed.key}, ${sealed.names}::text::jsonb,
            ${now}::text::timestamptz) returning *`
      )
      return fromRow(rows[0]!)
    }),
    get: (id) => Effect.map(rowOf(id), (row) => row && fromRow(row)),
    list: (project) =>
      database
        .query(
          "connections.list",
          (sql) => sql<Array<ConnectionRow>>`
            select * from connections where project = ${project} order by created_at, id`
        )
        .pipe(Effect.map((rows) => rows.map(fromRow))),
    due: (now) =>
      database
        .query(
          "connections.due",
          (sql) => sql<Array<ConnectionRow>>`
            select * from connections
            where active and (next_poll_at is null or next_poll_at <= ${iso(now)}::text::timestamptz)
            order by created_at, id`
        )
        .pipe(Effect.map((rows) => rows.map(fromRow))),
    secretsOf: Effect.fnUntraced(function* (id) {
      const row = yield* rowOf(id)
      return row === undefined ? undefined : yield* unseal(row)
    }),
    open: Effect.fnUntraced(function* (id) {
      // The page first: whoever keeps another in between has raised the version of neither or both.
      const page = yield* pageOf(id)
      const row = yield* rowOf(id)
      if (row === undefined) return undefined
      const secrets = yield* unseal(row)
      return { connection: fromRow(row), secrets, cursor: row.cursor, version: Number(row.version), page }
    }),
    change,
    remove: (id) =>
      database
        .query("connections.remove", (sql) => sql`delete from connections where id = ${id}`)
        .pipe(Effect.map(({ count }) => count > 0)),
    keep,
    settle: (id, key) =>
      database
        .query(
          "connections.settle",
          (sql) => sql`delete from connection_pages where connection_id = ${id} and key = ${key}`
        )
        .pipe(Effect.asVoid),
    saveError: Effect.fnUntraced(function* (id, error, nextPollAt) {
      const now = yield* nowIso
      yield* database.query(
        "connections.error",
        (sql) => sql`
          update connections set last_error = ${error}, failures = failures + 1,
            next_poll_at = ${iso(nextPollAt)}::text::timestamptz, last_polled_at = ${now}::text::timestamptz
          where id = ${id}`
      )
    })
  })
}
