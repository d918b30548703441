/** Handlers of the group `tasks`. */
import { Effect, type Schema } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Engine } from "../../jobs/Engine.ts"
import { jobFrom } from "../../jobs/Registry.ts"
import { celeryState } from "../../jobs/Outcome.ts"
import { Inspect } from "../../streams/Inspect.ts"
import { tasks } from "../../tasks/all.ts"
import { Api } from "../Api.ts"
import { Principal } from "../api/auth.ts"
import { requireAdmin } from "../Auth.ts"
import { mayAsk } from "./task_ids.ts"
import { fromEnqueue, orNotFound, orUnavailable } from "./common.ts"

/** What Redis kept is JSON; what it did not keep is null. */
const json = (value: unknown): Schema.Json => (value === undefined ? null : (value as Schema.Json))

export const TasksHandlers = HttpApiBuilder.group(
  Api,
  "tasks",
  Effect.fnUntraced(function* (handlers) {
    const engine = yield* Engine
    const inspect = yield* Inspect
    return handlers.handleAll({
      result: Effect.fnUntraced(function* ({ params }) {
        const allowed = mayAsk(yield* Principal, params.task_id)
        const found = allowed ? yield* orUnavailable(inspect.job(params.task_id)) : undefined
        const job = yield* orNotFound(found, "a task (or a result that has not expired)")
        return {
          task_id: params.task_id,
          status:
            job.state === "running" && job.progress !== undefined ? ("PROGRESS" as const) : celeryState(job.state),
          result: json(job.result),
          error: job.error === undefined ? null : (job.error.message ?? job.error._tag),
          progress: json(job.progress)
        }
      }),
      enqueue: Effect.fnUntraced(function* ({ params, payload }) {
        yield* requireAdmin
        const job = yield* Effect.mapError(jobFrom(tasks, params.name, payload), fromEnqueue)
        const id = yield* Effect.mapError(engine.enqueue(job), fromEnqueue)
        return { task_id: id, status: "queued" as const }
      })
    })
  })
)
