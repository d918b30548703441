/** What becomes of an alert that changed: a send_alerts job where people should hear of it. Fills the pipeline's port. */
import { Effect, Layer } from "effect"
import { Engine } from "../jobs/Engine.ts"
import { AlertSink } from "../pipeline/AlertSink.ts"
import { SendAlerts } from "./live/send_alerts.ts"

export const AlertSinkLive = Layer.effect(
  AlertSink,
  Effect.gen(function* () {
    const engine = yield* Engine
    return AlertSink.of({
      changed: (alert) =>
        alert.state === "firing" || alert.state === "resolved"
          ? Effect.asVoid(
              engine.enqueue(SendAlerts.job({ projectId: alert.project, alertId: alert.id, state: alert.state }), {
                id: `${alert.id}.${alert.state}`
              })
            )
          : Effect.void
    })
  })
)
