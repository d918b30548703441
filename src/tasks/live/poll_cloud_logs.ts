/**
 * Fetches one connection's new lines into the pipeline. The cursor is saved after the lines are on the stream, and the lines
 * are keyed by the cursor they start at: a poll that dies in between is repeated and adds each line once.
 */
import { Effect, Schema } from "effect"
import { ConnectionId } from "../../domain/Ids.ts"
import { sources } from "../../ingest/all.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { Intake } from "../../pipeline/Intake.ts"
import { Connections } from "../../store/Connections.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"

export const PollCloudLogs = Task.make("poll_cloud_logs", {
  payload: { connectionId: ConnectionId },
  result: Schema.Struct({ lines: Schema.Int }),
  error: DependencyFailed,
  timeout: "2 minutes",
  retry: Retry.exponential({ attempts: 5, base: "30 seconds", cap: "5 minutes" }),
  unique: ({ connectionId }) => connectionId
})

export const PollCloudLogsLive = PollCloudLogs.toLayer(
  Effect.gen(function* () {
    const connections = yield* Connections
    const intake = yield* Intake
    return Effect.fn("PollCloudLogs")(function* ({ connectionId }) {
      const connection = yield* Effect.mapError(connections.get(connectionId), dependencyFailed)
      if (connection === undefined || !connection.active)
        return yield* Task.cancel("the connection is gone or inactive")
      const fetched = yield* sources[connection.kind].poll(connection.config, connection.cursor).pipe(
        Effect.tapError((error) => Effect.ignore(connections.saveError(connectionId, error.message))),
        Effect.mapError(dependencyFailed)
      )
      const key = `poll.${connectionId}.${connection.cursor ?? "start"}`
      yield* intake.submit(connection.project, fetched.lines, key).pipe(
        Effect.catchTags({
          LogStreamFull: () => Task.snooze("5 seconds"),
          RedisError: (error) => Effect.fail(dependencyFailed(error))
        })
      )
      yield* Effect.mapError(connections.saveCursor(connectionId, fetched.cursor), dependencyFailed)
      return { lines: fetched.lines.length }
    })
  })
)
