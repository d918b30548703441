/** Handlers of the group `patterns`. */
import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import * as Query from "../../domain/Query.ts"
import { timeMax } from "../../store/Cursor.ts"
import { Logs } from "../../store/Logs.ts"
import { Projects } from "../../store/Projects.ts"
import { Templates } from "../../store/Templates.ts"
import { Api } from "../Api.ts"
import { requestProject } from "../Auth.ts"
import { invalid } from "../Errors.ts"
import { instant, orNotFound, orUnavailable } from "./common.ts"

const dayMs = 86_400_000
/** Longest window, ms: counts are kept for as long. */
const windowMax = 90 * dayMs
const listDefault = 100
/** Lines shown of one pattern. */
const samplesMax = 3
/** Ids of one pattern whose lines are looked for. */
const idsMax = 50

/** The window that a request names. */
const windowOf = Effect.fnUntraced(function* (query: { readonly from?: string; readonly to?: string }) {
  const to = (yield* instant("query.to", query.to)) ?? (yield* Clock.currentTimeMillis)
  const from = (yield* instant("query.from", query.from)) ?? to - dayMs
  if (from >= to) return yield* invalid("query.from", "expected a time before `to`, got one after it")
  if (to - from > windowMax || from - (to - from) < 0) {
    return yield* invalid("query.from", `expected at most 90 days between \`from\` and \`to\`, got ${query.from}`)
  }
  if (to > timeMax - dayMs) return yield* invalid("query.to", `expected a time before the end of 9999, got ${query.to}`)
  return { from, to }
})

export const PatternsHandlers = HttpApiBuilder.group(
  Api,
  "patterns",
  Effect.fnUntraced(function* (handlers) {
    const templates = yield* Templates
    const logs = yield* Logs
    const projects = yield* Projects
    const requested = requestProject.pipe(Effect.provideService(Projects, projects))
    return handlers.handleAll({
      list: Effect.fnUntraced(function* ({ query }) {
        const project = yield* requested
        const window = yield* windowOf(query)
        if (query.q?.includes("\0")) return yield* invalid("query.q", "expected text without NUL, got some with it")
        const patterns = yield* orUnavailable(
          templates.patterns({
            project,
            ...window,
            sort: query.sort ?? "count",
            limit: query.limit ?? listDefault,
            ...(query.q === undefined ? {} : { text: query.q })
          })
        )
        return { from: new Date(window.from).toISOString(), to: new Date(window.to).toISOString(), patterns }
      }),
      get: Effect.fnUntraced(function* ({ params, query }) {
        const project = yield* requested
        const window = yield* windowOf(query)
        const found = yield* orUnavailable(templates.pattern(project, params.id, window))
        const pattern = yield* orNotFound(found, `a pattern of project "${project}"`)
        const ids = yield* orUnavailable(templates.family(project, params.id))
        const wanted = Query.parse(
          ids
            .slice(0, idsMax)
            .map((id) => `template:${id}`)
            .join(" OR ")
        )
        const page = wanted.ok
          ? yield* orUnavailable(logs.search({ project, query: wanted.query, limit: samplesMax }))
          : { events: [] }
        return { ...pattern, ids, samples: page.events }
      })
    })
  })
)
