/**
 * The table of an outbox: made, written within the user's transaction, measured. Promises one round trip per enqueue, and that
 * the mover is told with the commit. Carrying rows on is left to the mover.
 */
import { randomUUID } from "node:crypto"
import type postgres from "postgres"
import type { EnqueueOptions } from "../jobs/Engine.ts"
import type { Job } from "../jobs/Job.ts"
import type { JobId } from "../jobs/JobQueue.ts"
import { pack } from "./Packed.ts"

/** A connection or transaction of postgres.js. */
export type Sql = postgres.Sql | postgres.TransactionSql

export interface OutboxOptions {
  /** Default `loglytics_outbox`; may name a schema (`app.outbox`). The same for those who write and the mover. */
  readonly table?: string
}

/** What waits in an outbox. */
export interface Lag {
  /** Rows not yet moved; counted up to 100,000. */
  readonly waiting: number
  /** Age of the oldest of them, ms. */
  readonly oldestMs: number
  /** Rows that cannot be enqueued, kept with the reason in `error`. */
  readonly failed: number
}

const tablePattern = /^[a-z_][a-z0-9_]{0,50}(\.[a-z_][a-z0-9_]{0,50})?$/u
const tableDefault = "loglytics_outbox"
/** Rows per statement. */
const insertMax = 1_000

/** The table's name, checked. */
export const tableOf = (options: OutboxOptions | undefined): string => {
  const table = options?.table ?? tableDefault
  if (!tablePattern.test(table)) {
    throw new Error(`expected a table name of lower-case letters, digits and _, got ${JSON.stringify(table)}`)
  }
  return table
}

/** Makes the table where it is not there. May be called at every start, by several processes, within a transaction or not. */
export const migrate = async (sql: Sql, options?: OutboxOptions): Promise<void> => {
  const table = tableOf(options)
  const index = `${table.replace(".", "_")}_waiting`
  // One statement, hence one transaction; the lock is for processes that start together.
  await sql.unsafe(`do $$ begin
    perform pg_advisory_xact_lock(hashtextextended('loglytics outbox ${table}', 0));
    create table if not exists ${table} (
      position bigint generated always as identity primary key,
      id uuid not null unique,
      body text not null,
      created_at timestamptz not null default now(),
      failed_at timestamptz,
      error text
    );
    create index if not exists ${index} on ${table} (position) where failed_at is null;
  end $$`)
}

/** As `enqueue`, for many: few statements, ids in the order of the jobs. */
export const enqueueAll = async (
  sql: Sql,
  jobs: ReadonlyArray<Job<unknown>>,
  options: EnqueueOptions & OutboxOptions = {}
): Promise<ReadonlyArray<JobId>> => {
  const table = tableOf(options)
  const { table: _, ...call } = options
  const now = Date.now()
  const rows = jobs.map((job) => pack(job, call, randomUUID(), now))
  for (let at = 0; at < rows.length; at += insertMax) {
    const some = rows.slice(at, at + insertMax)
    const text = JSON.stringify(some.map(({ body, row }) => ({ id: row, body })))
    // The notification is delivered with the commit, and not at all without one.
    await sql`with added as (
      insert into ${sql(table)} (id, body) 
      select (r->>'id')::uuid, r->>'body' from json_array_elements(${text}::text::json) as r returning 1
    ) select pg_notify(${table}, '') from (select count(*) from added) as counted`
  }
  return rows.map((r) => r.id)
}

/**
 * Writes a job within the caller's transaction; it is enqueued once that commits. Resolves with the job's id, by which it can
 * be awaited. Rejects with `PayloadInvalid` or `PayloadTooLarge` before anything is written, or with the database's error; let
 * it reject, so that the transaction is rolled back. `delay` and `expires` count from this call. Options are as with
 * `Task.enqueue`.
 */
export const enqueue = async (
  sql: Sql,
  job: Job<unknown>,
  options: EnqueueOptions & OutboxOptions = {}
): Promise<JobId> => {
  const [id] = await enqueueAll(sql, [job], options)
  return id as JobId
}

/** What waits, now. */
export const lag = async (sql: Sql, options?: OutboxOptions): Promise<Lag> => {
  const table = sql(tableOf(options))
  const [row] = await sql<Array<{ waiting: number; oldest: number | null; failed: number }>>`select
    (select count(*)::int from (select 1 from ${table} where failed_at is null limit 100000) as counted) as waiting,
    (select extract(epoch from clock_timestamp() - created_at)::float8 from ${table}
      where failed_at is null order by position limit 1) as oldest,
    (select count(*)::int from (select 1 from ${table} where failed_at is not null limit 100000) as counted) as failed`
  return {
    waiting: row?.waiting ?? 0,
    oldestMs: Math.max(0, Math.round((row?.oldest ?? 0) * 1_000)),
    failed: row?.failed ?? 0
  }
}
