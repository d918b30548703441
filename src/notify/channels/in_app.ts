/**
 * In the product itself: kept for the project's people and pushed to the WebSocket topic `notifications`. Exactly once: a key
 * is kept once, and only then pushed.
 */
import { Effect, Schema } from "effect"
import { type Channel, ChannelError, type Sent } from "../Channel.ts"
import { Inbox } from "../Inbox.ts"
import { LiveBus } from "../LiveBus.ts"

const Settings = Schema.Struct({})

export const in_app: Channel<typeof Settings.Type, Inbox | LiveBus> = {
  kind: "in_app",
  about: "In Loglytics: the bell of the dashboard and the WebSocket topic notifications",
  settings: Settings,
  secrets: [],
  perSecond: 1_000,
  preview: ({ severity, text, title }) => ({ title, body: text, severity }),
  send: Effect.fnUntraced(function* ({ message, project }) {
    const inbox = yield* Inbox
    const bus = yield* LiveBus
    const { created, notification } = yield* inbox
      .keep(project, message)
      .pipe(
        Effect.mapError(
          (error) => new ChannelError({ channel: "in_app", reason: error.message, retryable: error.retryable })
        )
      )
    if (created) yield* bus.push("notifications", project, [notification])
    return { reference: null } satisfies Sent
  })
}
