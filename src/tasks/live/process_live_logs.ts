/**
 * Puts a batch of live lines on the log stream: for senders that reach the task queues but not the doors. Safe to run again:
 * the lines are keyed by the job (or by a key of the caller's own), so each is added once.
 */
import { Effect, Schema } from "effect"
import { ProjectId } from "../../domain/Ids.ts"
import * as Retry from "../../jobs/Retry.ts"
import * as Task from "../../jobs/Task.ts"
import { Intake } from "../../pipeline/Intake.ts"
import { DependencyFailed, dependencyFailed } from "../errors.ts"

/** Lines of one job. */
export const linesMax = 2_000

export const ProcessLiveLogs = Task.make("process_live_logs", {
  payload: {
    projectId: ProjectId,
    /** One event each; one of several lines has line ends inside. */
    lines: Schema.Array(Schema.String).check(Schema.isMaxLength(linesMax)),
    /** The format of all lines, where it is known; else each is asked what it is. */
    format: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(64))),
    /** Names this very set of lines, over jobs; the job's id where it is not given. */
    key: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(256)))
  },
  result: Schema.Struct({ accepted: Schema.Int }),
  error: DependencyFailed,
  timeout: "1 minute",
  retry: Retry.exponential({ attempts: 5, base: "1 second", cap: "1 minute" })
})

export const ProcessLiveLogsLive = ProcessLiveLogs.toLayer(
  Effect.gen(function* () {
    const intake = yield* Intake
    return Effect.fn("ProcessLiveLogs")(function* ({ format, key, lines, projectId }, job: Task.JobContext) {
      const accepted = yield* intake
        .submit(projectId, lines, {
          key: key === undefined ? `job.${job.id}` : `live.${key}`,
          ...(format === undefined ? {} : { format })
        })
        .pipe(
          Effect.catchTags({
            LogStreamFull: () => Task.snooze("2 seconds"),
            RedisError: (error) => Effect.fail(dependencyFailed(error))
          })
        )
      return { accepted }
    })
  })
)
