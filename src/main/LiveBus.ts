/** Joins the notifications' port to the live streams in Redis. */
import { Effect, Layer } from "effect"
import { LiveBus } from "../notify/LiveBus.ts"
import { Live } from "../streams/Live.ts"

export const LiveBusLive = Layer.effect(
  LiveBus,
  Effect.map(Live, (live) =>
    LiveBus.of({
      push: (topic, project, data) =>
        live
          .publish(topic, project, data)
          .pipe(Effect.catch((error) => Effect.logWarning(`${topic} not pushed to live clients`, error.message)))
    })
  )
)
