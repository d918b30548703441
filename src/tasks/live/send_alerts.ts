/** Dispatches an alert that changed to the channels its route names: one job per channel, each sent once. */
import { Effect, Schema } from "effect"
import { route } from "../../alerts/stages/all.ts"
import { AlertState } from "../../domain/Alert.ts"
import { AlertId, ProjectId } from "../../domain/Ids.ts"
import { Engine } from "../../jobs/Engine.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { Alerts } from "../../store/Alerts.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { SendInAppNotification } from "../notifications/send_in_app_notification.ts"

export const SendAlerts = Task.make("send_alerts", {
  payload: { projectId: ProjectId, alertId: AlertId, state: AlertState },
  result: Schema.Struct({ sent: Schema.Array(Schema.String) }),
  error: DependencyFailed,
  queue: "high-priority",
  timeout: "1 minute",
  retry: Retry.exponential({ attempts: 5, base: "1 second", cap: "1 minute" })
})

export const SendAlertsLive = SendAlerts.toLayer(
  Effect.gen(function* () {
    const alerts = yield* Alerts
    const engine = yield* Engine
    return Effect.fn("SendAlerts")(function* ({ alertId, projectId, state }) {
      const alert = yield* alerts.get(alertId).pipe(Effect.mapError(dependencyFailed))
      if (alert === undefined || alert.project !== projectId) return yield* Task.cancel("the alert is gone")
      const sent: Array<string> = []
      for (const { channel, message } of route(alert, state)) {
        const job = SendInAppNotification.job({
          projectId,
          alertId,
          title: message.title,
          body: message.body,
          severity: message.severity,
          dedupeKey: `${alertId}.${state}.${channel}`
        })
        yield* engine.enqueue(job, { id: `${alertId}.${state}.${channel}` }).pipe(Effect.mapError(dependencyFailed))
        sent.push(channel)
      }
      return { sent }
    })
  })
)
