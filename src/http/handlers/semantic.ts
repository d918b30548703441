/** Handlers of the group `semantic`. */
import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { ProjectId } from "../../domain/Ids.ts"
import * as Query from "../../domain/Query.ts"
import { Logs } from "../../store/Logs.ts"
import { Projects } from "../../store/Projects.ts"
import { type Found, SemanticSearch } from "../../tasks/logs/SemanticSearch.ts"
import { Api } from "../Api.ts"
import { requestProject } from "../Auth.ts"
import { invalid } from "../Errors.ts"
import { instant, orUnavailable } from "./common.ts"

const limitDefault = 10
/** Messages shown of one template, characters of one. */
const samplesMax = 3
const sampleMax = 1_000
/** Templates whose lines are read at a time, and how long that may take, ms, before the message of its birth has to do. */
const reading = 4
const readingMs = 2_000
/** Times that Postgres and JavaScript both know, ms. */
const latest = Date.UTC(9_000, 0)
const within = (ms: number): number => Math.min(latest, Math.max(0, ms))

interface Range {
  readonly from: number
  readonly to: number
}

/** The range that a request names; undefined where it names none. */
const rangeOf = Effect.fnUntraced(function* (payload: { readonly from?: string; readonly to?: string }) {
  if (payload.from === undefined && payload.to === undefined) return undefined
  const from = within((yield* instant("payload.from", payload.from)) ?? 0)
  const to = within((yield* instant("payload.to", payload.to)) ?? (yield* Clock.currentTimeMillis))
  if (from >= to) return yield* invalid("payload.from", "expected a time before `to`, got one that is not")
  return { from, to }
})

/** The newest messages of a template; the one it was born of where none is found in time. */
const samplesOf = (logs: Logs["Service"], project: ProjectId, found: Found, range: Range | undefined) => {
  const born = [found.template.sample.slice(0, sampleMax)]
  const parsed = Query.parse(`template:${found.template.id}`)
  if (!parsed.ok) return Effect.succeed(born)
  return logs.search({ project, query: parsed.query, limit: samplesMax, ...range }).pipe(
    Effect.timeout(readingMs),
    Effect.match({
      onSuccess: ({ events }) =>
        events.length === 0 ? born : events.map(({ message }) => message.slice(0, sampleMax).toWellFormed()),
      onFailure: () => born
    })
  )
}

export const SemanticHandlers = HttpApiBuilder.group(
  Api,
  "semantic",
  Effect.fnUntraced(function* (handlers) {
    const search = yield* SemanticSearch
    const logs = yield* Logs
    const projects = yield* Projects
    return handlers.handle(
      "search",
      Effect.fnUntraced(function* ({ payload }) {
        const project = yield* requestProject.pipe(Effect.provideService(Projects, projects))
        const range = yield* rangeOf(payload)
        const answer = yield* orUnavailable(
          search.search({
            project,
            question: payload.question,
            limit: payload.limit ?? limitDefault,
            ...(range === undefined ? {} : { window: range })
          })
        )
        const templates = yield* Effect.forEach(
          answer.found,
          Effect.fnUntraced(function* (found) {
            const { firstSeen, id, lastSeen, text } = found.template
            return {
              id: String(id),
              text,
              score: found.score,
              why: found.why.map(({ asked, concept, found: word }) => ({
                asked,
                found: word,
                concept: concept ?? null
              })),
              count: found.count,
              firstSeen,
              lastSeen,
              samples: yield* samplesOf(logs, project, found, range)
            }
          }),
          { concurrency: reading }
        )
        const { degraded, provider, reason, searched } = answer
        return { question: payload.question, provider, degraded, reason, searched, templates }
      })
    )
  })
)
