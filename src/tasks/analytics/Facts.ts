/** What insights and reports are made of, read from the store. What it means is left to analytics/Insights. */
import { Effect } from "effect"
import type { AlertFact, Facts } from "../../analytics/Insights.ts"
import * as Views from "../../analytics/Views.ts"
import type { Alert } from "../../domain/Alert.ts"
import type { ProjectId } from "../../domain/Ids.ts"
import { Alerts } from "../../store/Alerts.ts"
import { Insights } from "../../store/Insights.ts"
import { ProjectSettings } from "../../store/ProjectSettings.ts"
import { Rollups } from "../../store/Rollups.ts"

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const alertsMax = 1_000

/** Whole hours up to a week, whole days beyond. */
export const spanOf = (project: ProjectId, from: number, to: number) => {
  const stepMs = to - from <= 8 * dayMs ? hourMs : dayMs
  return { project, from: Math.floor(from / stepMs) * stepMs, to: Math.ceil(to / stepMs) * stepMs, stepMs }
}

export interface Gathered extends Facts {
  readonly alertList: ReadonlyArray<Alert>
}

export const gather = Effect.fnUntraced(function* (project: ProjectId, from: number, to: number) {
  const rollups = yield* Rollups
  const alerts = yield* Alerts
  const settings = yield* ProjectSettings
  const insights = yield* Insights
  const span = spanOf(project, from, to)
  const earlier = { ...span, from: span.from - (span.to - span.from), to: span.from }
  // Up to the minute: what came since the last hour was rolled up counts.
  yield* rollups.update(project, { linesMax: 5_000_000 })
  const found = new Map((yield* rollups.volume(span)).map((point) => [point.at, point]))
  const empty = Views.sumLevels([])
  const points = Array.from({ length: (span.to - span.from) / span.stepMs }, (_, i) => {
    const at = span.from + i * span.stepMs
    return { at, byLevel: found.get(at)?.byLevel ?? empty }
  })
  const services = yield* rollups.series({ ...span, part: "services" })
  const servicesBefore = yield* rollups.series({ ...earlier, part: "services" })
  const alertList = (yield* alerts.list({ project, limit: alertsMax })).filter(({ firedAt, startedAt }) => {
    const at = Date.parse(startedAt)
    return firedAt !== null && at >= span.from && at < span.to
  })
  const gathered: Gathered = {
    from: span.from,
    to: span.to,
    stepMs: span.stepMs,
    points,
    before: Views.sumLevels(yield* rollups.volume(earlier)),
    services: Views.servicesOf(services.values(), servicesBefore.values()),
    silent: Views.silentServices(services.values(), servicesBefore.values()),
    templates: yield* rollups.templates(span),
    endpoints: Views.endpointsOf((yield* rollups.series({ ...span, part: "endpoints" })).values()),
    endpointsBefore: Views.endpointsOf((yield* rollups.series({ ...earlier, part: "endpoints" })).values()),
    alerts: alertList.map(({ resolvedAt, ruleId, ruleName, startedAt }): AlertFact => ({
      ruleId,
      ruleName,
      startedAt,
      resolvedAt
    })),
    alertList,
    retentionDays: (yield* settings.get(project)).settings.retentionDays,
    bytesPerLine: yield* insights.bytesPerLine
  }
  return gathered
})
