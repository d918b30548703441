/**
 * API keys: made, verified, withdrawn. Promises that a secret is kept only as its SHA-256 (it is 190 random bits, so no
 * salt or slow hash is called for), and that ingest need not ask Postgres for each request: an answer holds for 10
 * seconds, so a key withdrawn elsewhere works that long at most. What a key may do is left to the doors.
 */
import { createHash, randomInt } from "node:crypto"
import { Clock, Context, Effect, Layer } from "effect"
import { ApiKeyId, type ProjectId } from "../domain/Ids.ts"
import type { ApiKey, ApiKeyRole } from "../domain/Project.ts"
import { Database, type StoreError } from "./Database.ts"
import { freshId, isoOrNull } from "./ids.ts"

export interface NewApiKey {
  readonly name: string
  readonly role: ApiKeyRole
  /** Required for role `project`, null for `admin`. */
  readonly project: ProjectId | null
  /** Epoch ms. */
  readonly expiresAt?: number
}

export class ApiKeys extends Context.Service<
  ApiKeys,
  {
    /** The secret is shown here and never again. */
    readonly create: (key: NewApiKey) => Effect.Effect<{ readonly key: ApiKey; readonly secret: string }, StoreError>
    /** The key of a secret, unless it is unknown, withdrawn or expired. */
    readonly verify: (secret: string) => Effect.Effect<ApiKey | undefined, StoreError>
    /** Makes sure that this very secret is an admin key: for one that comes from the environment. */
    readonly ensureAdmin: (secret: string, name: string) => Effect.Effect<ApiKey, StoreError>
    /** Of one project, or all; oldest first. */
    readonly list: (project?: ProjectId) => Effect.Effect<ReadonlyArray<ApiKey>, StoreError>
    /** Whether there was such a key. */
    readonly revoke: (id: ApiKeyId) => Effect.Effect<boolean, StoreError>
  }
>()("loglytics/store/ApiKeys") {
  static readonly layer = Layer.effect(ApiKeys, Effect.map(Database, make))
}

const cache_ms = 10_000
const cache_max = 1_000
const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const shownLength = 7

/** `lg_` and 32 letters and digits from the system's own randomness: a secret must not come from a seed. */
const newSecret = (): string => `lg_${Array.from({ length: 32 }, () => base62[randomInt(62)]).join("")}`
const hashOf = (secret: string): string => createHash("sha256").update(secret).digest("hex")

interface Row {
  readonly id: ApiKeyId
  readonly name: string
  readonly role: ApiKeyRole
  readonly project: ProjectId | null
  readonly prefix: string
  readonly created_at: Date
  readonly expires_at: Date | null
}
const fromRow = (row: Row): ApiKey => ({
  id: row.id,
  name: row.name,
  role: row.role,
  project: row.project,
  prefix: row.prefix,
  createdAt: row.created_at.toISOString(),
  expiresAt: isoOrNull(row.expires_at)
})

/** Answers by hash, each fresh for some seconds; the oldest leaves when it is full. */
class Answers<A> {
  private readonly byHash = new Map<string, { readonly answer: A; readonly until: number }>()

  /** `fresh` is false for an answer that is to be asked for again. */
  get(hash: string, now: number) {
    const found = this.byHash.get(hash)
    return found && { answer: found.answer, fresh: found.until > now }
  }

  set(hash: string, answer: A, now: number): void {
    this.byHash.delete(hash)
    if (this.byHash.size >= cache_max) this.byHash.delete(this.byHash.keys().next().value!)
    this.byHash.set(hash, { answer, until: now + cache_ms })
  }

  delete(hash: string): void {
    this.byHash.delete(hash)
  }

  clear(): void {
    this.byHash.clear()
  }
}

function make(database: Database["Service"]): ApiKeys["Service"] {
  const good = new Answers<ApiKey>()
  /** Apart from the good ones, so that a flood of wrong secrets can't push them out. */
  const unknown = new Answers<undefined>()
  const forget = () => {
    good.clear()
    unknown.clear()
  }

  const insert = Effect.fnUntraced(function* (key: NewApiKey, secret: string) {
    const id = ApiKeyId.make(yield* freshId("key"))
    const now = yield* Clock.currentTimeMillis
    const expires = key.expiresAt === undefined ? null : new Date(key.expiresAt).toISOString()
    const rows = yield* database.query(
      "api_keys.create",
      (sql) => sql<Array<Row>>`
        insert into api_keys (id, name, role, project, prefix, hash, created_at, expires_at)
        values (${id}, ${key.name}, ${key.role}, ${key.project}, ${secret.slice(0, shownLength)}, ${hashOf(secret)},
          ${new Date(now).toISOString()}::text::timestamptz, ${expires}::text::timestamptz)
        on conflict (hash) do update set role = excluded.role, project = excluded.project, expires_at = excluded.expires_at
        returning *`
    )
    forget()
    return fromRow(rows[0]!)
  })

  const find = (hash: string, now: number) =>
    database.query("api_keys.verify", async (sql) => {
      const [row] = await sql<Array<Row & { stale: boolean }>>`
        select *, coalesce(last_used_at < ${new Date(now - 60_000).toISOString()}::text::timestamptz, true) as stale
        from api_keys where hash = ${hash}`
      if (row?.stale) {
        await sql`update api_keys set last_used_at = ${new Date(now).toISOString()}::text::timestamptz where id = ${row.id}`
      }
      return row && fromRow(row)
    })

  const verify = Effect.fnUntraced(function* (secret: string) {
    // Every secret is hashed and looked up by its hash, whatever it looks like: time tells nothing about it.
    const hash = hashOf(secret)
    const now = yield* Clock.currentTimeMillis
    const known = good.get(hash, now)
    if (known === undefined && unknown.get(hash, now)?.fresh === true) return undefined
    const key = known?.fresh === true ? known.answer : yield* lookUp(hash, now, known?.answer)
    if (key === undefined) {
      good.delete(hash)
      unknown.set(hash, undefined, now)
      return undefined
    }
    if (known?.fresh !== true) good.set(hash, key, now)
    return key.expiresAt !== null && Date.parse(key.expiresAt) <= now ? undefined : key
  })

  /** A key that was good is good while the database does not answer: lines must get in then, too. */
  const lookUp = (hash: string, now: number, before: ApiKey | undefined) =>
    before === undefined
      ? find(hash, now)
      : find(hash, now).pipe(
          Effect.timeoutOrElse({ duration: "2 seconds", orElse: () => Effect.succeed(before) }),
          Effect.catch((error) => (error.retryable ? Effect.succeed(before) : Effect.fail(error)))
        )

  return ApiKeys.of({
    create: Effect.fnUntraced(function* (key) {
      const secret = newSecret()
      return { key: yield* insert(key, secret), secret }
    }),
    verify,
    ensureAdmin: (secret, name) => insert({ name, role: "admin", project: null }, secret),
    list: (project) =>
      database
        .query(
          "api_keys.list",
          (sql) => sql<Array<Row>>`
            select * from api_keys where ${project === undefined ? sql`true` : sql`project = ${project}`}
            order by created_at, id`
        )
        .pipe(Effect.map((rows) => rows.map(fromRow))),
    revoke: (id) =>
      database
        .query("api_keys.revoke", (sql) => sql`delete from api_keys where id = ${id}`)
        .pipe(
          Effect.map((result) => {
            forget()
            return result.count > 0
          })
        )
  })
}
