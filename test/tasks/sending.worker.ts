/** A worker process that sends by webhooks and Slack. Its settings come as JSON in WORKER; it says "ready" and works until it dies. */
import { Effect, Layer, Redacted } from "effect"
import * as Workers from "../../src/actors/Supervisor.ts"
import { LocalWorker } from "../../src/actors/Worker.ts"
import { InboxLive } from "../../src/main/Inbox.ts"
import { AllowPrivate } from "../../src/notify/Http.ts"
import { LiveBus } from "../../src/notify/LiveBus.ts"
import * as Store from "../../src/store/Store.ts"
import { Redis } from "../../src/streams/Redis.ts"
import { StreamsLive } from "../../src/streams/Streams.ts"
import { SendSlackNotificationLive } from "../../src/tasks/notifications/send_slack_notification.ts"
import { SendWebhookLive } from "../../src/tasks/notifications/send_webhook.ts"

export interface Given {
  readonly namespace: string
  readonly schema: string
  readonly secretKey: string
}

if (process.env["WORKER"] !== undefined) {
  const { namespace, schema, secretKey } = JSON.parse(process.env["WORKER"]) as Given
  const store = Store.layer({
    url: Redacted.make(process.env["DATABASE_URL"] ?? ""),
    schema,
    maxConnections: 4,
    secretKeys: [Redacted.make(secretKey)]
  })
  const live = Workers.layer({ concurrency: 3 }).pipe(
    Layer.provide(Layer.mergeAll(SendSlackNotificationLive, SendWebhookLive)),
    Layer.provide(Layer.mergeAll(InboxLive, Layer.succeed(LiveBus, LiveBus.of({ push: () => Effect.void })))),
    Layer.provide(store),
    Layer.provide(Layer.succeed(AllowPrivate, true)),
    Layer.provide(StreamsLive()),
    Layer.provide(Redis.layer({ url: Redacted.make(process.env["REDIS_URL"] ?? ""), namespace }))
  )
  const program = Effect.gen(function* () {
    const { watched } = yield* LocalWorker
    yield* Effect.promise(() => watched)
    process.stdout.write("ready\n")
    return yield* Effect.never
  }).pipe(Effect.provide(live))
  await Effect.runPromise(program)
}
