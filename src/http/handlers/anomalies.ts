/** Handlers of the group `anomalies`. */
import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Anomalies } from "../../store/Anomalies.ts"
import { Projects } from "../../store/Projects.ts"
import { Api } from "../Api.ts"
import { requestProject } from "../Auth.ts"
import { invalid } from "../Errors.ts"
import { instant, orUnavailable } from "./common.ts"

const weekMs = 604_800_000
const listDefault = 100

export const AnomaliesHandlers = HttpApiBuilder.group(
  Api,
  "anomalies",
  Effect.fnUntraced(function* (handlers) {
    const anomalies = yield* Anomalies
    const projects = yield* Projects
    const requested = requestProject.pipe(Effect.provideService(Projects, projects))
    return handlers.handleAll({
      list: Effect.fnUntraced(function* ({ query }) {
        const project = yield* requested
        const to = (yield* instant("query.to", query.to)) ?? (yield* Clock.currentTimeMillis)
        const from = (yield* instant("query.from", query.from)) ?? to - weekMs
        if (from >= to) return yield* invalid("query.from", "expected a time before `to`, got one after it")
        const found = yield* orUnavailable(
          anomalies.list({
            project,
            from,
            to,
            limit: query.limit ?? listDefault,
            ...(query.kind === undefined ? {} : { kind: query.kind })
          })
        )
        return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), anomalies: found }
      })
    })
  })
)
