/** How lines are found and counted. Part of Logs.ts, which says what is promised. */
import { Data, Effect } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import { type Level, levels } from "../domain/Level.ts"
import type { StoredEvent } from "../domain/LogEvent.ts"
import { type Query, all } from "../domain/Query.ts"
import * as Cursor from "./Cursor.ts"
import type { Database, Sql, StoreError } from "./Database.ts"
import { type LogRow, columns, fromRow } from "./LogRows.ts"
import { Params, conditionSql, levelsOf } from "./QuerySql.ts"

export interface SearchOptions {
  readonly project: ProjectId
  readonly query?: Query
  /** Any of these levels. */
  readonly levels?: ReadonlyArray<Level>
  /** Exactly this service, in any case. */
  readonly service?: string
  /** Event time, epoch ms: from ≤ time < to. */
  readonly from?: number
  readonly to?: number
  /** 1 to 1000 events; fewer come where they are large. */
  readonly limit: number
  /** `next` of the page before. */
  readonly cursor?: string
}

export interface Page {
  /** Newest first, by event time and then by id. */
  readonly events: ReadonlyArray<StoredEvent>
  readonly next: string | null
}

export interface Bucket {
  /** Start, ISO 8601. */
  readonly at: string
  readonly total: number
  readonly byLevel: Readonly<Record<Level, number>>
}

export interface CountOptions {
  readonly project: ProjectId
  readonly query: Query
  /** Arrival, epoch ms: from ≤ arrival < to. */
  readonly observedFrom: number
  readonly observedTo: number
}

export interface HistogramOptions {
  readonly project: ProjectId
  /** Arrival, epoch ms: from ≤ arrival < to. */
  readonly from: number
  readonly to: number
  readonly bucketMs: number
}

/** A search or count was cut off by the time limit. */
export class SearchTooSlow extends Data.TaggedError("SearchTooSlow")<{ readonly limitMs: number }> {
  override get message(): string {
    return `expected an answer within ${this.limitMs} ms, got none: narrow the time range, or add level: or service:`
  }
}

const narrowed = (options: SearchOptions): Query => {
  const parts: Array<Query> = []
  const any = (options.levels ?? []).map((level): Query => ({ _tag: "Level", op: "=", level }))
  if (any.length > 0) parts.push(any.length === 1 ? any[0]! : { _tag: "Or", parts: any })
  if (options.service !== undefined) parts.push({ _tag: "Service", pattern: [options.service] })
  if (options.query !== undefined) parts.push(options.query)
  return parts.length === 0 ? all : parts.length === 1 ? parts[0]! : { _tag: "And", parts }
}

/** Milliseconds as a time that both JavaScript and Postgres can say: what lies beyond finds the same lines. */
const isoTime = (ms: number): string =>
  new Date(Math.min(Math.max(ms, -62_135_596_800_000), 253_402_300_799_999)).toISOString()

const searchSql = (options: SearchOptions, after: Cursor.Position | undefined, limit: number) => {
  const params = new Params()
  const where = [`project = ${params.add(options.project, "text")}`]
  if (options.from !== undefined) {
    where.push(`time >= ${params.add(isoTime(options.from), "timestamptz")}`)
    // No line is newer than a day after its arrival (cleanTime), so earlier partitions need no look.
    where.push(`observed_at >= ${params.add(isoTime(options.from - 86_400_000), "timestamptz")}`)
  }
  if (options.to !== undefined) where.push(`time < ${params.add(isoTime(options.to), "timestamptz")}`)
  if (after !== undefined) {
    const time = params.add(isoTime(after.time), "timestamptz")
    where.push(`(time, seq) < (${time}, ${params.add(after.seq, "bigint")})`)
  }
  const query = narrowed(options)
  if (query._tag !== "All") where.push(conditionSql(query, params))
  const text = `select ${columns} from logs where ${where.join(" and ")} order by time desc, seq desc limit ${limit}`
  return { text, params: params.values }
}

/** Bytes of text in one answer, about; at least one line is always in it. */
const pageBytesMax = 8 * 1_024 * 1_024

/** Cuts the rows of `text`, in the order `by`, where they grow too large together; `found` says how many there were. */
const bounded = (text: string, by: string): string =>
  `select * from (
     select *, count(*) over () as found, sum(size) over (order by ${by}) - size as before from (
       select *, octet_length(message) + octet_length(attributes::text) as size from (${text}) rows
     ) sized
   ) summed where before < ${pageBytesMax} order by ${by}`

interface BoundedRow extends LogRow {
  readonly found: string
}

const emptyLevels = (): Record<Level, number> => ({
  unknown: 0,
  trace: 0,
  debug: 0,
  info: 0,
  warn: 0,
  error: 0,
  fatal: 0
})

/** The reading half of the service. */
export const reading = (database: Database["Service"]) => {
  const read = <A>(op: string, run: (sql: Sql) => Promise<A>): Effect.Effect<A, StoreError | SearchTooSlow> =>
    database
      .read(op, run)
      .pipe(
        Effect.mapError((error) =>
          error.code === "57014" ? new SearchTooSlow({ limitMs: database.readTimeoutMs }) : error
        )
      )
  const select = (op: string, text: string, params: ReadonlyArray<string>) =>
    // Not prepared: every shape of query would stay on the server for the life of the connection.
    read(op, (sql) => sql.unsafe<Array<BoundedRow>>(text, [...params], { prepare: false }))

  const search = Effect.fnUntraced(function* (options: SearchOptions) {
    const after = options.cursor === undefined ? undefined : yield* Effect.fromResult(Cursor.decode(options.cursor))
    const limit = Math.min(1000, Math.max(1, Math.trunc(options.limit)))
    const { params, text } = searchSql(options, after, limit + 1)
    const rows = yield* select("logs.search", bounded(text, "time desc, seq desc"), params)
    const page = rows.slice(0, limit)
    const last = Number(rows[0]?.found ?? 0) > page.length ? page.at(-1) : undefined
    return {
      events: page.map(fromRow),
      next: last === undefined ? null : Cursor.encode({ time: last.time.getTime(), seq: last.seq })
    }
  })

  const count = (options: CountOptions) => {
    const params = new Params()
    const within =
      `project = ${params.add(options.project, "text")}` +
      ` and observed_at >= ${params.add(isoTime(options.observedFrom), "timestamptz")}` +
      ` and observed_at < ${params.add(isoTime(options.observedTo), "timestamptz")}`
    const accepted = levelsOf(options.query)?.map((level) => `by_level[${levels.indexOf(level) + 1}]`)
    const text =
      accepted === undefined
        ? `select count(*)::text as n from logs where ${within} and ${conditionSql(options.query, params)}`
        : `select coalesce(sum(${["0", ...accepted].join(" + ")}), 0)::text as n from batches where ${within}`
    return read("logs.count", (sql) => sql.unsafe<Array<{ n: string }>>(text, params.values, { prepare: false })).pipe(
      Effect.map((rows) => Number(rows[0]!.n))
    )
  }

  const histogram = Effect.fnUntraced(function* (options: HistogramOptions) {
    const { bucketMs, from, project, to } = options
    const size = Math.min(10_000, Math.max(0, Math.ceil((to - from) / bucketMs)))
    const end = isoTime(Math.min(to, from + size * bucketMs))
    const sums = levels.map((level, index) => `sum(by_level[${index + 1}])::integer as ${level}`).join(", ")
    const rows = yield* read("logs.histogram", (sql) =>
      sql.unsafe<Array<{ bucket: number } & Record<Level, number>>>(
        `select floor((extract(epoch from observed_at) * 1000 - $2::numeric) / $3::numeric)::integer as bucket, ${sums}
         from batches where project = $1::text and observed_at >= $4::timestamptz and observed_at < $5::timestamptz group by 1`,
        [project, String(from), String(bucketMs), isoTime(from), end],
        { prepare: false }
      )
    )
    const found = new Map(rows.map(({ bucket, ...byLevel }) => [bucket, byLevel]))
    return Array.from({ length: size }, (_, index): Bucket => {
      const byLevel = found.get(index) ?? emptyLevels()
      const total = levels.reduce((sum, level) => sum + byLevel[level], 0)
      return { at: new Date(from + index * bucketMs).toISOString(), total, byLevel }
    })
  })

  const recent = Effect.fnUntraced(function* (project: ProjectId, wanted: number) {
    const n = Math.min(1000, Math.max(0, Math.trunc(wanted)))
    const [reach] = yield* read(
      "logs.recent",
      (sql) => sql<Array<{ since: Date | null }>>`
        select min(observed_at) as since from (
          select observed_at, sum(lines) over (order by observed_at desc, first_seq desc) - lines as newer
          from (select * from batches where project = ${project} order by observed_at desc limit ${n}) latest
        ) counted where newer < ${n}`
    )
    if (!reach?.since) return []
    const text = `select ${columns} from logs where project = $1::text and observed_at >= $2::timestamptz order by seq desc limit ${n}`
    const rows = yield* select("logs.recent", bounded(text, "seq desc"), [project, reach.since.toISOString()])
    return rows.map(fromRow).reverse()
  })

  return { search, count, histogram, recent }
}
