/** One generate_analytics_report per project and recipient of its e-mail channels, of the seven whole days (UTC) that are over. */
import { Clock, Effect, Schema } from "effect"
import { Engine } from "../../jobs/Engine.ts"
import * as Task from "../../jobs/Task.ts"
import { Channels } from "../../store/Channels.ts"
import { Projects } from "../../store/Projects.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { GenerateAnalyticsReport } from "./generate_analytics_report.ts"

export const GenerateWeeklyReports = Task.make("generate_weekly_reports", {
  payload: {},
  result: Schema.Struct({ projects: Schema.Int, reports: Schema.Int }),
  error: DependencyFailed,
  timeout: "5 minutes"
})

const dayMs = 86_400_000

/** Addresses of a channel's settings. */
const recipientsOf = (settings: Readonly<Record<string, unknown>>): ReadonlyArray<string> => {
  const { to } = settings
  return Array.isArray(to) ? to.filter((one) => typeof one === "string") : []
}

export const GenerateWeeklyReportsLive = GenerateWeeklyReports.toLayer(
  Effect.gen(function* () {
    const projects = yield* Projects
    const channels = yield* Channels
    const engine = yield* Engine
    return Effect.fn("GenerateWeeklyReports")(function* () {
      const now = yield* Clock.currentTimeMillis
      const to = Math.floor(now / dayMs) * dayMs
      const window = { from: new Date(to - 7 * dayMs).toISOString(), to: new Date(to).toISOString() }
      let [count, reports] = [0, 0]
      for (const { id: projectId } of yield* Effect.mapError(projects.list, dependencyFailed)) {
        const mails = (yield* Effect.mapError(channels.list(projectId), dependencyFailed)).filter(
          ({ enabled, kind }) => kind === "email" && enabled
        )
        // Somebody who stands in two channels gets one report.
        const told = new Map(
          mails.toReversed().flatMap(({ id, settings }) => recipientsOf(settings).map((one) => [one, id] as const))
        )
        if (told.size > 0) count++
        for (const [recipient, channelId] of told) {
          yield* engine
            .enqueue(GenerateAnalyticsReport.job({ projectId, ...window, recipients: [recipient], channelId }), {
              id: `weekly.${projectId}.${to}.${recipient}`
            })
            .pipe(Effect.mapError(dependencyFailed))
          reports++
        }
      }
      return { projects: count, reports }
    })
  })
)
