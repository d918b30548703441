/** Handlers of the group `schedules`. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { EnqueueError } from "../../jobs/Engine.ts"
import { scheduleView } from "../../live/Rows.ts"
import {
  type Changes,
  type ScheduleConflict,
  type ScheduleInvalid,
  Schedules,
  type ScheduleUnknown
} from "../../schedules/Schedules.ts"
import type { RedisError } from "../../streams/Redis.ts"
import { Api } from "../Api.ts"
import { requireAdmin } from "../Auth.ts"
import { Conflict, Invalid, invalid, NotFound, type TooBusy, Unavailable } from "../Errors.ts"
import { fromEnqueue } from "./common.ts"

type Steering = ScheduleInvalid | ScheduleUnknown | ScheduleConflict | RedisError
type Answer = Invalid | NotFound | Conflict | Unavailable

const fromSteering = (error: Steering): Answer => {
  switch (error._tag) {
    case "ScheduleUnknown":
      return new NotFound({ message: `${error.message}: GET /v1/schedules lists them` })
    case "ScheduleConflict":
      return new Conflict({ message: error.message })
    case "RedisError":
      return new Unavailable({ message: error.message })
    case "ScheduleInvalid":
      return new Invalid({
        message: error.message,
        issues: error.issues.map(({ message, path }) => ({
          path: path === "" ? "payload" : `payload.${path}`,
          message
        }))
      })
  }
}

const isSteering = (error: Steering | EnqueueError): error is Steering =>
  error._tag === "RedisError" || error._tag.startsWith("Schedule")

const fromAny = (error: Steering | EnqueueError): Answer | TooBusy =>
  isSteering(error) ? fromSteering(error) : fromEnqueue(error)

/** Epoch ms of ISO 8601. */
const time = (path: string, text: string) => {
  const ms = Date.parse(text)
  return Number.isNaN(ms)
    ? Effect.fail(invalid(`payload.${path}`, `expected a time as ISO 8601, got ${JSON.stringify(text)}`))
    : Effect.succeed(ms)
}

export const SchedulesHandlers = HttpApiBuilder.group(
  Api,
  "schedules",
  Effect.fnUntraced(function* (handlers) {
    const schedules = yield* Schedules
    const admin = <A, E extends Steering, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.andThen(requireAdmin, Effect.mapError(effect, fromSteering))
    return handlers.handleAll({
      create: ({ payload }) => admin(Effect.map(schedules.create(payload), scheduleView)),
      get: ({ params }) => admin(Effect.map(schedules.get(params.name), scheduleView)),
      update: ({ params, payload }) =>
        admin(Effect.map(schedules.update(params.name, payload as Changes), scheduleView)),
      remove: ({ params }) => admin(schedules.remove(params.name)),
      pause: ({ params }) => admin(schedules.pause(params.name)),
      resume: ({ params }) => admin(schedules.resume(params.name)),
      run: Effect.fnUntraced(function* ({ params }) {
        yield* requireAdmin
        const id = yield* Effect.mapError(schedules.run(params.name), fromAny)
        return { task_id: id, status: "queued" as const }
      }),
      backfill: Effect.fnUntraced(function* ({ params, payload }) {
        yield* requireAdmin
        const from = yield* time("from", payload.from)
        const to = yield* time("to", payload.to)
        const filled = yield* Effect.mapError(schedules.backfill(params.name, { ...payload, from, to }), fromAny)
        return { task_ids: filled.jobs, known: filled.known }
      })
    })
  })
)
