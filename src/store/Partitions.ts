/**
 * The daily partitions of `logs`. Promises that a day's table exists before lines of that day are written, made once
 * however many processes ask, and without waiting for (or stopping) searches. When to make and drop them is left to Logs.
 */
import { Effect } from "effect"
import type { Database, StoreError } from "./Database.ts"

const dayMs = 86_400_000
/** Days since 1970 in UTC. */
export const dayOf = (ms: number): number => Math.floor(ms / dayMs)
/** `2026-10-29` */
const isoDay = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10)
/** The table of a day. */
export const tableName = (day: number): string => `logs_${isoDay(day).replaceAll("-", "")}`
const bound = (day: number): string => `${isoDay(day)} 00:00:00+00`
const pattern = /^logs_(\d{4})(\d{2})(\d{2})$/u

export class Partitions {
  private readonly known = new Set<number>()
  private readonly database: Database["Service"]
  constructor(database: Database["Service"]) {
    this.database = database
  }

  /** Makes what is missing of `days`, and the day after each, so that midnight finds its table ready. */
  ensure(days: Iterable<number>): Effect.Effect<void, StoreError> {
    const missing = [...new Set(days)].filter((day) => !this.known.has(day))
    if (missing.length === 0) return Effect.void
    const wanted = [...new Set(missing.flatMap((day) => [day, day + 1]))].sort((a, b) => a - b)
    return Effect.forEach(wanted, (day) => this.make(day), { discard: true }).pipe(
      Effect.andThen(Effect.sync(() => missing.forEach((day) => this.known.add(day))))
    )
  }

  /** Forgets which tables exist: one of them was dropped by another process. */
  forget(): void {
    this.known.clear()
  }

  private make(day: number): Effect.Effect<void, StoreError> {
    const name = tableName(day)
    return this.database.tx("logs.partition", async (sql) => {
      await sql`select pg_advisory_xact_lock(hashtextextended(${`loglytics partitions ${this.database.schema}`}, 0))`
      const [found] =
        await sql`select 1 from pg_class where relname = ${name} and relnamespace = current_schema()::regnamespace`
      if (found !== undefined) return
      // CREATE … PARTITION OF would lock searches out of all days; ATTACH does not.
      await sql`create table ${sql(name)} (like logs including defaults including constraints)`
      await sql.unsafe(
        `alter table logs attach partition ${name} for values from ('${bound(day)}') to ('${bound(day + 1)}')`
      )
    })
  }

  /** Days that have a table, oldest first. */
  list(): Effect.Effect<ReadonlyArray<number>, StoreError> {
    return this.database
      .query(
        "logs.partitions",
        (sql) => sql<Array<{ name: string }>>`
          select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
          where i.inhparent = 'logs'::regclass order by 1`
      )
      .pipe(
        Effect.map((rows) =>
          rows.flatMap(({ name }) => {
            const parts = pattern.exec(name)
            return parts ? [dayOf(Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3])))] : []
          })
        )
      )
  }

  /** Drops the table of `day`; fails with a retryable error when searches hold it for longer than 5 s. */
  drop(day: number): Effect.Effect<void, StoreError> {
    return this.database
      .tx("logs.drop", async (sql) => {
        await sql`set local lock_timeout = '5s'`
        await sql`drop table if exists ${sql(tableName(day))}`
      })
      .pipe(Effect.andThen(Effect.sync(() => void this.known.delete(day))))
  }
}
