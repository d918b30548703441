/** One poll_cloud_logs per connection that is neither paused nor waiting after a failure. */
import { Clock, Effect, Schema } from "effect"
import { Engine } from "../../jobs/Engine.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { Connections } from "../../store/Connections.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"
import { PollCloudLogs } from "./poll_cloud_logs.ts"

export const PollAllConnections = Task.make("poll_all_connections", {
  payload: {},
  result: Schema.Struct({ connections: Schema.Int }),
  error: DependencyFailed,
  timeout: "1 minute",
  retry: Retry.none
})

export const PollAllConnectionsLive = PollAllConnections.toLayer(
  Effect.gen(function* () {
    const connections = yield* Connections
    const engine = yield* Engine
    return Effect.fn("PollAllConnections")(function* () {
      const now = yield* Clock.currentTimeMillis
      const due = yield* Effect.mapError(connections.due(now), dependencyFailed)
      yield* engine
        .enqueueAll(due.map(({ id }) => PollCloudLogs.job({ connectionId: id })))
        .pipe(Effect.mapError(dependencyFailed))
      return { connections: due.length }
    })
  })
)
