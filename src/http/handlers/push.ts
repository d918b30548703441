/** Handlers of the group `push`. Whoever may read a project may subscribe to its messages. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Projects } from "../../store/Projects.ts"
import { PushSubscriptions, subscriptionsMax } from "../../store/PushSubscriptions.ts"
import { Api } from "../Api.ts"
import { requestProject } from "../Auth.ts"
import { invalid } from "../Errors.ts"
import { orNotFound, orUnavailable } from "./common.ts"

export const PushHandlers = HttpApiBuilder.group(
  Api,
  "push",
  Effect.fnUntraced(function* (handlers) {
    const subscriptions = yield* PushSubscriptions
    const projects = yield* Projects
    const requested = requestProject.pipe(Effect.provideService(Projects, projects))

    return handlers.handleAll({
      key: () => Effect.map(orUnavailable(subscriptions.keys), ({ publicKey }) => ({ publicKey })),
      subscribe: Effect.fnUntraced(function* ({ payload }) {
        const project = yield* requested
        const to =
          "token" in payload
            ? { token: payload.token }
            : {
                browser: { endpoint: payload.endpoint, keys: { p256dh: payload.keys.p256dh, auth: payload.keys.auth } }
              }
        const kept = yield* orUnavailable(subscriptions.add(project, to, payload.person ?? null))
        if (kept === undefined) {
          return yield* invalid(
            "payload",
            `expected at most ${subscriptionsMax} subscriptions of a project, got one more`
          )
        }
        return kept
      }),
      subscriptions: () => Effect.flatMap(requested, (project) => orUnavailable(subscriptions.list(project))),
      unsubscribe: Effect.fnUntraced(function* ({ query: { address, id } }) {
        const project = yield* requested
        if ((id === undefined) === (address === undefined)) {
          return yield* invalid("query", "expected either id or address, got both or neither")
        }
        const removed = yield* orUnavailable(
          id === undefined ? subscriptions.removeAddress(project, address ?? "") : subscriptions.remove(project, id)
        )
        yield* orNotFound(removed ? true : undefined, `a subscription of project "${project}"`)
      })
    })
  })
)
