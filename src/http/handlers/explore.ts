/** Handlers of the group `explore`. */
import { Clock, Effect, Option, Stream } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import * as Cursor from "../../store/Cursor.ts"
import { type Same, sameFields } from "../../store/LogContext.ts"
import { Logs, type SearchOptions } from "../../store/Logs.ts"
import { Projects } from "../../store/Projects.ts"
import { Api } from "../Api.ts"
import { requestProject } from "../Auth.ts"
import { type Invalid, invalid } from "../Errors.ts"
import { orNotFound, orUnavailable } from "./common.ts"
import { narrow } from "./narrow.ts"

const hourMs = 3_600_000
const bucketsDefault = 60
const bucketsMax = 10_000
const fieldsDefault = 100
const contextDefault = 10
/** Lines of an export that are in memory at a time. */
const exportPage = 1_000

/** Widths that people read well, ms. */
const widths = [1, 2, 5, 10, 20, 50, 100, 200, 500]
  .concat([1, 2, 5, 10, 15, 30].map((s) => s * 1_000))
  .concat([1, 2, 5, 10, 15, 30].map((m) => m * 60_000))
  .concat([1, 2, 3, 6, 12].map((h) => h * hourMs))
  .concat([1, 2, 7, 14, 30, 90, 365].map((d) => d * 24 * hourMs))

const widthOf = (span: number, buckets: number): number =>
  widths.find((width) => span / width <= buckets) ?? Math.ceil(span / buckets)

const sameList = (text: string | undefined): Effect.Effect<ReadonlyArray<Same>, Invalid> => {
  if (text === undefined || text === "" || text === "all") return Effect.succeed([])
  const named = text.split(",").map((word) => word.trim().toLowerCase())
  const wrong = named.find((word) => !sameFields.includes(word as Same))
  return wrong === undefined
    ? Effect.succeed(named as ReadonlyArray<Same>)
    : Effect.fail(invalid("query.same", `expected all or ${sameFields.join(", ")}, got ${JSON.stringify(wrong)}`))
}

/** `time,id` as a cursor. */
const afterCursor = (text: string | undefined): Effect.Effect<string | undefined, Invalid> => {
  if (text === undefined) return Effect.succeed(undefined)
  const [, time = "", seq = ""] = /^(.+),(\d{1,18})$/u.exec(text) ?? []
  const ms = Date.parse(time)
  return Number.isFinite(ms)
    ? Effect.succeed(Cursor.encode({ time: ms, seq }))
    : Effect.fail(invalid("query.after", `expected the time and the id of a line, got ${JSON.stringify(text)}`))
}

const encoder = new TextEncoder()

/** All that `options` finds, page by page, as NDJSON. */
const exported = (logs: Logs["Service"], options: Omit<SearchOptions, "limit">, most: number | undefined) =>
  Stream.paginate({ cursor: options.cursor, left: most ?? Infinity }, ({ cursor, left }) =>
    Effect.map(
      logs.search({
        ...options,
        limit: Math.min(exportPage, left),
        ...(cursor === undefined ? {} : { cursor })
      }),
      ({ events, next }) => {
        const rest = left - events.length
        const text = events.map((event) => `${JSON.stringify(event)}\n`).join("")
        const more = next === null || rest <= 0 ? Option.none() : Option.some({ cursor: next, left: rest })
        return [text === "" ? [] : [encoder.encode(text)], more] as const
      }
    )
  )

export const ExploreHandlers = HttpApiBuilder.group(
  Api,
  "explore",
  Effect.fnUntraced(function* (handlers) {
    const logs = yield* Logs
    const projects = yield* Projects
    const project = requestProject.pipe(Effect.provideService(Projects, projects))
    return handlers
      .handle(
        "histogram",
        Effect.fnUntraced(function* ({ query }) {
          const id = yield* project
          const narrowed = yield* narrow(query)
          const to = narrowed.to ?? (yield* Clock.currentTimeMillis) + 1
          const from = narrowed.from ?? to - hourMs
          if (from >= to) return yield* invalid("query.to", "expected a time after `from`, got one that is not")
          const bucketMs = query.interval ?? widthOf(to - from, query.buckets ?? bucketsDefault)
          const start = Math.floor(from / bucketMs) * bucketMs
          const end = Math.ceil(to / bucketMs) * bucketMs
          if ((end - start) / bucketMs > bucketsMax) {
            return yield* invalid("query.interval", `expected at most ${bucketsMax} buckets, got a width for more`)
          }
          const found = yield* orUnavailable(
            logs.timeline({ ...narrowed, project: id, from: start, to: end, bucketMs })
          )
          return { ...found, from: new Date(start).toISOString(), to: new Date(end).toISOString(), bucketMs }
        })
      )
      .handle(
        "fields",
        Effect.fnUntraced(function* ({ query }) {
          const id = yield* project
          return yield* orUnavailable(logs.fields(id, query.prefix ?? "", query.limit ?? fieldsDefault))
        })
      )
      .handle(
        "values",
        Effect.fnUntraced(function* ({ params, query }) {
          const id = yield* project
          const { limit = fieldsDefault, prefix = "" } = query
          return yield* orUnavailable(logs.values({ project: id, field: params.name, prefix, limit }))
        })
      )
      .handle(
        "context",
        Effect.fnUntraced(function* ({ params, query }) {
          const id = yield* project
          const same = yield* sameList(query.same)
          const { after = contextDefault, before = contextDefault } = query
          const found = yield* orUnavailable(logs.context({ project: id, id: params.id, before, after, same }))
          return yield* orNotFound(found, "a line of this id")
        })
      )
      .handle(
        "export",
        Effect.fnUntraced(function* ({ query }) {
          const id = yield* project
          const narrowed = yield* narrow(query)
          const cursor = yield* afterCursor(query.after)
          const options = {
            ...narrowed,
            project: id,
            order: query.order ?? "newest",
            ...(cursor === undefined ? {} : { cursor })
          }
          return exported(logs, options, query.limit).pipe(Stream.orDie)
        })
      )
  })
)
