/**
 * Looks at Redis, Postgres, queues, workers, disk and the pipeline; what is wrong becomes a notification in the project
 * `loglytics`, once an hour per check.
 */
import { Clock, Effect, Schema } from "effect"
import { inApp } from "../../domain/Channel.ts"
import { ownProject } from "../../domain/Project.ts"
import { Engine } from "../../jobs/Engine.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { SendInAppNotification } from "../notifications/send_in_app_notification.ts"
import { Probes } from "./Probes.ts"

const Check = Schema.Struct({ name: Schema.String, ok: Schema.Boolean, detail: Schema.String })

export const HealthCheck = Task.make("health_check", {
  payload: {},
  result: Schema.Struct({ healthy: Schema.Boolean, checks: Schema.Array(Check) }),
  error: DependencyFailed,
  queue: "high-priority",
  timeout: "1 minute",
  retry: Retry.none
})

const hourMs = 3_600_000

export const HealthCheckLive = HealthCheck.toLayer(
  Effect.gen(function* () {
    const probes = yield* Probes
    const engine = yield* Engine
    return Effect.fn("HealthCheck")(function* () {
      const checks = yield* probes.all
      const now = yield* Clock.currentTimeMillis
      const hour = Math.floor(now / hourMs)
      for (const check of checks.filter(({ ok }) => !ok)) {
        const key = `health.${check.name}.${hour}`
        const message = {
          key,
          kind: "note",
          title: `Health check failed: ${check.name}`,
          text: check.detail,
          severity: "critical",
          at: new Date(now).toISOString()
        } as const
        yield* engine
          .enqueue(SendInAppNotification.job({ projectId: ownProject, channelId: inApp, message }), { id: key })
          .pipe(Effect.mapError(dependencyFailed))
      }
      return { healthy: checks.every(({ ok }) => ok), checks: [...checks] }
    })
  })
)
