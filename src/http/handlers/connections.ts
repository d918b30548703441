/** Handlers of the group `connections`. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Connections } from "../../store/Connections.ts"
import { Projects } from "../../store/Projects.ts"
import { connectionIssues } from "../../tasks/live/poll_cloud_logs.ts"
import { Api } from "../Api.ts"
import { requestProject, requireAdmin } from "../Auth.ts"
import { Invalid } from "../Errors.ts"
import { orNotFound, orUnavailable } from "./common.ts"

export const ConnectionsHandlers = HttpApiBuilder.group(
  Api,
  "connections",
  Effect.fnUntraced(function* (handlers) {
    const connections = yield* Connections
    const projects = yield* Projects
    const requested = Effect.andThen(requireAdmin, requestProject.pipe(Effect.provideService(Projects, projects)))
    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ payload }) {
        const project = yield* requested
        const issues = connectionIssues(payload.kind, payload.config).map(({ message, path }) => ({
          path: ["payload", "config", ...path].join("."),
          message
        }))
        if (issues.length > 0) {
          return yield* new Invalid({ message: issues.map((i) => `${i.path}: ${i.message}`).join("; "), issues })
        }
        return yield* orUnavailable(connections.create({ project, ...payload }))
      }),
      list: () => Effect.flatMap(requested, (project) => orUnavailable(connections.list(project))),
      deactivate: Effect.fnUntraced(function* ({ params }) {
        const project = yield* requested
        const found = yield* orUnavailable(connections.get(params.id))
        yield* orNotFound(found?.project === project ? found : undefined, `a connection of project "${project}"`)
        yield* orUnavailable(connections.setActive(params.id, false))
      })
    })
  })
)
