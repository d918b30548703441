/** One update_project_analytics and one detect_anomalies per project. */
import { Effect, Schema } from "effect"
import { Engine } from "../../jobs/Engine.ts"
import * as Task from "../../jobs/Task.ts"
import { Projects } from "../../store/Projects.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { DetectAnomalies } from "./detect_anomalies.ts"
import { UpdateProjectAnalytics } from "./update_project_analytics.ts"

export const UpdateAllProjectAnalytics = Task.make("update_all_project_analytics", {
  payload: {},
  result: Schema.Struct({ projects: Schema.Int }),
  error: DependencyFailed,
  timeout: "2 minutes"
})

export const UpdateAllProjectAnalyticsLive = UpdateAllProjectAnalytics.toLayer(
  Effect.gen(function* () {
    const projects = yield* Projects
    const engine = yield* Engine
    return Effect.fn("UpdateAllProjectAnalytics")(function* () {
      const all = yield* Effect.mapError(projects.list, dependencyFailed)
      yield* engine
        .enqueueAll([
          ...all.map(({ id }) => UpdateProjectAnalytics.job({ projectId: id })),
          ...all.map(({ id }) => DetectAnomalies.job({ projectId: id }))
        ])
        .pipe(Effect.mapError(dependencyFailed))
      return { projects: all.length }
    })
  })
)
