/**
 * The one way to Postgres. Promises two pools on one schema: `query` and `tx` for what must get through, `read` for
 * searches, whose statements are cut off after a limit so that a costly search cannot starve the pipeline. Every failure
 * is a `StoreError` that names the operation and says whether trying again can help. What the tables mean is left to the
 * services beside this file.
 */
import { Context, Data, Effect, Layer, Redacted } from "effect"
import postgres from "postgres"
import { openSocket } from "./Socket.ts"

/** Postgres refused, could not be reached, or answered with an error. */
export class StoreError extends Data.TaggedError("StoreError")<{
  /** What was tried, for example `logs.append`. */
  readonly op: string
  readonly cause: unknown
}> {
  /** Five characters such as `23505`, a name such as `CONNECTION_CLOSED` or `ECONNREFUSED`, or "". */
  get code(): string {
    return codeOf(this.cause)
  }
  /** True when the same request can succeed later: connection lost, server starting or full, lock or deadlock. */
  get retryable(): boolean {
    return isRetryable(this.cause)
  }
  override get message(): string {
    const hint = this.cause instanceof postgres.PostgresError && this.cause.detail ? ` (${this.cause.detail})` : ""
    const code = this.code === "" ? "" : ` [${this.code}]`
    return `Postgres ${this.op} failed: ${reason(this.cause)}${hint}${code}`
  }
}

const reason = (cause: unknown): string => {
  if (cause instanceof AggregateError && cause.message === "") return cause.errors.map(reason).join("; ")
  if (typeof cause === "object" && cause !== null && "message" in cause) return String(cause.message)
  return typeof cause === "object" ? JSON.stringify(cause) : String(cause)
}

const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string" ? cause.code : ""

/** SQLSTATE classes 08 connection, 40 rollback, 53 resources, 55 lock, 57 intervention (but 57014: our own limit), 58 I/O. */
const retryableStates = /^(08|40|53|55|57P|58)/u

const isRetryable = (cause: unknown): boolean =>
  cause instanceof postgres.PostgresError ? retryableStates.test(cause.code) : isConnectionLoss(cause)

/** Whether the connection is gone or going: then the server has rolled back, or will. */
const isConnectionLoss = (cause: unknown): boolean => {
  if (cause instanceof postgres.PostgresError) return /^(08|57P0[1-5])/u.test(cause.code)
  return /^(CONNECT|E[A-Z]{3,}$|ERR_STREAM|ERR_SOCKET)/u.test(codeOf(cause))
}

export interface DatabaseConfig {
  /** `postgres://user:password@host:port/database`; TLS by `?sslmode=require`. */
  readonly url: Redacted.Redacted
  /** Schema that holds every table; lower-case identifier. */
  readonly schema?: string
  /** Connections of both pools together; at least 2. */
  readonly maxConnections?: number
  /** After this many milliseconds a statement of `read` is cut off with code 57014. */
  readonly readTimeoutMs?: number
  /** After this many milliseconds a connection that is not up counts as lost. */
  readonly connectTimeoutMs?: number
}

export type Sql = postgres.Sql
export type Transaction = postgres.TransactionSql
/** Either of the two: whatever runs statements. */
export type Statements = postgres.ISql

export class Database extends Context.Service<
  Database,
  {
    readonly schema: string
    readonly readTimeoutMs: number
    /** Runs one statement (or several that need no transaction). */
    readonly query: <A>(op: string, run: (sql: Sql) => Promise<A>) => Effect.Effect<A, StoreError>
    /** Runs one reading statement under the time limit, on connections of its own. */
    readonly read: <A>(op: string, run: (sql: Sql) => Promise<A>) => Effect.Effect<A, StoreError>
    /** Runs `run` in one transaction; a rejection rolls back. `run` awaits nothing but statements of its `sql`. */
    readonly tx: <A>(op: string, run: (sql: Transaction) => Promise<A>) => Effect.Effect<A, StoreError>
  }
>()("loglytics/store/Database") {
  static readonly layer = (config: DatabaseConfig) => Layer.effect(Database, make(config))
}

interface PoolOptions {
  readonly url: string
  readonly max: number
  readonly name: string
  readonly connectTimeoutMs: number
  readonly connection: Record<string, string | number>
}

const open = (options: PoolOptions): Sql =>
  postgres(options.url, {
    max: options.max,
    onnotice: () => {},
    connect_timeout: options.connectTimeoutMs / 1000,
    // Seconds between tries after a lost connection: callers retry by themselves, so the wait here stays short.
    backoff: (retries: number) => Math.min(0.02 * 2 ** retries, 0.25),
    max_lifetime: null,
    fetch_types: false,
    connection: { application_name: options.name, ...options.connection },
    socket: openSocket
  } as postgres.Options<Record<string, never>>)

/**
 * A pool that is replaced when connecting timed out: postgres.js 3.4 keeps a connection that died with an unsent message
 * in its hands for ever silent, and only the connect timeout tells.
 */
const openPool = (options: PoolOptions) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      let sql = open(options)
      const replace = (broken: Sql): void => {
        if (broken !== sql) return
        sql = open(options)
        void broken.end({ timeout: 0 }).catch(() => {})
      }
      const run = async <A>(use: (sql: Sql) => Promise<A>): Promise<A> => {
        const mine = sql
        try {
          return await use(mine)
        } catch (cause) {
          if (codeOf(cause) === "CONNECT_TIMEOUT") replace(mine)
          throw cause
        }
      }
      return { run, end: () => sql.end({ timeout: 5 }) }
    }),
    (pool) => Effect.promise(() => pool.end())
  )

const attempt = <A>(op: string, run: () => Promise<A>): Effect.Effect<A, StoreError> =>
  Effect.tryPromise({ try: run, catch: (cause) => new StoreError({ op, cause }) })

/**
 * postgres.js answers a rejection by sending ROLLBACK, also on a socket that is gone, and that throws where no one can
 * catch it. A lost connection needs no rollback: the promise stays open and `begin` itself rejects when the socket closes.
 */
const transact = <A>(sql: Sql, run: (sql: Transaction) => Promise<A>): Promise<A> =>
  sql.begin(async (transaction) => {
    try {
      return await run(transaction)
    } catch (cause) {
      if (isConnectionLoss(cause)) await new Promise<never>(() => {})
      throw cause
    }
  }) as Promise<A>

/**
 * When a statement is cut off amid its rows, postgres.js 3.4 goes on counting where it stopped, and the next answer on that
 * connection begins with as many holes. `filter` leaves holes out.
 */
const dense = <A>(answer: A): A => (Array.isArray(answer) ? (answer.filter(() => true) as A) : answer)

const identifier = /^[a-z_][a-z0-9_]{0,62}$/u

const make = Effect.fnUntraced(function* (config: DatabaseConfig) {
  const schema = config.schema ?? "loglytics"
  if (!identifier.test(schema)) {
    return yield* new StoreError({
      op: "open",
      cause: new Error(`expected a schema name of lower-case letters, digits and _, got ${JSON.stringify(schema)}`)
    })
  }
  const readTimeoutMs = config.readTimeoutMs ?? 15_000
  const max = Math.max(2, config.maxConnections ?? 10)
  const readers = Math.max(1, Math.floor(max * 0.4))
  const common = { url: Redacted.value(config.url), connectTimeoutMs: config.connectTimeoutMs ?? 5_000 }
  const writing = yield* openPool({
    ...common,
    name: `loglytics ${schema}`,
    max: max - readers,
    connection: { search_path: schema, TimeZone: "UTC" }
  })
  const reading = yield* openPool({
    ...common,
    name: `loglytics ${schema} read`,
    max: readers,
    connection: {
      search_path: schema,
      TimeZone: "UTC",
      statement_timeout: readTimeoutMs,
      default_transaction_read_only: "on",
      // Compiling a plan costs more than most searches.
      jit: "off",
      // Blocks are read in the order of an index until there are enough; a planner that takes signatures for choosier than
      // they are would read and sort them all. What has to be sorted is sorted all the same.
      enable_sort: "off"
    }
  })
  return Database.of({
    schema,
    readTimeoutMs,
    query: (op, run) => attempt(op, () => writing.run(run)),
    read: (op, run) => attempt(op, async () => dense(await reading.run(run))),
    tx: (op, run) => attempt(op, () => writing.run((sql) => transact(sql, run)))
  })
})
