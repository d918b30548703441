/** Handlers of the group `explore`. */
import { Clock, Effect, Option, Result, Schedule, Stream } from "effect"
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
/** Lines of an export that are in memory at a time, at most: a page is bounded by its bytes, too (LogSearch.ts). */
const exportPage = 5_000
/** How long one page of an export may take, ms, and how often one that got nowhere is tried again. */
const exportPageMs = 60_000
const exportRetries = 8

/** Widths that people read well, ms. */
const widths = [1, 2, 5, 10, 20, 50, 100, 200, 500]
  .concat([1, 2, 5, 10, 15, 30].map((s) => s * 1_000))
  .concat([1, 2, 5, 10, 15, 30].map((m) => m * 60_000))
  .concat([1, 2, 3, 6, 12].map((h) => h * hourMs))
  .concat([1, 2, 7, 14, 30, 90, 365].map((d) => d * 24 * hourMs))

/** Whole buckets of a width that hold all from `from` to `to`. */
const aligned = (from: number, to: number, bucketMs: number) => ({
  bucketMs,
  start: Math.floor(from / bucketMs) * bucketMs,
  end: Math.ceil(to / bucketMs) * bucketMs
})

/** At most `most` buckets, of a round width where one fits that is not far too wide; otherwise they begin at `from`. */
const gridOf = (from: number, to: number, most: number) => {
  const fitting = widths
    .filter((width) => (to - from) / width <= most)
    .map((width) => aligned(from, to, width))
    .find(({ bucketMs, end, start }) => (end - start) / bucketMs <= most)
  if (fitting !== undefined && fitting.bucketMs * most <= (to - from) * 4) return fitting
  const unit = to - from >= most * 60_000 ? 60_000 : 1
  const { end: until, start } = aligned(from, to, unit)
  const bucketMs = Math.ceil((until - start) / most / unit) * unit
  return { bucketMs, start, end: start + Math.ceil((until - start) / bucketMs) * bucketMs }
}

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
  const cursor = Cursor.encode({ time: Date.parse(time), seq })
  return Result.isSuccess(Cursor.decode(cursor))
    ? Effect.succeed(cursor)
    : Effect.fail(invalid("query.after", `expected the time and the id of a line, got ${JSON.stringify(text)}`))
}

const encoder = new TextEncoder()

/**
 * All that `options` finds, page by page, as NDJSON. A page that ran out of time is followed by the rest of it, or tried
 * again; what fails nevertheless breaks the transfer off, so that nobody takes a part for the whole.
 */
export const exported = (
  logs: Pick<Logs["Service"], "search">,
  options: Omit<SearchOptions, "limit">,
  most: number | undefined
) =>
  Stream.paginate({ cursor: options.cursor, left: most ?? Infinity }, ({ cursor, left }) =>
    Effect.map(
      logs
        .search({
          ...options,
          limit: Math.min(exportPage, left),
          withinMs: exportPageMs,
          ...(cursor === undefined ? {} : { cursor })
        })
        .pipe(
          Effect.retry({
            while: (error) => error._tag === "SearchTooSlow",
            times: exportRetries,
            schedule: Schedule.exponential("250 millis")
          }),
          Effect.tapError((error) => Effect.logError("export broke off", error.message))
        ),
      ({ events, next }) => {
        const rest = left - events.length
        const text = events.map((event) => `${JSON.stringify(event)}\n`).join("")
        const more = next === null || rest <= 0 ? Option.none() : Option.some({ cursor: next, left: rest })
        return [text === "" ? [] : [encoder.encode(text)], more] as const
      }
    )
  ).pipe(Stream.orDie)

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
          if (from < Cursor.timeMin || to > Cursor.timeMax + 1) {
            const path = from < Cursor.timeMin ? "query.from" : "query.to"
            return yield* invalid(path, "expected a time in the years 1 to 9999, got one outside of them")
          }
          // Where no number is asked for, one bucket more is fine: a span that begins within one touches one more.
          const { bucketMs, end, start } =
            query.interval === undefined
              ? gridOf(from, to, query.buckets ?? bucketsDefault + 1)
              : aligned(from, to, query.interval)
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
          return exported(logs, options, query.limit)
        })
      )
  })
)
