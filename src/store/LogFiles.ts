/** What is known of uploaded files: their metadata, how far processing came, and the figures made of them. The bytes lie elsewhere. */
import { Clock, Context, Effect, Layer } from "effect"
import { LogFileId, type ProjectId } from "../domain/Ids.ts"
import type { FileAnalytics, FileMetadata, LogFile } from "../domain/LogFile.ts"
import { Database, type StoreError } from "./Database.ts"
import { freshId, isoOrNull } from "./ids.ts"

export interface LogFileChange {
  readonly status: LogFile["status"]
  /** Lines read and stored; kept as it is where absent. */
  readonly lines?: number
  /** Why it failed; cleared by every other status. */
  readonly error?: string
}

export class LogFiles extends Context.Service<
  LogFiles,
  {
    /** An id that is free, for whoever must write the bytes before there is a file. */
    readonly nextId: Effect.Effect<LogFileId>
    readonly create: (file: {
      readonly id?: LogFileId
      readonly project: ProjectId
      readonly name: string
      readonly bytes: number
    }) => Effect.Effect<LogFile, StoreError>
    readonly get: (id: LogFileId) => Effect.Effect<LogFile | undefined, StoreError>
    /** A project's files, newest first. */
    readonly list: (project: ProjectId, limit: number) => Effect.Effect<ReadonlyArray<LogFile>, StoreError>
    /** Files of a project that came before `ms`, oldest first; at most a thousand. */
    readonly before: (project: ProjectId, ms: number) => Effect.Effect<ReadonlyArray<LogFile>, StoreError>
    /** Forgets a file and what was found in it; the lines that were stored of it stay. */
    readonly remove: (id: LogFileId) => Effect.Effect<void, StoreError>
    /** The file as it is after the change; undefined when there is none. */
    readonly setStatus: (id: LogFileId, change: LogFileChange) => Effect.Effect<LogFile | undefined, StoreError>
    /** Replaces earlier figures of the same file. */
    readonly saveAnalytics: (figures: FileAnalytics) => Effect.Effect<void, StoreError>
    readonly getAnalytics: (id: LogFileId) => Effect.Effect<FileAnalytics | undefined, StoreError>
    /** Replaces what was found before in the same file. */
    readonly saveMetadata: (metadata: FileMetadata) => Effect.Effect<void, StoreError>
    readonly getMetadata: (id: LogFileId) => Effect.Effect<FileMetadata | undefined, StoreError>
    /** Notes how large the file is on disk now that it is compressed. */
    readonly setCompressed: (id: LogFileId, bytes: number) => Effect.Effect<void, StoreError>
  }
>()("loglytics/store/LogFiles") {
  static readonly layer = Layer.effect(LogFiles, Effect.map(Database, make))
}

interface Row {
  readonly id: LogFileId
  readonly project: ProjectId
  readonly name: string
  readonly bytes: string
  readonly compressed_bytes: string | null
  readonly status: LogFile["status"]
  readonly lines: string
  readonly error: string | null
  readonly created_at: Date
  readonly processed_at: Date | null
}
const fromRow = (row: Row): LogFile => ({
  id: row.id,
  project: row.project,
  name: row.name,
  bytes: Number(row.bytes),
  compressedBytes: row.compressed_bytes === null ? null : Number(row.compressed_bytes),
  status: row.status,
  lines: Number(row.lines),
  error: row.error,
  createdAt: row.created_at.toISOString(),
  processedAt: isoOrNull(row.processed_at)
})

const nextId = Effect.map(freshId("file"), (id) => LogFileId.make(id))
const nowIso = Effect.map(Clock.currentTimeMillis, (now) => new Date(now).toISOString())

function make(database: Database["Service"]): LogFiles["Service"] {
  return LogFiles.of({
    nextId,
    create: Effect.fnUntraced(function* (file) {
      const id = file.id ?? (yield* nextId)
      const now = yield* nowIso
      const rows = yield* database.query(
        "log_files.create",
        (sql) => sql<Array<Row>>`
          insert into log_files (id, project, name, bytes, status, created_at)
          values (${id}, ${file.project}, ${file.name}, ${file.bytes}, 'uploaded', ${now}::text::timestamptz) returning *`
      )
      return fromRow(rows[0]!)
    }),
    get: (id) =>
      database
        .query("log_files.get", (sql) => sql<Array<Row>>`select * from log_files where id = ${id}`)
        .pipe(Effect.map((rows) => rows[0] && fromRow(rows[0]))),
    list: (project, limit) =>
      database
        .query(
          "log_files.list",
          (sql) => sql<Array<Row>>`
            select * from log_files where project = ${project} order by created_at desc, id desc limit ${limit}`
        )
        .pipe(Effect.map((rows) => rows.map(fromRow))),
    before: (project, ms) =>
      database
        .query(
          "log_files.before",
          (sql) => sql<Array<Row>>`
            select * from log_files where project = ${project}
              and created_at < ${new Date(ms).toISOString()}::text::timestamptz
            order by created_at, id limit 1000`
        )
        .pipe(Effect.map((rows) => rows.map(fromRow))),
    remove: (id) =>
      Effect.asVoid(database.query("log_files.remove", (sql) => sql`delete from log_files where id = ${id}`)),
    setStatus: Effect.fnUntraced(function* (id, { error, lines, status }) {
      const ended = status === "processed" || status === "failed" ? yield* nowIso : null
      const rows = yield* database.query(
        "log_files.status",
        (sql) => sql<Array<Row>>`
          update log_files set status = ${status}, lines = coalesce(${lines ?? null}::bigint, lines),
            error = ${status === "failed" ? (error ?? "unknown") : null}, processed_at = ${ended}::text::timestamptz
          where id = ${id} returning *`
      )
      return rows[0] && fromRow(rows[0])
    }),
    saveAnalytics: (figures) =>
      database
        .query(
          "file_analytics.save",
          (sql) => sql`
            insert into file_analytics (file_id, figures) values (${figures.fileId}, ${JSON.stringify(figures)}::text::jsonb)
            on conflict (file_id) do update set figures = excluded.figures, made_at = now()`
        )
        .pipe(Effect.asVoid),
    getAnalytics: (id) =>
      database
        .query(
          "file_analytics.get",
          (sql) => sql<Array<{ figures: FileAnalytics }>>`select figures from file_analytics where file_id = ${id}`
        )
        .pipe(Effect.map((rows) => rows[0]?.figures)),
    saveMetadata: (metadata) =>
      database
        .query(
          "file_metadata.save",
          (sql) => sql`
            insert into file_metadata (file_id, metadata) values (${metadata.fileId}, ${JSON.stringify(metadata)}::text::jsonb)
            on conflict (file_id) do update set metadata = excluded.metadata, made_at = now()`
        )
        .pipe(Effect.asVoid),
    getMetadata: (id) =>
      database
        .query(
          "file_metadata.get",
          (sql) => sql<Array<{ metadata: FileMetadata }>>`select metadata from file_metadata where file_id = ${id}`
        )
        .pipe(Effect.map((rows) => rows[0]?.metadata)),
    setCompressed: (id, bytes) =>
      database
        .query("log_files.compressed", (sql) => sql`update log_files set compressed_bytes = ${bytes} where id = ${id}`)
        .pipe(Effect.asVoid)
  })
}
