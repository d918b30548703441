/**
 * Reads an uploaded file of records (a JSON array, NDJSON, CSV or TSV with a header) and stores each as an event with its
 * fields. Safe to run again: a record that is stored is not stored twice. Records that can't be read are told with their
 * number and the reason; the others are stored all the same.
 */
import { Effect, Schema } from "effect"
import { LogFileId, ProjectId } from "../../domain/Ids.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { current } from "../../pipeline/Decoders.ts"
import { TemplateBook } from "../../pipeline/TemplateBook.ts"
import { Blobs } from "../../store/Blobs.ts"
import { LogFiles } from "../../store/LogFiles.ts"
import { Logs } from "../../store/Logs.ts"
import { ProjectSettings } from "../../store/ProjectSettings.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { fileOf, fileTimeout, LogFileUnreadable } from "./Lines.ts"
import { eachRecords, guessFormat, RecordFormat } from "./Records.ts"

const Rejected = Schema.Struct({
  /** The record's number, from 1; in CSV the line's. */
  line: Schema.Natural,
  reason: Schema.String
})

export const ParseStructuredLogs = Task.make("parse_structured_logs", {
  payload: {
    projectId: ProjectId,
    fileId: LogFileId,
    /** Guessed from the name and the first bytes where it is left out. */
    format: Schema.optionalKey(RecordFormat)
  },
  result: Schema.Struct({
    projectId: ProjectId,
    fileId: LogFileId,
    format: RecordFormat,
    /** Records stored. */
    rows: Schema.Natural,
    /** Names of fields in the order in which they came, at most 256. */
    columns: Schema.Array(Schema.String),
    /** The first hundred; `rejectedTotal` counts all. */
    rejected: Schema.Array(Rejected),
    rejectedTotal: Schema.Natural
  }),
  error: Schema.Union([LogFileUnreadable, DependencyFailed]),
  timeout: fileTimeout,
  retry: Retry.exponential({ attempts: 5, base: "2 seconds", cap: "5 minutes" }),
  unique: ({ fileId }) => fileId
})

export const ParseStructuredLogsLive = ParseStructuredLogs.toLayer(
  Effect.gen(function* () {
    const files = yield* LogFiles
    const blobs = yield* Blobs
    const logs = yield* Logs
    const book = yield* TemplateBook
    const settings = yield* ProjectSettings
    return Effect.fn("ParseStructuredLogs")(function* (payload, job: Task.JobContext) {
      const { fileId, projectId } = payload
      const file = yield* fileOf(files, projectId, fileId)
      const decoder = yield* current(projectId).pipe(
        Effect.provideService(ProjectSettings, settings),
        Effect.mapError(dependencyFailed)
      )
      const observedAt = Date.parse(file.createdAt)
      const format = payload.format ?? (yield* guessFormat(blobs.read(fileId), fileId, file.name))
      const found = yield* eachRecords(blobs.read(fileId), fileId, format, (records, index, readBytes) =>
        Effect.gen(function* () {
          const events = yield* book.mark(projectId, decoder.lines(records, observedAt, "json"))
          yield* book.keep([projectId]).pipe(Effect.mapError(dependencyFailed))
          yield* logs
            .append([{ id: `records.${fileId}.${format}.${index}`, project: projectId, observedAt, events }])
            .pipe(Effect.mapError(dependencyFailed))
          yield* job.progress({ bytes: readBytes, of: file.bytes })
        })
      )
      return { projectId, fileId, format, ...found }
    })
  })
)
