/** Handlers of the group `control`. */
import { Effect, type Schema } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { RateInput } from "../../jobs/Rate.ts"
import { Control } from "../../streams/Control.ts"
import type { Replies } from "../../streams/Requests.ts"
import { Api } from "../Api.ts"
import { requireAdmin } from "../Auth.ts"
import { invalid } from "../Errors.ts"
import { orUnavailable, unavailable } from "./common.ts"

/** Answers as JSON: what came over the wire is. */
const replies = ({ replies: all, silent }: Replies<unknown>) => ({
  replies: all.map((reply) => ({
    worker: reply.worker,
    ok: reply.ok,
    value: reply.ok ? ((reply.value ?? null) as Schema.Json) : null,
    error: reply.ok ? null : reply.error
  })),
  silent
})

const done = { ok: true } as const

export const ControlHandlers = HttpApiBuilder.group(
  Api,
  "control",
  Effect.fnUntraced(function* (handlers) {
    const control = yield* Control
    const admin = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.andThen(requireAdmin, effect)
    /** 422 for what makes no sense, 503 for a Redis that does not answer. */
    const setting = <E extends { readonly _tag: string; readonly message: string }>(
      path: string,
      effect: Effect.Effect<void, E>
    ) =>
      Effect.mapError(effect, (error) =>
        error._tag === "NotAllowed" ? invalid(path, error.message) : unavailable(error)
      )
    return handlers.handleAll({
      revoke: ({ payload: { ids, terminate = true } }) =>
        admin(
          Effect.map(orUnavailable(control.revokeAll(ids, { terminate })), (all) =>
            ids.map((id, i) => ({ id, status: all[i] ?? ("unknown" as const) }))
          )
        ),
      revokeTask: ({ params, payload: { terminate = true } }) =>
        admin(orUnavailable(control.revokeTask(params.task, { terminate }))),
      limit: ({ params: { task }, payload: { concurrency, rate, time } }) =>
        admin(
          Effect.gen(function* () {
            if (rate !== undefined) yield* setting("payload.rate", control.rateLimit(task, rate as RateInput | null))
            if (concurrency !== undefined) {
              yield* setting("payload.concurrency", control.concurrency(task, concurrency))
            }
            if (time !== undefined) {
              const limits =
                time === "default"
                  ? time
                  : {
                      ...(time.softMs === undefined ? {} : { soft: time.softMs }),
                      ...(time.hardMs === undefined ? {} : { hard: time.hardMs })
                    }
              yield* setting("payload.time", control.timeLimit(task, limits))
            }
            return done
          })
        ),
      pauseTask: ({ params }) => admin(Effect.as(orUnavailable(control.pauseTask(params.task)), done)),
      resumeTask: ({ params }) =>
        admin(Effect.map(orUnavailable(control.resumeTask(params.task)), (jobs) => ({ jobs }))),
      pauseQueue: ({ params }) => admin(Effect.as(orUnavailable(control.pause(params.queue)), done)),
      resumeQueue: ({ params }) => admin(Effect.as(orUnavailable(control.resume(params.queue)), done)),
      tell: ({ params: { what }, payload: { by, queue, ...options } }) =>
        admin(
          Effect.gen(function* () {
            if (what === "pool" && by === undefined)
              return yield* Effect.fail(invalid("payload.by", "expected a number"))
            if (what.endsWith("consumer") && queue === undefined) {
              return yield* Effect.fail(invalid("payload.queue", "expected a queue"))
            }
            return replies(yield* orUnavailable(control.ask(what, { by, queue } as never, options)))
          })
        ),
      ask: ({ params: { what }, payload: { ids = [], ...options } }) =>
        admin(Effect.map(orUnavailable(control.ask(what, { ids }, options)), replies))
    })
  })
)
