/** Joins the in-app channel to the notifications that the store keeps. */
import { Effect, Layer } from "effect"
import { Inbox } from "../notify/Inbox.ts"
import { Notifications } from "../store/Notifications.ts"

export const InboxLive = Layer.effect(
  Inbox,
  Effect.map(Notifications, (notifications) =>
    Inbox.of({
      keep: (project, { incident, key, severity, text, title }) => {
        const samples = (incident?.alerts ?? []).flatMap((alert) => alert.samples)
        return notifications.create({
          project,
          alertId: incident?.alerts[0]?.id ?? null,
          title,
          body: samples.length === 0 ? text : `${text}\n\n${samples.join("\n")}`,
          severity,
          dedupeKey: key
        })
      }
    })
  )
)
