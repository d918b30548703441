/**
 * Fetches one connection's new lines into the pipeline. The cursor is saved after the lines are on the stream, and the lines
 * are keyed by the cursor they start at: a poll that dies in between is repeated and adds each line once.
 */
import { Effect, Schema } from "effect"
import type { Connection } from "../../domain/Connection.ts"
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

/** Polls of one job while there is more to fetch; the next job goes on. */
const pollsMax = 20

/** What is wrong with the settings of a connection of this kind; empty when nothing is. */
export const connectionIssues = (kind: Connection["kind"], config: Connection["config"]) =>
  sources[kind].validate(config)

export const PollCloudLogsLive = PollCloudLogs.toLayer(
  Effect.gen(function* () {
    const connections = yield* Connections
    const intake = yield* Intake
    return Effect.fn("PollCloudLogs")(function* ({ connectionId }) {
      const connection = yield* Effect.mapError(connections.get(connectionId), dependencyFailed)
      if (connection === undefined || !connection.active)
        return yield* Task.cancel("the connection is gone or inactive")
      let cursor = connection.cursor
      let lines = 0
      for (let poll = 0; poll < pollsMax; poll++) {
        const fetched = yield* sources[connection.kind].poll(connection.config, cursor).pipe(
          Effect.tapError((error) => Effect.ignore(connections.saveError(connectionId, error.message))),
          Effect.mapError(dependencyFailed)
        )
        yield* intake
          .submit(connection.project, fetched.lines, { key: `poll.${connectionId}.${cursor ?? "start"}` })
          .pipe(
            Effect.catchTags({
              LogStreamFull: () => Task.snooze("5 seconds"),
              RedisError: (error) => Effect.fail(dependencyFailed(error))
            })
          )
        yield* Effect.mapError(connections.saveCursor(connectionId, fetched.cursor), dependencyFailed)
        cursor = fetched.cursor
        lines += fetched.lines.length
        if (!fetched.more) break
      }
      return { lines }
    })
  })
)
