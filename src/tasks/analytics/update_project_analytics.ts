/** Brings one project's roll-ups up to date: hours that lines came to since. Done again, or beside another, it changes nothing. */
import { Effect, Schema } from "effect"
import { ProjectId } from "../../domain/Ids.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { Rollups } from "../../store/Rollups.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"

export const UpdateProjectAnalytics = Task.make("update_project_analytics", {
  payload: { projectId: ProjectId },
  result: Schema.Struct({
    projectId: ProjectId,
    /** Hours that were made anew, and their lines. */
    hours: Schema.Int,
    lines: Schema.Int,
    /** Whether more is left to the next run. */
    left: Schema.Boolean
  }),
  error: DependencyFailed,
  timeout: "30 minutes",
  retry: Retry.exponential({ attempts: 3, base: "10 seconds", cap: "2 minutes" }),
  unique: ({ projectId }) => projectId
})

/** Lines that one run reads, about. */
const linesMax = 20_000_000
/** Looks for hours to make: what came while the first ones were made is left to the next run. */
const turnsMax = 20

export const UpdateProjectAnalyticsLive = UpdateProjectAnalytics.toLayer(
  Effect.gen(function* () {
    const rollups = yield* Rollups
    return Effect.fn("UpdateProjectAnalytics")(function* ({ projectId }) {
      let [hours, lines, left] = [0, 0, true]
      for (let turn = 0; left && turn < turnsMax && lines < linesMax; turn++) {
        const done = yield* rollups
          .update(projectId, { linesMax: linesMax - lines })
          .pipe(Effect.mapError(dependencyFailed))
        hours += done.hours
        lines += done.lines
        left = done.left
        if (done.hours === 0) break
      }
      return { projectId, hours, lines, left }
    })
  })
)
