/**
 * Stored log lines: append, search, count, forget. Promises that a batch is stored whole and once, however often it is
 * delivered, and that search agrees with `Query.matches`. Parsing, redaction and judgement are left to those who come
 * before; row shapes are in LogRows.ts, conditions in QuerySql.ts.
 */
import { Clock, Context, Effect, Layer } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import type { StoredEvent } from "../domain/LogEvent.ts"
import type { CursorInvalid } from "./Cursor.ts"
import { Database, type StoreError } from "./Database.ts"
import { type Appended, type LogBatch, writing } from "./LogAppend.ts"
import {
  type Bucket,
  type CountOptions,
  type HistogramOptions,
  type Page,
  type SearchOptions,
  type SearchTooSlow,
  reading
} from "./LogSearch.ts"
import { Partitions, dayOf } from "./Partitions.ts"

export type { Appended, LogBatch } from "./LogAppend.ts"
export type { Bucket, CountOptions, HistogramOptions, Page, SearchOptions, SearchTooSlow } from "./LogSearch.ts"
export type { CursorInvalid } from "./Cursor.ts"

export class Logs extends Context.Service<
  Logs,
  {
    /** Stores every batch that is not stored yet, all of them in one transaction per 16 MB or so. */
    readonly append: (batches: ReadonlyArray<LogBatch>) => Effect.Effect<Appended, StoreError>
    readonly search: (options: SearchOptions) => Effect.Effect<Page, StoreError | SearchTooSlow | CursorInvalid>
    /** Lines that match `query` and arrived in the window. */
    readonly count: (options: CountOptions) => Effect.Effect<number, StoreError | SearchTooSlow>
    /** Lines by arrival in buckets; empty buckets are there too. At most 10,000 buckets. */
    readonly histogram: (options: HistogramOptions) => Effect.Effect<ReadonlyArray<Bucket>, StoreError | SearchTooSlow>
    /** The `n` lines (at most 1000) that arrived last, newest last. */
    readonly recent: (
      project: ProjectId,
      n: number
    ) => Effect.Effect<ReadonlyArray<StoredEvent>, StoreError | SearchTooSlow>
    /** Makes the tables of the day of `now` and of the next day. */
    readonly prepare: (now: number) => Effect.Effect<void, StoreError>
    /** Drops the lines of all UTC days before the day of `ms`; answers the days dropped as `2026-10-29`. */
    readonly dropBefore: (ms: number) => Effect.Effect<ReadonlyArray<string>, StoreError>
  }
>()("loglytics/store/Logs") {
  static readonly layer = Layer.effect(
    Logs,
    Effect.gen(function* () {
      const database = yield* Database
      const partitions = new Partitions(database)
      yield* partitions.ensure([dayOf(yield* Clock.currentTimeMillis)])
      return Logs.of({
        ...writing(database, partitions),
        ...reading(database)
      })
    })
  )
}
