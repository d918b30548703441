/** Figures of one uploaded file: time span, lines by level and service, error rate. Reads the file, not the store. */
import { Effect, Schema } from "effect"
import * as Aggregate from "../../analytics/Aggregate.ts"
import { LogFileId, ProjectId } from "../../domain/Ids.ts"
import { FileAnalytics } from "../../domain/LogFile.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import type { Memory } from "../../parse/Parser.ts"
import { current } from "../../pipeline/Decoders.ts"
import { Blobs } from "../../store/Blobs.ts"
import { LogFiles } from "../../store/LogFiles.ts"
import { ProjectSettings } from "../../store/ProjectSettings.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { eachBatch, fileOf, fileTimeout, LogFileUnreadable } from "../logs/Lines.ts"

export const CalculateAnalytics = Task.make("calculate_analytics", {
  payload: { projectId: ProjectId, fileId: LogFileId },
  result: FileAnalytics,
  error: Schema.Union([LogFileUnreadable, DependencyFailed]),
  timeout: fileTimeout,
  retry: Retry.exponential({ attempts: 3, base: "2 seconds", cap: "1 minute" }),
  unique: ({ fileId }) => fileId
})

export const CalculateAnalyticsLive = CalculateAnalytics.toLayer(
  Effect.gen(function* () {
    const files = yield* LogFiles
    const blobs = yield* Blobs
    const settings = yield* ProjectSettings
    return Effect.fn("CalculateAnalytics")(function* ({ fileId, projectId }) {
      const file = yield* fileOf(files, projectId, fileId)
      const decoder = yield* current(projectId).pipe(
        Effect.provideService(ProjectSettings, settings),
        Effect.mapError(dependencyFailed)
      )
      const memory: Memory = {}
      const aggregate = Aggregate.make()
      const observedAt = Date.parse(file.createdAt)
      yield* eachBatch(blobs.read(fileId), fileId, (lines) =>
        Effect.sync(() => decoder.lines(lines, observedAt, undefined, memory).forEach(aggregate.add))
      )
      const analytics = { fileId, ...aggregate.figures() }
      yield* files.saveAnalytics(analytics).pipe(Effect.mapError(dependencyFailed))
      return analytics
    })
  })
)
