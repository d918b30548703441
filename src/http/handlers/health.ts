/** Handlers of the group `health`. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Probes } from "../../tasks/maintenance/Probes.ts"
import { Api } from "../Api.ts"
import { Unhealthy } from "../api/health.ts"

export const HealthHandlers = HttpApiBuilder.group(
  Api,
  "health",
  Effect.fnUntraced(function* (handlers) {
    const probes = yield* Probes
    return handlers.handle("health", () =>
      Effect.flatMap(probes.essential, (checks) =>
        checks.every(({ ok }) => ok)
          ? Effect.succeed({ status: "ok" as const, checks: [...checks] })
          : Effect.fail(new Unhealthy({ status: "unhealthy", checks: [...checks] }))
      )
    )
  })
)
