/** The engine as operators see it: queues, jobs, workers, tasks, schedules (admin keys only). */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Auth } from "./auth.ts"
import { Decoding, limit, projectErrors } from "./common.ts"

export const QueueRow = Schema.Struct({
  name: Schema.String,
  /** Jobs no worker has read yet (XINFO lag). */
  backlog: Schema.Int,
  inFlight: Schema.Int,
  delayed: Schema.Int,
  dead: Schema.Int,
  /** Age of the oldest job that a worker could take, ms. */
  oldestAgeMs: Schema.Finite,
  paused: Schema.Boolean
}).annotate({ identifier: "Queue" })

export const JobState = Schema.Literals([
  "queued",
  "scheduled",
  "running",
  "retrying",
  "done",
  "dead",
  "cancelled"
]).annotate({ identifier: "JobState" })

export const JobRow = Schema.Struct({
  id: Schema.String,
  task: Schema.String,
  queue: Schema.String,
  state: JobState,
  attempt: Schema.Int,
  enqueuedAt: Schema.NullOr(Schema.String),
  startedAt: Schema.NullOr(Schema.String),
  finishedAt: Schema.NullOr(Schema.String),
  durationMs: Schema.NullOr(Schema.Finite),
  error: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Job" })

export const WorkerRow = Schema.Struct({
  id: Schema.String,
  host: Schema.String,
  pid: Schema.Int,
  version: Schema.String,
  concurrency: Schema.Int,
  running: Schema.Array(Schema.Struct({ jobId: Schema.String, task: Schema.String, startedAt: Schema.String })),
  heartbeatAt: Schema.String
}).annotate({ identifier: "Worker" })

export const ScheduleRow = Schema.Struct({
  name: Schema.String,
  task: Schema.String,
  /** The cron expression or the interval in words. */
  when: Schema.String,
  timeZone: Schema.String,
  /** null where it is paused or has ended. */
  nextAt: Schema.NullOr(Schema.String),
  lastAt: Schema.NullOr(Schema.String),
  paused: Schema.Boolean,
  /** `code`: it can be paused, not changed or deleted. */
  source: Schema.Literals(["code", "stored"]),
  description: Schema.NullOr(Schema.String),
  /** Why it can't run, where its task or payload no longer fits. */
  fault: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Schedule" })

const errors = [...projectErrors] as const

export class EngineGroup extends HttpApiGroup.make("engine")
  .add(
    HttpApiEndpoint.get("queues", "/queues", { success: Schema.Array(QueueRow), error: errors }).annotate(
      OpenApi.Summary,
      "Queues with backlog and oldest age"
    ),
    HttpApiEndpoint.get("jobs", "/jobs", {
      query: {
        limit: limit(500),
        task: Schema.optionalKey(Schema.String),
        state: Schema.optionalKey(JobState)
      },
      success: Schema.Array(JobRow),
      error: errors
    }).annotate(OpenApi.Summary, "Recent jobs, newest first"),
    HttpApiEndpoint.get("workers", "/workers", { success: Schema.Array(WorkerRow), error: errors }).annotate(
      OpenApi.Summary,
      "Workers and what they run"
    ),
    HttpApiEndpoint.get("tasks", "/tasks", {
      success: Schema.Array(Schema.Struct({ name: Schema.String, queue: Schema.String })),
      error: errors
    }).annotate(OpenApi.Summary, "Tasks that can be queued"),
    HttpApiEndpoint.get("schedules", "/schedules", { success: Schema.Array(ScheduleRow), error: errors }).annotate(
      OpenApi.Summary,
      "Schedules with their next and last slot"
    )
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1") {}
