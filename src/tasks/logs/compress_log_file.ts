/**
 * Packs an uploaded file with zstd and tells what that saved. Safe to run again: a file that is packed is checked and left.
 * Whoever reads the file afterwards notices nothing.
 */
import { Effect, Schema } from "effect"
import { LogFileId, ProjectId } from "../../domain/Ids.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { Blobs } from "../../store/Blobs.ts"
import { LogFiles } from "../../store/LogFiles.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { fileOf, LogFileUnreadable } from "./Lines.ts"

/** zstd's level: about as fast as the disk, a tenth smaller than its default. */
const level = 6

export const CompressLogFile = Task.make("compress_log_file", {
  payload: { projectId: ProjectId, fileId: LogFileId },
  result: Schema.Struct({
    projectId: ProjectId,
    fileId: LogFileId,
    bytes: Schema.Natural,
    compressedBytes: Schema.Natural,
    /** How many bytes became one. */
    ratio: Schema.Finite
  }),
  error: Schema.Union([LogFileUnreadable, DependencyFailed]),
  queue: "low-priority",
  timeout: "1 hour",
  retry: Retry.exponential({ attempts: 3, base: "10 seconds", cap: "5 minutes" }),
  unique: ({ fileId }) => fileId
})

export const CompressLogFileLive = CompressLogFile.toLayer(
  Effect.gen(function* () {
    const files = yield* LogFiles
    const blobs = yield* Blobs
    return Effect.fn("CompressLogFile")(function* ({ fileId, projectId }) {
      yield* fileOf(files, projectId, fileId)
      const { bytes, compressedBytes } = yield* blobs.compress(fileId, level).pipe(
        Effect.mapError(
          (error) =>
            new LogFileUnreadable({
              fileId,
              reason: error.message,
              // A disk that is full may have room later; a file that is gone stays gone.
              retryable: !error.message.includes("ENOENT")
            })
        )
      )
      yield* files.setCompressed(fileId, compressedBytes).pipe(Effect.mapError(dependencyFailed))
      const ratio = compressedBytes === 0 ? 1 : Math.round((bytes / compressedBytes) * 100) / 100
      return { projectId, fileId, bytes, compressedBytes, ratio }
    })
  })
)
