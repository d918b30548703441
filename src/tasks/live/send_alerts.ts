/**
 * Dispatches an alert that changed to the project's channels: one message each, planned in the outbox before any job is made,
 * so that a crash in between loses none.
 */
import { Clock, Effect, Schema } from "effect"
import { route } from "../../alerts/stages/all.ts"
import { AlertState } from "../../domain/Alert.ts"
import type { ChannelId } from "../../domain/Channel.ts"
import { AlertId, ProjectId } from "../../domain/Ids.ts"
import { Engine } from "../../jobs/Engine.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { Alerts } from "../../store/Alerts.ts"
import { Channels } from "../../store/Channels.ts"
import { Deliveries } from "../../store/Deliveries.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { isSent, type SentKind, senders } from "../notifications/Senders.ts"
import { inAppId } from "../notifications/Sending.ts"

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
    const channels = yield* Channels
    const deliveries = yield* Deliveries
    const engine = yield* Engine

    /** By which channels a project hears; in the application always. */
    const channelsOf = Effect.fnUntraced(function* (project: ProjectId) {
      const always: ReadonlyArray<{ readonly id: ChannelId; readonly kind: SentKind }> = [
        { id: inAppId, kind: "in_app" }
      ]
      const made = (yield* Effect.mapError(channels.list(project), dependencyFailed)).flatMap(({ enabled, id, kind }) =>
        enabled && isSent(kind) ? [{ id, kind }] : []
      )
      return [...always, ...made]
    })

    return Effect.fn("SendAlerts")(function* ({ alertId, projectId, state }) {
      const alert = yield* alerts.get(alertId).pipe(Effect.mapError(dependencyFailed))
      if (alert === undefined || alert.project !== projectId) return yield* Task.cancel("the alert is gone")
      const at = new Date(yield* Clock.currentTimeMillis).toISOString()
      const tellings = route(alert, state)
      const messages = (yield* channelsOf(projectId)).flatMap(({ id, kind }) =>
        tellings.map((telling) => ({
          kind,
          channelId: id,
          message: { ...telling, key: `${alertId}.${state}.${id}`, at }
        }))
      )
      yield* deliveries
        .plan(messages.map(({ channelId, message }) => ({ project: projectId, channel: channelId, message })))
        .pipe(Effect.mapError(dependencyFailed))
      for (const { channelId, kind, message } of messages) {
        const job = senders[kind].job({ projectId, channelId, message })
        yield* engine.enqueue(job, { id: message.key }).pipe(Effect.mapError(dependencyFailed))
      }
      return { sent: messages.map(({ channelId }) => channelId) }
    })
  })
)
