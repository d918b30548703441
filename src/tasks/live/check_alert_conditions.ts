/**
 * The safety net under the pipeline, for rules of every type: holds the alerts that are kept against what the project's judge has
 * committed. An alert that the judge has and the store lacks is opened and told; one that the store has and the judge no longer
 * knows ends. It judges nothing by itself, so where the pipeline did its work it changes nothing.
 */
import { Clock, Effect, Schema } from "effect"
import type { Alert } from "../../domain/Alert.ts"
import { ProjectId } from "../../domain/Ids.ts"
import * as Task from "../../jobs/Task.ts"
import { AlertSink } from "../../pipeline/AlertSink.ts"
import { saved } from "../../pipeline/Judges.ts"
import { Alerts } from "../../store/Alerts.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"

export const CheckAlertConditions = Task.make("check_alert_conditions", {
  payload: { projectId: ProjectId },
  result: Schema.Struct({ rules: Schema.Int, opened: Schema.Int, resolved: Schema.Int }),
  error: DependencyFailed,
  queue: "high-priority",
  timeout: "2 minutes",
  unique: ({ projectId }) => projectId
})

/** What changed less long ago is left to the pipeline, which keeps an alert before it commits, ms. */
const graceMs = 60_000
/** Active alerts of a project that are looked at. */
const activeMax = 10_000

export const CheckAlertConditionsLive = CheckAlertConditions.toLayer(
  Effect.gen(function* () {
    const alerts = yield* Alerts
    const sink = yield* AlertSink
    const context = yield* Effect.context<Effect.Services<ReturnType<typeof saved>>>()

    const changed = Effect.fnUntraced(function* (done: { readonly alert: Alert; readonly changed: boolean }) {
      if (done.changed) yield* sink.changed(done.alert)
      return done.changed
    })

    return Effect.fn("CheckAlertConditions")(function* ({ projectId }) {
      const now = yield* Clock.currentTimeMillis
      // The store first: what is committed is then as new as what is kept, or newer.
      const lists = yield* Effect.forEach(["firing", "pending"] as const, (state) =>
        alerts.list({ project: projectId, state, limit: activeMax })
      )
      const kept = new Map(lists.flat().map((alert) => [alert.id, alert]))
      const { caughtUp, judge, rules } = yield* Effect.provideContext(saved(projectId), context)
      const judged = new Map(judge.active().map((verdict) => [verdict.alertId, verdict]))
      let opened = 0
      for (const verdict of judged.values()) {
        if (kept.get(verdict.alertId)?.state === verdict.to || now - verdict.at < graceMs) continue
        if (yield* changed(yield* alerts.apply(verdict))) opened++
      }
      let resolved = 0
      for (const alert of kept.values()) {
        const changedAt = Date.parse(alert.updatedAt)
        const settled = now - changedAt >= graceMs && (caughtUp || judge.at > changedAt)
        if (judged.has(alert.id) || !settled) continue
        const reason = "the rule no longer knows of it: its windows were lost, or its lines are elsewhere"
        const ended = yield* alerts.end(alert.id, reason)
        if (ended !== undefined && (yield* changed({ alert: ended, changed: true }))) resolved++
      }
      return { rules: rules.filter(({ enabled }) => enabled).length, opened, resolved }
    }, Effect.mapError(dependencyFailed))
  })
)
