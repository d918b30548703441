/** Parses and stores an uploaded file's lines. Safe to run again: a line that is stored is not stored twice. */
import { Clock, Effect, Fiber, Schema } from "effect"
import { LogFileId, ProjectId } from "../../domain/Ids.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import type { Memory } from "../../parse/Parser.ts"
import { current } from "../../pipeline/Decoders.ts"
import { TemplateBook } from "../../pipeline/TemplateBook.ts"
import { Blobs } from "../../store/Blobs.ts"
import { LogFiles } from "../../store/LogFiles.ts"
import { Logs } from "../../store/Logs.ts"
import { ProjectSettings } from "../../store/ProjectSettings.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { eachBatch, fileOf, fileTimeout, LogFileUnreadable } from "./Lines.ts"

/** How often the file tells how far it is, ms. */
const tellMs = 5_000

export const ProcessLogFile = Task.make("process_log_file", {
  payload: { projectId: ProjectId, fileId: LogFileId },
  result: Schema.Struct({ projectId: ProjectId, fileId: LogFileId, stored: Schema.Int }),
  error: Schema.Union([LogFileUnreadable, DependencyFailed]),
  timeout: fileTimeout,
  retry: Retry.exponential({ attempts: 5, base: "2 seconds", cap: "5 minutes" }),
  unique: ({ fileId }) => fileId
})

export const ProcessLogFileLive = ProcessLogFile.toLayer(
  Effect.gen(function* () {
    const files = yield* LogFiles
    const blobs = yield* Blobs
    const logs = yield* Logs
    const book = yield* TemplateBook
    const settings = yield* ProjectSettings
    return Effect.fn("ProcessLogFile")(function* ({ fileId, projectId }, job: Task.JobContext) {
      const file = yield* fileOf(files, projectId, fileId)
      const decoder = yield* current(projectId).pipe(
        Effect.provideService(ProjectSettings, settings),
        Effect.mapError(dependencyFailed)
      )
      yield* files.setStatus(fileId, { status: "processing" }).pipe(Effect.mapError(dependencyFailed))
      const observedAt = Date.parse(file.createdAt)
      // A table's header counts for all of its rows.
      const memory: Memory = {}
      /** Whether all so far was stored by an earlier attempt, which began at the start as well. */
      let known = true
      let lines = 0
      let toldAt = observedAt
      /** Storing the batch before, while this one is read. */
      let storing: Fiber.Fiber<unknown, DependencyFailed> | undefined
      const stored = Effect.suspend(() => (storing === undefined ? Effect.void : Fiber.join(storing)))
      const total = yield* eachBatch(blobs.read(fileId), fileId, (batch, index, readBytes) =>
        Effect.gen(function* () {
          // Read in any case, since what follows may depend on it.
          const read = decoder.lines(batch, observedAt, undefined, memory)
          const id = `file.${fileId}.${index}`
          known &&= yield* Effect.mapError(logs.isStored(id), dependencyFailed)
          if (!known) {
            const events = yield* book.mark(projectId, read)
            yield* book.keep([projectId]).pipe(Effect.mapError(dependencyFailed))
            yield* stored
            storing = yield* logs
              .append([{ id, project: projectId, observedAt, events }])
              .pipe(Effect.mapError(dependencyFailed), Effect.forkChild)
          }
          lines += batch.length
          yield* job.progress({ bytes: readBytes, of: file.bytes })
          const now = yield* Clock.currentTimeMillis
          if (now - toldAt < tellMs) return
          toldAt = now
          yield* files.setStatus(fileId, { status: "processing", lines }).pipe(Effect.mapError(dependencyFailed))
        })
      ).pipe(
        Effect.tap(() => stored),
        Effect.tapError((error) => Effect.ignore(files.setStatus(fileId, { status: "failed", error: error.reason })))
      )
      yield* files.setStatus(fileId, { status: "processed", lines: total }).pipe(Effect.mapError(dependencyFailed))
      return { projectId, fileId, stored: total }
    })
  })
)
