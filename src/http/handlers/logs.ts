/** Handlers of the group `logs`. */
import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type Level, levels, severity } from "../../domain/Level.ts"
import { Logs } from "../../store/Logs.ts"
import { Projects } from "../../store/Projects.ts"
import { LogStream } from "../../streams/LogStream.ts"
import { Api } from "../Api.ts"
import { requestProject } from "../Auth.ts"
import { invalid } from "../Errors.ts"
import { orUnavailable, unavailable } from "./common.ts"
import { ingest, type IngestLimits } from "./ingest.ts"
import { narrow } from "./narrow.ts"

const minuteMs = 60_000
const pageDefault = 100

export const LogsHandlers = (limits: IngestLimits) =>
  HttpApiBuilder.group(
    Api,
    "logs",
    Effect.fnUntraced(function* (handlers) {
      const logs = yield* Logs
      const stream = yield* LogStream
      const projects = yield* Projects
      const project = requestProject.pipe(Effect.provideService(Projects, projects))
      return handlers
        .handle("ingest", ({ query }) =>
          Effect.flatMap(project, (id) => ingest(id, limits, query.multiline !== "off")).pipe(
            Effect.provideService(LogStream, stream)
          )
        )
        .handle(
          "search",
          Effect.fnUntraced(function* ({ query }) {
            const id = yield* project
            const narrowed = yield* narrow(query)
            return yield* logs
              .search({
                ...narrowed,
                project: id,
                limit: query.limit ?? pageDefault,
                order: query.order ?? "newest",
                ...(query.cursor === undefined ? {} : { cursor: query.cursor })
              })
              .pipe(
                Effect.mapError((error) =>
                  error._tag === "CursorInvalid" ? invalid("query.cursor", error.message) : unavailable(error)
                )
              )
          })
        )
        .handle(
          "stats",
          Effect.fnUntraced(function* () {
            const id = yield* project
            const now = yield* Clock.currentTimeMillis
            const to = Math.floor(now / minuteMs) * minuteMs + minuteMs
            const buckets = yield* orUnavailable(
              logs.histogram({ project: id, from: to - 60 * minuteMs, to, bucketMs: minuteMs })
            )
            const byLevel = Object.fromEntries(
              levels.map((level) => [level, buckets.reduce((sum, bucket) => sum + bucket.byLevel[level], 0)])
            ) as Record<Level, number>
            return {
              project: id,
              lastHour: {
                total: buckets.reduce((sum, { total }) => sum + total, 0),
                byLevel,
                buckets: buckets.map(({ at, byLevel: counts, total }) => ({
                  at,
                  total,
                  errors: levels.reduce((sum, l) => sum + (severity[l] >= severity.error ? counts[l] : 0), 0)
                }))
              }
            }
          })
        )
    })
  )
