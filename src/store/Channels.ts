/**
 * Channels as they are kept. Promises that secrets lie sealed and leave only by `open`, and that failures in a row are counted
 * for all processes. What settings mean is left to notify, sending to tasks.
 */
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import { type Channel, ChannelId, type ChannelKind } from "../domain/Channel.ts"
import type { ProjectId } from "../domain/Ids.ts"
import { Database, type StoreError } from "./Database.ts"
import { freshId, isoOrNull } from "./ids.ts"
import { Vault, type VaultError } from "./Vault.ts"

export type ChannelSecrets = Redacted.Redacted<Readonly<Record<string, string>>>

export interface NewChannel extends Pick<Channel, "project" | "kind" | "name" | "settings"> {
  readonly secrets: ChannelSecrets
}

export interface ChannelChanges {
  readonly name?: string | undefined
  readonly enabled?: boolean | undefined
  readonly settings?: Channel["settings"] | undefined
  /** Laid over those that are kept; an empty text removes one. */
  readonly secrets?: ChannelSecrets | undefined
}

/** A channel as a sender sees it. */
export interface OpenChannel {
  readonly channel: Channel
  readonly secrets: ChannelSecrets
  /** Epoch ms; null when it never failed since it last worked. */
  readonly lastFailedAt: number | null
}

export class Channels extends Context.Service<
  Channels,
  {
    readonly create: (channel: NewChannel) => Effect.Effect<Channel, StoreError | VaultError>
    readonly get: (id: ChannelId) => Effect.Effect<Channel | undefined, StoreError>
    /** Of one project, oldest first. */
    readonly list: (project: ProjectId) => Effect.Effect<ReadonlyArray<Channel>, StoreError>
    readonly open: (id: ChannelId) => Effect.Effect<OpenChannel | undefined, StoreError | VaultError>
    /** Undefined when the project has none with this id. A change forgets failures: it is tried at once. */
    readonly change: (
      project: ProjectId,
      id: ChannelId,
      changes: ChannelChanges
    ) => Effect.Effect<Channel | undefined, StoreError | VaultError>
    /** False when there was none. */
    readonly remove: (project: ProjectId, id: ChannelId) => Effect.Effect<boolean, StoreError>
    /** `warning`: it sent, but some recipients could not be reached. */
    readonly worked: (id: ChannelId, warning?: string) => Effect.Effect<void, StoreError>
    /** `counts`: a fault of the other side, not of one message. */
    readonly failed: (id: ChannelId, error: string, counts: boolean) => Effect.Effect<void, StoreError>
  }
>()("loglytics/store/Channels") {
  static readonly layer = Layer.effect(
    Channels,
    Effect.gen(function* () {
      return make(yield* Database, yield* Vault)
    })
  )
}

interface Row {
  readonly id: ChannelId
  readonly project: ProjectId
  readonly kind: ChannelKind
  readonly name: string
  readonly enabled: boolean
  readonly settings: Channel["settings"]
  readonly secrets: Buffer | null
  readonly secret_key: string | null
  readonly secret_names: ReadonlyArray<string>
  readonly created_at: Date
  readonly last_sent_at: Date | null
  readonly last_failed_at: Date | null
  readonly last_error: string | null
  readonly failures: number
}

const fromRow = (row: Row): Channel => ({
  id: row.id,
  project: row.project,
  kind: row.kind,
  name: row.name,
  enabled: row.enabled,
  settings: row.settings,
  secrets: row.secret_names,
  createdAt: row.created_at.toISOString(),
  lastSentAt: isoOrNull(row.last_sent_at),
  lastError: row.last_error,
  failures: row.failures
})

const nowIso = Effect.map(Clock.currentTimeMillis, (now) => new Date(now).toISOString())
/** What a channel's sealed secrets are bound to. */
const secretsFor = (id: ChannelId) => `channel ${id} secrets`

function make(database: Database["Service"], vault: Vault["Service"]): Channels["Service"] {
  const seal = Effect.fnUntraced(function* (id: ChannelId, secrets: Readonly<Record<string, string>>) {
    const names = JSON.stringify(Object.keys(secrets).toSorted())
    if (names === "[]") return { bytes: null, key: null, names }
    return { ...(yield* vault.seal(Buffer.from(JSON.stringify(secrets)), secretsFor(id))), names }
  })
  const unseal = Effect.fnUntraced(function* (row: Row) {
    if (row.secrets === null || row.secret_key === null) return {}
    const plain = yield* vault.open({ bytes: row.secrets, key: row.secret_key }, secretsFor(row.id))
    return JSON.parse(plain.toString("utf8")) as Readonly<Record<string, string>>
  })
  const rowOf = (id: ChannelId) =>
    database
      .query("channels.get", (sql) => sql<Array<Row>>`select * from channels where id = ${id}`)
      .pipe(Effect.map((rows) => rows[0]))

  const create: Channels["Service"]["create"] = Effect.fnUntraced(function* (wanted) {
    const id = ChannelId.make(yield* freshId("ch"))
    const now = yield* nowIso
    const { bytes, key, names } = yield* seal(id, Redacted.value(wanted.secrets))
    const rows = yield* database.query(
      "channels.create",
      (sql) => sql<Array<Row>>`
        insert into channels (id, project, kind, name, settings, secrets, secret_key, secret_names, created_at)
        values (${id}, ${wanted.project}, ${wanted.kind}, ${wanted.name}, ${JSON.stringify(wanted.settings)}::text::jsonb,
          ${bytes}, ${key}, ${names}::text::jsonb, ${now}::text::timestamptz) returning *`
    )
    return fromRow(rows[0]!)
  })

  const change: Channels["Service"]["change"] = Effect.fnUntraced(function* (project, id, changes) {
    const row = yield* rowOf(id)
    if (row === undefined || row.project !== project) return undefined
    const laid =
      changes.secrets === undefined
        ? undefined
        : Object.entries({ ...(yield* unseal(row)), ...Redacted.value(changes.secrets) }).filter(
            ([, text]) => text !== ""
          )
    const sealed = laid === undefined ? undefined : yield* seal(id, Object.fromEntries(laid))
    const bytes = sealed === undefined ? row.secrets : sealed.bytes
    const key = sealed === undefined ? row.secret_key : sealed.key
    const rows = yield* database.query(
      "channels.change",
      (sql) => sql<Array<Row>>`
        update channels set name = ${changes.name ?? row.name}, enabled = ${changes.enabled ?? row.enabled},
          settings = ${JSON.stringify(changes.settings ?? row.settings)}::text::jsonb, secrets = ${bytes},
          secret_key = ${key}, secret_names = ${sealed?.names ?? JSON.stringify(row.secret_names)}::text::jsonb,
          failures = 0, last_failed_at = null
        where id = ${id} and project = ${project} returning *`
    )
    return rows[0] && fromRow(rows[0])
  })

  return Channels.of({
    create,
    change,
    get: (id) => Effect.map(rowOf(id), (row) => row && fromRow(row)),
    list: (project) =>
      database
        .query(
          "channels.list",
          (sql) => sql<Array<Row>>`select * from channels where project = ${project} order by created_at, id`
        )
        .pipe(Effect.map((rows) => rows.map(fromRow))),
    open: Effect.fnUntraced(function* (id) {
      const row = yield* rowOf(id)
      if (row === undefined) return undefined
      const secrets: ChannelSecrets = Redacted.make(yield* unseal(row))
      return { channel: fromRow(row), secrets, lastFailedAt: row.last_failed_at?.getTime() ?? null }
    }),
    remove: (project, id) =>
      database
        .query("channels.remove", (sql) => sql`delete from channels where id = ${id} and project = ${project}`)
        .pipe(Effect.map(({ count }) => count > 0)),
    worked: Effect.fnUntraced(function* (id, warning) {
      const now = yield* nowIso
      yield* database.query(
        "channels.worked",
        (sql) => sql`
          update channels set last_sent_at = ${now}::text::timestamptz, last_error = ${warning ?? null}, last_failed_at = null,
            failures = 0
          where id = ${id}`
      )
    }),
    failed: Effect.fnUntraced(function* (id, error, counts) {
      const now = yield* nowIso
      yield* database.query(
        "channels.failed",
        (sql) => sql`
          update channels set last_error = ${error}, failures = failures + ${counts ? 1 : 0}::int,
            last_failed_at = case when ${counts} then ${now}::text::timestamptz else last_failed_at end
          where id = ${id}`
      )
    })
  })
}
