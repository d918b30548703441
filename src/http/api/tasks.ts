/** Jobs by hand and their results, with the paths and shapes that users of Celery behind HTTP know. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Auth } from "./auth.ts"
import { Invalid, TooBusy } from "../Errors.ts"
import { Decoding, projectErrors } from "./common.ts"

export const QueuedTask = Schema.Struct({
  task_id: Schema.String,
  status: Schema.Literal("queued")
}).annotate({ identifier: "QueuedTask" })

export const TaskStatus = Schema.Struct({
  task_id: Schema.String,
  /** Celery's names. A finished task whose result has expired is 404. */
  status: Schema.Literals(["PENDING", "RECEIVED", "STARTED", "PROGRESS", "SUCCESS", "FAILURE", "RETRY", "REVOKED"]),
  /** The task's result, else null. */
  result: Schema.NullOr(Schema.Json),
  /** Why it failed or is tried again, else null. */
  error: Schema.NullOr(Schema.String),
  /** What the task last said of its progress, else null. */
  progress: Schema.NullOr(Schema.Json)
}).annotate({ identifier: "TaskStatus" })

export class TasksGroup extends HttpApiGroup.make("tasks")
  .add(
    HttpApiEndpoint.get("result", "/:task_id", {
      params: { task_id: Schema.String },
      success: TaskStatus,
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "Status and result of a task"),
    HttpApiEndpoint.post("enqueue", "/:name", {
      params: { name: Schema.String },
      payload: Schema.Record(Schema.String, Schema.Json),
      success: QueuedTask.pipe(HttpApiSchema.status(202)),
      error: [...projectErrors, Invalid, TooBusy]
    }).annotate(OpenApi.Summary, "Queue a task by name with a JSON payload (admin keys only)")
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/tasks") {}
