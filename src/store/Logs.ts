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
import { type SearchTooSlow, reader } from "./BlockWalk.ts"
import { type Appended, type LogBatch, writing } from "./LogAppend.ts"
import {
  type Bucket,
  type CountOptions,
  type HistogramOptions,
  type Timeline,
  type TimelineOptions,
  counting
} from "./LogCounts.ts"
import { type Page, type SearchOptions, searching } from "./LogSearch.ts"
import { retention } from "./LogRetention.ts"
import { type ContextOptions, type LogContext, surrounding } from "./LogContext.ts"
import { type Field, type FieldValues, type ValuesOptions, knowing } from "./LogFields.ts"
import { Partitions, dayOf } from "./Partitions.ts"

export type { SearchTooSlow } from "./BlockWalk.ts"
export type { Appended, LogBatch } from "./LogAppend.ts"
export type { Bucket, CountOptions, HistogramOptions, Timeline, TimelineOptions } from "./LogCounts.ts"
export type { Page, SearchOptions } from "./LogSearch.ts"
export type { ContextOptions, LogContext } from "./LogContext.ts"
export type { Field, FieldValues, ValuesOptions } from "./LogFields.ts"
export type { CursorInvalid } from "./Cursor.ts"

export class Logs extends Context.Service<
  Logs,
  {
    /** Stores every batch that is not stored yet, all of them in one transaction per 16 MB or so. */
    readonly append: (batches: ReadonlyArray<LogBatch>) => Effect.Effect<Appended, StoreError>
    /** Whether a batch of this id is stored. */
    readonly isStored: (id: string) => Effect.Effect<boolean, StoreError>
    readonly search: (options: SearchOptions) => Effect.Effect<Page, StoreError | SearchTooSlow | CursorInvalid>
    /** Lines that match `query` and arrived in the window. */
    readonly count: (options: CountOptions) => Effect.Effect<number, StoreError | SearchTooSlow>
    /** Lines by arrival in buckets; empty buckets are there too. At most 10,000 buckets. */
    readonly histogram: (options: HistogramOptions) => Effect.Effect<ReadonlyArray<Bucket>, StoreError | SearchTooSlow>
    /**
     * Lines by event time in buckets, at most 10,000; empty buckets are there too. Without words and with times in whole
     * minutes no line is read for it.
     */
    readonly timeline: (options: TimelineOptions) => Effect.Effect<Timeline, StoreError | SearchTooSlow>
    /** The `n` lines (at most 1000) that arrived last, newest last. */
    readonly recent: (
      project: ProjectId,
      n: number
    ) => Effect.Effect<ReadonlyArray<StoredEvent>, StoreError | SearchTooSlow>
    /** Makes the tables of the day of `now` and of the next day. */
    readonly prepare: (now: number) => Effect.Effect<void, StoreError>
    /** Drops the lines of all UTC days before the day of `ms`; answers the days dropped as `2026-10-29`. */
    readonly dropBefore: (ms: number) => Effect.Effect<ReadonlyArray<string>, StoreError>
    /** Deletes a project's lines of all UTC days before the day of `ms`, day by day; answers how many there were. */
    readonly deleteBefore: (project: ProjectId, ms: number) => Effect.Effect<number, StoreError>
    /** Names of attributes that begin with `prefix` in any case, by name; of a project's first 2,000. */
    readonly fields: (
      project: ProjectId,
      prefix: string,
      limit: number
    ) => Effect.Effect<ReadonlyArray<Field>, StoreError | SearchTooSlow>
    /** Values of one field (`service`, `trace_id`, `span_id` or an attribute) in the newest lines that have it. */
    readonly values: (options: ValuesOptions) => Effect.Effect<FieldValues, StoreError | SearchTooSlow>
    /** A line and those that arrived around it; undefined where there is no such line. */
    readonly context: (options: ContextOptions) => Effect.Effect<LogContext | undefined, StoreError | SearchTooSlow>
  }
>()("loglytics/store/Logs") {
  static readonly layer = Layer.effect(
    Logs,
    Effect.gen(function* () {
      const database = yield* Database
      const partitions = new Partitions(database)
      yield* partitions.ensure([dayOf(yield* Clock.currentTimeMillis)])
      const read = reader(database)
      return Logs.of({
        ...writing(database, partitions),
        ...retention(database),
        ...searching(database, read),
        ...counting(database, read),
        ...knowing(read),
        ...surrounding(read)
      })
    })
  )
}
