/** Handlers of the group `projects`. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { ApiKeys } from "../../store/ApiKeys.ts"
import { Projects } from "../../store/Projects.ts"
import { Api } from "../Api.ts"
import { Principal } from "../api/auth.ts"
import { requireAdmin } from "../Auth.ts"
import { Conflict, invalid } from "../Errors.ts"
import { orUnavailable, unavailable } from "./common.ts"

export const ProjectsHandlers = HttpApiBuilder.group(
  Api,
  "projects",
  Effect.fnUntraced(function* (handlers) {
    const projects = yield* Projects
    const keys = yield* ApiKeys
    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ payload }) {
        yield* requireAdmin
        const project = yield* projects.create(payload).pipe(
          Effect.mapError((error) => {
            if (error._tag === "ProjectExists") return new Conflict({ message: error.message })
            return error._tag === "ProjectNameUnusable" ? invalid("payload.name", error.message) : unavailable(error)
          })
        )
        const created = yield* orUnavailable(keys.create({ name: "first key", role: "project", project: project.id }))
        return { project, apiKey: { ...created.key, secret: created.secret } }
      }),
      list: Effect.fnUntraced(function* () {
        const key = yield* Principal
        const all = yield* orUnavailable(projects.list)
        return key.role === "admin" ? all : all.filter(({ id }) => id === key.project)
      })
    })
  })
)
