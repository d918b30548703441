/** Handlers of the group `logs`. */
import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type Level, levels, severity } from "../../domain/Level.ts"
import * as Query from "../../domain/Query.ts"
import { Logs } from "../../store/Logs.ts"
import { Projects } from "../../store/Projects.ts"
import { LogStream } from "../../streams/LogStream.ts"
import { Api } from "../Api.ts"
import { requestProject } from "../Auth.ts"
import { type Invalid, invalid } from "../Errors.ts"
import { orUnavailable, unavailable } from "./common.ts"
import { ingest, type IngestLimits } from "./ingest.ts"

const minuteMs = 60_000
const pageDefault = 100

/** ISO 8601 or epoch ms. */
const instant = (path: string, text: string | undefined): Effect.Effect<number | undefined, Invalid> => {
  if (text === undefined) return Effect.succeed(undefined)
  const ms = /^\d{1,15}$/u.test(text) ? Number(text) : Date.parse(text)
  return Number.isFinite(ms)
    ? Effect.succeed(ms)
    : Effect.fail(invalid(path, `expected ISO 8601 or epoch ms, got ${JSON.stringify(text)}`))
}

const levelList = (text: string | undefined): Effect.Effect<ReadonlyArray<Level> | undefined, Invalid> => {
  if (text === undefined || text === "") return Effect.succeed(undefined)
  const named = text.split(",").map((word) => word.trim().toLowerCase())
  const wrong = named.find((word) => !levels.includes(word as Level))
  return wrong === undefined
    ? Effect.succeed(named as ReadonlyArray<Level>)
    : Effect.fail(invalid("query.level", `expected ${levels.join(", ")}, got ${JSON.stringify(wrong)}`))
}

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
        .handle("ingest", () =>
          Effect.flatMap(project, (id) => ingest(id, limits)).pipe(Effect.provideService(LogStream, stream))
        )
        .handle(
          "search",
          Effect.fnUntraced(function* ({ query }) {
            const id = yield* project
            const parsed = Query.parse(query.q ?? "")
            if (!parsed.ok) {
              return yield* invalid("query.q", `at ${parsed.position}: expected ${parsed.expected}, got ${parsed.got}`)
            }
            const named = yield* levelList(query.level)
            const from = yield* instant("query.from", query.from)
            const to = yield* instant("query.to", query.to)
            return yield* logs
              .search({
                project: id,
                query: parsed.query,
                limit: query.limit ?? pageDefault,
                ...(named === undefined ? {} : { levels: named }),
                ...(query.service === undefined ? {} : { service: query.service }),
                ...(from === undefined ? {} : { from }),
                ...(to === undefined ? {} : { to }),
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
