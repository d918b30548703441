/** Steering tasks, queues and workers while they run (admin keys only). */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Invalid } from "../Errors.ts"
import { Auth } from "./auth.ts"
import { Decoding, projectErrors } from "./common.ts"

const Queue = Schema.Literals(["high-priority", "default", "low-priority"])
/** "10/s", "600/m", "100/h", a number per second; null: no limit; "default": as the task's code says. */
const Rate = Schema.NullOr(Schema.Union([Schema.String, Schema.Finite]))
const Default = Schema.Literal("default")

/** Whom a question is for, and how long answers are waited for. */
const asking = {
  /** Names of workers; default all. */
  to: Schema.optionalKey(Schema.Array(Schema.String)),
  /** 1 to 60,000; default 1,000. */
  timeoutMs: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 60_000 })))
}

export const Replies = Schema.Struct({
  replies: Schema.Array(
    Schema.Struct({
      worker: Schema.String,
      ok: Schema.Boolean,
      value: Schema.NullOr(Schema.Json),
      error: Schema.NullOr(Schema.String)
    })
  ),
  /** Workers that were asked and said nothing in time. Both empty: no worker runs. */
  silent: Schema.Array(Schema.String)
}).annotate({ identifier: "Replies" })

const Done = Schema.Struct({ ok: Schema.Literal(true) })
const errors = [...projectErrors, Invalid] as const
const task = { task: Schema.String }
const queue = { queue: Queue }

export class ControlGroup extends HttpApiGroup.make("control")
  .add(
    HttpApiEndpoint.post("revoke", "/revoke", {
      payload: Schema.Struct({
        ids: Schema.Array(Schema.String).check(Schema.isMinLength(1), Schema.isMaxLength(1_000)),
        terminate: Schema.optionalKey(Schema.Boolean)
      }),
      success: Schema.Array(
        Schema.Struct({
          id: Schema.String,
          status: Schema.Literals(["unknown", "final", "cancelled", "requested"])
        })
      ),
      error: errors
    }).annotate(OpenApi.Summary, "Cancel jobs wherever they are"),
    HttpApiEndpoint.post("revokeTask", "/tasks/:task/revoke", {
      params: task,
      payload: Schema.Struct({ terminate: Schema.optionalKey(Schema.Boolean) }),
      success: Schema.Struct({ cancelled: Schema.Int, requested: Schema.Int }),
      error: errors
    }).annotate(OpenApi.Summary, "Cancel every job of a task that is there now"),
    HttpApiEndpoint.post("limit", "/tasks/:task/limits", {
      params: task,
      payload: Schema.Struct({
        rate: Schema.optionalKey(Rate),
        concurrency: Schema.optionalKey(Schema.NullOr(Schema.Union([Schema.Int, Default]))),
        /** Time limits in ms; a missing one is none. */
        time: Schema.optionalKey(
          Schema.Union([
            Default,
            Schema.Struct({ softMs: Schema.optionalKey(Schema.Int), hardMs: Schema.optionalKey(Schema.Int) })
          ])
        )
      }),
      success: Done,
      error: errors
    }).annotate(OpenApi.Summary, "Rate, concurrency and time limits of a task, over all workers"),
    HttpApiEndpoint.post("pauseTask", "/tasks/:task/pause", { params: task, success: Done, error: errors }),
    HttpApiEndpoint.post("resumeTask", "/tasks/:task/resume", {
      params: task,
      success: Schema.Struct({ jobs: Schema.Int }),
      error: errors
    }),
    HttpApiEndpoint.post("pauseQueue", "/queues/:queue/pause", { params: queue, success: Done, error: errors }),
    HttpApiEndpoint.post("resumeQueue", "/queues/:queue/resume", { params: queue, success: Done, error: errors }),
    HttpApiEndpoint.post("tell", "/workers/:what", {
      params: {
        what: Schema.Literals(["pool", "add_consumer", "cancel_consumer", "drain", "undrain", "shutdown"])
      },
      payload: Schema.Struct({
        ...asking,
        /** Of `pool`: permits more or, below 0, fewer. */
        by: Schema.optionalKey(Schema.Int),
        /** Of `add_consumer` and `cancel_consumer`. */
        queue: Schema.optionalKey(Queue)
      }),
      success: Replies,
      error: errors
    }).annotate(OpenApi.Summary, "Tell running workers what to do"),
    HttpApiEndpoint.post("ask", "/inspect/:what", {
      params: {
        what: Schema.Literals([
          "ping",
          "conf",
          "query_task",
          "active",
          "reserved",
          "active_queues",
          "registered",
          "revoked",
          "stats"
        ])
      },
      payload: Schema.Struct({ ...asking, ids: Schema.optionalKey(Schema.Array(Schema.String)) }),
      success: Replies,
      error: errors
    }).annotate(OpenApi.Summary, "Ask running workers")
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1/control") {}
