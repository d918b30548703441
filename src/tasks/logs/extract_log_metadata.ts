/**
 * What an uploaded file is made of: time span, levels, services, formats, encoding, line ends, longest line. Reads the file
 * once and stores nothing but what it found, which GET /logs/files/{id} then shows.
 */
import { Effect, Schema } from "effect"
import * as Aggregate from "../../analytics/Aggregate.ts"
import { LogFileId, ProjectId } from "../../domain/Ids.ts"
import { FileMetadata } from "../../domain/LogFile.ts"
import { lineMax } from "../../ingest/protocols/ndjson.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import type { Memory } from "../../parse/Parser.ts"
import { current } from "../../pipeline/Decoders.ts"
import { Blobs } from "../../store/Blobs.ts"
import { LogFiles } from "../../store/LogFiles.ts"
import { ProjectSettings } from "../../store/ProjectSettings.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import * as Bytes from "./Bytes.ts"
import { eachBatch, fileOf, fileTimeout, LogFileUnreadable } from "./Lines.ts"

export const ExtractLogMetadata = Task.make("extract_log_metadata", {
  payload: { projectId: ProjectId, fileId: LogFileId },
  result: Schema.Struct({ projectId: ProjectId, ...FileMetadata.fields }),
  error: Schema.Union([LogFileUnreadable, DependencyFailed]),
  timeout: fileTimeout,
  retry: Retry.exponential({ attempts: 3, base: "2 seconds", cap: "1 minute" }),
  unique: ({ fileId }) => fileId
})

export const ExtractLogMetadataLive = ExtractLogMetadata.toLayer(
  Effect.gen(function* () {
    const files = yield* LogFiles
    const blobs = yield* Blobs
    const settings = yield* ProjectSettings
    return Effect.fn("ExtractLogMetadata")(function* ({ fileId, projectId }, job: Task.JobContext) {
      const file = yield* fileOf(files, projectId, fileId)
      const decoder = yield* current(projectId).pipe(
        Effect.provideService(ProjectSettings, settings),
        Effect.mapError(dependencyFailed)
      )
      const receivedAt = Date.parse(file.createdAt)
      const memory: Memory = {}
      const aggregate = Aggregate.make()
      const byFormat = new Map<string, number>()
      const bytes = Bytes.make(lineMax)
      const lines = yield* eachBatch(Bytes.watched(blobs.read(fileId), bytes), fileId, (batch, _, readBytes) =>
        Effect.gen(function* () {
          // The decoder's events are masked: a service may be named after somebody.
          for (const event of decoder.lines(batch, receivedAt, undefined, memory)) aggregate.add(event)
          for (const line of batch) {
            const name = decoder.formatOf(line, receivedAt)
            byFormat.set(name, (byFormat.get(name) ?? 0) + 1)
          }
          yield* job.progress({ bytes: readBytes, of: file.bytes })
        })
      )
      const { byLevel, byService, firstTime, lastTime } = aggregate.figures()
      const metadata: FileMetadata = {
        fileId,
        lines,
        firstTime,
        lastTime,
        byLevel,
        byService,
        byFormat: Object.fromEntries([...byFormat].toSorted(([, a], [, b]) => b - a)),
        ...bytes.figures()
      }
      yield* files.saveMetadata(metadata).pipe(Effect.mapError(dependencyFailed))
      return { projectId, ...metadata }
    })
  })
)
