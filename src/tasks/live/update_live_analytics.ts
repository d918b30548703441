/** The figures of a project's last minutes, pushed to those who listen to the live topic `metrics`. Nothing is kept. */
import { Clock, Effect, Schema } from "effect"
import * as LiveFigures from "../../analytics/LiveFigures.ts"
import { ProjectId } from "../../domain/Ids.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { LiveBus } from "../../notify/LiveBus.ts"
import { Logs } from "../../store/Logs.ts"
import { Rollups } from "../../store/Rollups.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"

export const UpdateLiveAnalytics = Task.make("update_live_analytics", {
  payload: { projectId: ProjectId },
  result: Schema.Struct({
    projectId: ProjectId,
    lines: Schema.Natural,
    perSecond: Schema.Finite,
    errorRate: Schema.Finite
  }),
  error: DependencyFailed,
  timeout: "20 seconds",
  // The next one comes in seconds and says more.
  retry: Retry.none,
  unique: ({ projectId }) => projectId,
  resultTtl: "5 minutes"
})

const minuteMs = 60_000
const minutes = 15
/** Lines whose services are counted, the newest. */
const sampleMax = 20_000

export const UpdateLiveAnalyticsLive = UpdateLiveAnalytics.toLayer(
  Effect.gen(function* () {
    const logs = yield* Logs
    const rollups = yield* Rollups
    const bus = yield* LiveBus
    return Effect.fn("UpdateLiveAnalytics")(function* ({ projectId }) {
      const now = yield* Clock.currentTimeMillis
      const to = Math.floor(now / minuteMs) * minuteMs + minuteMs
      const from = to - minutes * minuteMs
      const { buckets } = yield* logs
        .timeline({ project: projectId, query: { _tag: "All" }, from, to, bucketMs: minuteMs })
        .pipe(Effect.mapError(dependencyFailed))
      const shares = yield* rollups
        .shares({ project: projectId, from, to, linesMax: sampleMax })
        .pipe(Effect.mapError(dependencyFailed))
      const figures = LiveFigures.make(now, buckets, shares)
      yield* bus.push("metrics", projectId, [figures])
      const lines = buckets.reduce((sum, { total }) => sum + total, 0)
      return { projectId, lines, perSecond: figures.perSecond, errorRate: figures.errorRate }
    })
  })
)
