/**
 * Evaluates one project's rules on stored lines: the safety net under the pipeline, which judges lines as they pass. It
 * opens an alert that the pipeline missed and ends one whose condition is long over; where the pipeline did its work it
 * changes nothing.
 */
import { Clock, Effect, Schema } from "effect"
import * as Judge from "../../alerts/Judge.ts"
import { ProjectId } from "../../domain/Ids.ts"
import * as Query from "../../domain/Query.ts"
import { type AlertRule, durationMs } from "../../domain/Rule.ts"
import * as Task from "../../jobs/Task.ts"
import { AlertSink } from "../../pipeline/AlertSink.ts"
import { Alerts } from "../../store/Alerts.ts"
import { Logs } from "../../store/Logs.ts"
import { Rules } from "../../store/Rules.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"

export const CheckAlertConditions = Task.make("check_alert_conditions", {
  payload: { projectId: ProjectId },
  result: Schema.Struct({ rules: Schema.Int, opened: Schema.Int, resolved: Schema.Int }),
  error: DependencyFailed,
  queue: "high-priority",
  timeout: "2 minutes",
  unique: ({ projectId }) => projectId
})

/** The type that can be judged by counting stored lines. */
type Counted = Extract<AlertRule, { readonly type: "threshold" }>
const isCounted = (rule: AlertRule): rule is Counted =>
  rule.type === "threshold" && (rule.groupBy === undefined || rule.groupBy.length === 0)

/** How long after its window has passed an alert may stay open before this task ends it: the pipeline comes first. */
const graceMs = 60_000

export const CheckAlertConditionsLive = CheckAlertConditions.toLayer(
  Effect.gen(function* () {
    const rules = yield* Rules
    const logs = yield* Logs
    const alerts = yield* Alerts
    const sink = yield* AlertSink

    /** Matching lines that arrived in the rule's window before `at`. */
    const count = (rule: Counted, at: number) =>
      Effect.gen(function* () {
        const parsed = Query.parse(rule.query)
        if (!parsed.ok) return 0
        const windowMs = durationMs(rule.window)
        return yield* logs.count({
          project: rule.project,
          query: parsed.query,
          observedFrom: at - windowMs,
          observedTo: at
        })
      })

    const check = Effect.fnUntraced(function* (rule: Counted, now: number) {
      const forMs = durationMs(rule.for ?? "0 seconds")
      const windowMs = durationMs(rule.window)
      const value = yield* count(rule, now)
      const active = yield* alerts.active(rule.id)
      const met = value >= rule.threshold && (forMs === 0 || (yield* count(rule, now - forMs)) >= rule.threshold)
      if (met && active?.state !== "firing") {
        const { alert, changed } = yield* alerts.apply(Judge.verdictOf(rule, { at: now, value, to: "firing", active }))
        if (changed) yield* sink.changed(alert)
        return changed ? "opened" : "same"
      }
      if (!met && active !== undefined && now - Date.parse(active.updatedAt) > windowMs + forMs + graceMs) {
        const to = active.state === "firing" ? "resolved" : "inactive"
        const { alert, changed } = yield* alerts.apply(Judge.verdictOf(rule, { at: now, value, to, active }))
        if (changed) yield* sink.changed(alert)
        return changed ? "resolved" : "same"
      }
      return "same"
    })

    return Effect.fn("CheckAlertConditions")(function* ({ projectId }) {
      const now = yield* Clock.currentTimeMillis
      const list = (yield* Effect.mapError(rules.list(projectId), dependencyFailed)).filter((rule) => rule.enabled)
      const results = yield* Effect.forEach(list.filter(isCounted), (rule) =>
        Effect.mapError(check(rule, now), dependencyFailed)
      )
      return {
        rules: list.length,
        opened: results.filter((r) => r === "opened").length,
        resolved: results.filter((r) => r === "resolved").length
      }
    })
  })
)
