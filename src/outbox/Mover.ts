/**
 * Carries rows of an outbox to their streams and deletes them. Promises that each row becomes one job: it is locked while it is
 * carried, its job's id is made of it, and it is marked in Redis before it is deleted. Woken by NOTIFY, and by a look now and
 * then in case one was not heard. Any number of movers may run; they share the rows. Writing rows is left to `Outbox`.
 */
import { Data, Duration, Effect, Layer, Metric, Queue, Redacted, Result, type Scope } from "effect"
import postgres from "postgres"
import { Engine, type EnqueueError } from "../jobs/Engine.ts"
import * as Moved from "../streams/Moved.ts"
import { openSocket } from "../store/Socket.ts"
import { Redis } from "../streams/Redis.ts"
import { lag, type OutboxOptions, tableOf } from "./Table.ts"
import { unpack } from "./Packed.ts"

export interface MoverOptions extends OutboxOptions {
  /** `postgres://user:password@host:port/database` of the database that holds the table. */
  readonly url: string | Redacted.Redacted
  /** Most rows in one transaction, 1 to 500; default 500. */
  readonly batchMax?: number
  /** How often it looks without being woken; default 5 seconds. */
  readonly lookEvery?: Duration.Input
}

/** Postgres did not do it; the mover tries again. */
export class OutboxError extends Data.TaggedError("OutboxError")<{ readonly op: string; readonly cause: unknown }> {
  readonly retryable = true
  override get message(): string {
    return `outbox ${this.op} failed: ${this.cause instanceof Error ? this.cause.message : String(this.cause)}`
  }
}

/** What one pass did. */
export interface Turn {
  /** Rows read: a full batch means there may be more. */
  readonly taken: number
  /** Rows that are jobs now. */
  readonly moved: number
  /** Rows set apart, since no engine would take them. */
  readonly failed: number
}

const batchLimit = 500
/** A pass without an end after this long has lost its connection. Longer than Redis takes to refuse. */
const turnMaxMs = 30_000

const waiting = Metric.gauge("outbox_waiting", { description: "Rows of the outbox that are not yet jobs." })
const oldest = Metric.gauge("outbox_oldest_seconds", { description: "Age of the oldest of these rows." })
const movedTotal = Metric.counter("outbox_moved", { description: "Rows moved by this process.", incremental: true })
const failedTotal = Metric.counter("outbox_failed", { description: "Rows no engine would take.", incremental: true })

/** A connection to the table that can be had anew. */
export interface Source {
  readonly table: string
  readonly batchMax: number
  /** One connection, beside the one that listens. */
  readonly sql: () => postgres.Sql
  /** How often its connection has been lost. */
  readonly losses: () => number
  readonly reopen: () => void
}

/** Opens the table's database; `wake` is called when rows are committed, and after each (re)connection. */
export const open = (options: MoverOptions, wake: () => void): Effect.Effect<Source, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const table = tableOf(options)
      const url = typeof options.url === "string" ? options.url : Redacted.value(options.url)
      let losses = 0
      const connect = () => {
        const sql = postgres(url, {
          max: 1,
          connect_timeout: 5,
          onclose: () => void losses++,
          fetch_types: false,
          socket: openSocket,
          onnotice: () => {},
          connection: {
            application_name: "loglytics outbox",
            // A mover that freezes must not hold its rows for ever.
            idle_in_transaction_session_timeout: turnMaxMs,
            statement_timeout: turnMaxMs
          }
        } as postgres.Options<Record<string, never>>)
        // Without it the looks in between serve.
        sql.listen(table, wake, wake).catch(() => {})
        return sql
      }
      let sql = connect()
      const close = (old: postgres.Sql, seconds: number) => old.end({ timeout: seconds }).catch(() => {})
      return {
        table,
        batchMax: Math.max(1, Math.min(batchLimit, options.batchMax ?? batchLimit)),
        sql: () => sql,
        losses: () => losses,
        reopen: () => {
          const old = sql
          sql = connect()
          void close(old, 0)
        },
        close: () => close(sql, 5)
      }
    }),
    (source) => Effect.promise(() => source.close())
  )

interface Kept {
  readonly id: string
  readonly body: string
}

/** What became of a row: a job, left for later, or never to be one. */
type Fate = "moved" | "later" | { readonly error: string }

const fateOf = (result: Result.Result<unknown, EnqueueError>): Fate => {
  if (Result.isSuccess(result)) return "moved"
  return result.failure.retryable ? "later" : { error: result.failure.message }
}

/** Adds one row's job. */
const add = (engine: Engine["Service"], row: Kept): Effect.Effect<Fate> =>
  Effect.suspend(() => {
    const { job, options } = unpack(row.body)
    return Effect.map(Effect.result(engine.offer(job, options)), fateOf)
  }).pipe(Effect.catchDefect((defect) => Effect.succeed({ error: `expected a job, got ${String(defect)}` })))

/** Adds the jobs of rows that are not in their streams yet, and marks them. */
const carry = Effect.fnUntraced(function* (rows: ReadonlyArray<Kept>) {
  const engine = yield* Engine
  const redis = yield* Redis
  const known = yield* Moved.known(
    redis,
    rows.map((row) => row.id)
  )
  const fates = yield* Effect.forEach(
    rows,
    (row) => (known.has(row.id) ? Effect.succeed<Fate>("moved") : add(engine, row)),
    { concurrency: "unbounded" }
  )
  const fresh = rows.filter((row, i) => fates[i] === "moved" && !known.has(row.id)).map((row) => row.id)
  if (fresh.length > 0) yield* Moved.mark(redis, fresh)
  return fates
})

/** The rows of one transaction, with what became of them. */
interface Batch {
  readonly moved: ReadonlyArray<string>
  readonly failed: ReadonlyArray<readonly [id: string, error: string]>
  readonly taken: number
  /** Why none was carried. */
  readonly cause?: unknown
}

const isConnectionLoss = (cause: unknown): boolean => {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : ""
  return cause instanceof postgres.PostgresError ? /^(08|57P)/u.test(code) : /^(CONNECT|E[A-Z]{3,}$|ERR_S)/u.test(code)
}

/**
 * Takes rows, lets them be carried, deletes them. Its callback never rejects for what Redis says, and says nothing more on a
 * connection that was lost: postgres.js would throw where nobody can catch it. `begin` itself rejects in that case.
 */
const transact = (source: Source, carried: (rows: ReadonlyArray<Kept>) => Promise<ReadonlyArray<Fate>>) =>
  source.sql().begin(async (sql): Promise<Batch> => {
    try {
      const table = sql(source.table)
      const rows = await sql<Array<Kept>>`select id, body from ${table} where failed_at is null
        order by position limit ${source.batchMax} for update skip locked`
      if (rows.length === 0) return { moved: [], failed: [], taken: 0 }
      const losses = source.losses()
      let fates: ReadonlyArray<Fate>
      try {
        fates = await carried(rows)
      } catch (cause) {
        if (source.losses() === losses) return { moved: [], failed: [], taken: rows.length, cause }
        fates = []
      }
      if (source.losses() !== losses) await new Promise<never>(() => {})
      const moved = rows.filter((_, i) => fates[i] === "moved").map((row) => row.id)
      const failed = rows.flatMap((row, i) => {
        const fate = fates[i]
        return typeof fate === "object" ? [[row.id, fate.error] as const] : []
      })
      if (moved.length > 0) await sql`delete from ${table} where id = any(${`{${moved.join(",")}}`}::text::uuid[])`
      for (const [id, error] of failed) {
        await sql`update ${table} set failed_at = now(), error = ${error} where id = ${id}`
      }
      return { moved, failed, taken: rows.length }
    } catch (cause) {
      if (isConnectionLoss(cause)) await new Promise<never>(() => {})
      throw cause
    }
  })

/** One pass: one transaction with up to `batchMax` rows. */
export const turn = (source: Source): Effect.Effect<Turn, OutboxError, Engine | Redis> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<Engine | Redis>()
    const batch = yield* Effect.tryPromise({
      try: () => transact(source, (rows) => Effect.runPromiseWith(context)(carry(rows))),
      catch: (cause) => new OutboxError({ op: "move", cause })
    }).pipe(
      Effect.timeoutOrElse({
        duration: turnMaxMs,
        orElse: () => Effect.fail(new OutboxError({ op: "move", cause: `no end within ${turnMaxMs} ms` }))
      })
    )
    if (batch.cause !== undefined) return yield* new OutboxError({ op: "enqueue", cause: batch.cause })
    const { failed, moved, taken } = batch
    yield* Metric.update(movedTotal, moved.length)
    yield* Metric.update(failedTotal, failed.length)
    for (const [id, error] of failed) yield* Effect.logError(`row ${id} of ${source.table} can't be a job: ${error}`)
    // What is deleted needs no mark; one that is left is bounded in age.
    if (moved.length > 0) yield* Effect.ignore(Moved.forget(yield* Redis, moved))
    return { taken, moved: moved.length, failed: failed.length }
  })

const measure = (source: Source) =>
  Effect.gen(function* () {
    const now = yield* Effect.tryPromise({
      try: () => lag(source.sql(), { table: source.table }),
      catch: (cause) => new OutboxError({ op: "lag", cause })
    })
    yield* Metric.update(waiting, now.waiting)
    yield* Metric.update(oldest, now.oldestMs / 1_000)
  }).pipe(Effect.timeoutOption(turnMaxMs), Effect.ignore)

/** Runs a mover in this process, beside any number of others. The table must be there: see `migrate`. */
export const layer = (options: MoverOptions): Layer.Layer<never, never, Engine | Redis> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const woken = yield* Queue.sliding<void>(1)
      const source = yield* open(options, () => void Queue.offerUnsafe(woken, undefined))
      const lookMs = Duration.toMillis(Duration.fromInputUnsafe(options.lookEvery ?? "5 seconds"))
      let measuredAt = Number.NEGATIVE_INFINITY
      const rest = Effect.suspend(() => {
        const due = performance.now() - measuredAt >= lookMs
        if (due) measuredAt = performance.now()
        return Effect.andThen(due ? measure(source) : Effect.void, Effect.timeoutOption(Queue.take(woken), lookMs))
      })
      const once = Effect.matchEffect(turn(source), {
        onSuccess: ({ moved, taken }) => (moved > 0 && taken === source.batchMax ? Effect.void : rest),
        onFailure: (error) =>
          Effect.logWarning(`${error.message}; tries again`).pipe(
            Effect.andThen(Effect.sync(source.reopen)),
            Effect.andThen(Effect.sleep("1 second"))
          )
      })
      yield* Effect.forkScoped(Effect.forever(once))
    })
  )
