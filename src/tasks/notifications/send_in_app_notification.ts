/** Keeps a notification and pushes it to those who are looking. The same dedupe key is kept and pushed once. */
import { Effect, Schema } from "effect"
import { AlertId, NotificationId, ProjectId } from "../../domain/Ids.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { channels } from "../../notify/all.ts"
import { LiveBus } from "../../notify/LiveBus.ts"
import { Notifications } from "../../store/Notifications.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"

export const SendInAppNotification = Task.make("send_in_app_notification", {
  payload: {
    projectId: ProjectId,
    alertId: Schema.NullOr(AlertId),
    title: Schema.NonEmptyString.check(Schema.isMaxLength(300)),
    body: Schema.String.check(Schema.isMaxLength(10_000)),
    severity: Schema.Literals(["info", "warning", "critical"]),
    /** What makes this notification one and the same. */
    dedupeKey: Schema.NonEmptyString.check(Schema.isMaxLength(300))
  },
  result: Schema.Struct({ notificationId: NotificationId, created: Schema.Boolean }),
  error: DependencyFailed,
  queue: "high-priority",
  timeout: "30 seconds",
  retry: Retry.exponential({ attempts: 5, base: "1 second", cap: "1 minute" })
})

export const SendInAppNotificationLive = SendInAppNotification.toLayer(
  Effect.gen(function* () {
    const notifications = yield* Notifications
    const bus = yield* LiveBus
    return Effect.fn("SendInAppNotification")(function* ({ alertId, body, dedupeKey, projectId, severity, title }) {
      const { created, notification } = yield* notifications
        .create({ project: projectId, alertId, title, body, severity, dedupeKey })
        .pipe(Effect.mapError(dependencyFailed))
      if (created) {
        yield* channels.in_app
          .send(notification)
          .pipe(Effect.provideService(LiveBus, bus), Effect.mapError(dependencyFailed))
      }
      return { notificationId: notification.id, created }
    })
  })
)
