/** Handlers of the group `insights`. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Insights } from "../../store/Insights.ts"
import { Projects } from "../../store/Projects.ts"
import { Api } from "../Api.ts"
import { requestProject } from "../Auth.ts"
import { orUnavailable } from "./common.ts"

export const InsightsHandlers = HttpApiBuilder.group(
  Api,
  "insights",
  Effect.fnUntraced(function* (handlers) {
    const insights = yield* Insights
    const projects = yield* Projects
    const requested = requestProject.pipe(Effect.provideService(Projects, projects))
    return handlers.handle("list", ({ query }) =>
      Effect.flatMap(requested, (project) => orUnavailable(insights.list(project, query.limit ?? 1)))
    )
  })
)
