/** Handlers of the group `engine`. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Schedules } from "../../schedules/Schedules.ts"
import { jobRow, scheduleRow, workerRow } from "../../live/Rows.ts"
import { Inspect } from "../../streams/Inspect.ts"
import { tasks } from "../../tasks/all.ts"
import { Api } from "../Api.ts"
import { requireAdmin } from "../Auth.ts"
import { orUnavailable } from "./common.ts"

const jobsDefault = 100

export const EngineHandlers = HttpApiBuilder.group(
  Api,
  "engine",
  Effect.fnUntraced(function* (handlers) {
    const inspect = yield* Inspect
    const schedules = yield* Schedules
    const admin = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.andThen(requireAdmin, effect)
    return handlers.handleAll({
      queues: () => admin(orUnavailable(inspect.queues)),
      jobs: ({ query }) =>
        admin(
          Effect.map(orUnavailable(inspect.recent({ ...query, limit: query.limit ?? jobsDefault })), (rows) =>
            rows.map(jobRow)
          )
        ),
      workers: () => admin(Effect.map(orUnavailable(inspect.workers), (rows) => rows.map(workerRow))),
      tasks: () => admin(Effect.succeed(tasks.map(({ name, queue }) => ({ name, queue })))),
      schedules: () => admin(Effect.map(orUnavailable(schedules.list), (rows) => rows.map(scheduleRow)))
    })
  })
)
