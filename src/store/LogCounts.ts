/** How lines are counted. Part of Logs.ts, which says what is promised. */
import { Effect } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import { type Level, fromSeverity, levels } from "../domain/Level.ts"
import type { Query } from "../domain/Query.ts"
import { type Block, isoTime } from "./BlockRead.ts"
import { type Question, type Reader, SearchTooSlow, readBlocks, walk } from "./BlockWalk.ts"
import type { Database } from "./Database.ts"
import { type Narrow, narrowed } from "./LogSearch.ts"
import { levelsOf } from "./QuerySql.ts"

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

export interface TimelineOptions extends Narrow {
  /** Event time, epoch ms: from ≤ time < to. */
  readonly from: number
  readonly to: number
  readonly bucketMs: number
}

export interface Timeline {
  readonly buckets: ReadonlyArray<Bucket>
  /** False where the time was over: lines before `scannedTo` are counted in part. */
  readonly complete: boolean
  /** Event time, ISO 8601, from which on everything is counted; null where all is. */
  readonly scannedTo: string | null
}

/** After this many milliseconds a timeline gives what it has. */
const timelineMs = 10_000
const bucketsMax = 10_000
const minuteMs = 60_000

const emptyLevels = (): Record<Level, number> => ({
  unknown: 0,
  trace: 0,
  debug: 0,
  info: 0,
  warn: 0,
  error: 0,
  fatal: 0
})

type Counts = Map<number, Record<Level, number>>

const bucketsOf = (from: number, bucketMs: number, size: number, found: Counts): ReadonlyArray<Bucket> =>
  Array.from({ length: size }, (_, index): Bucket => {
    const byLevel = found.get(index) ?? emptyLevels()
    const total = levels.reduce((sum, level) => sum + byLevel[level], 0)
    return { at: new Date(from + index * bucketMs).toISOString(), total, byLevel }
  })

const sizeOf = ({ bucketMs, from, to }: { readonly from: number; readonly to: number; readonly bucketMs: number }) =>
  Math.min(bucketsMax, Math.max(0, Math.ceil((to - from) / bucketMs)))

interface LevelRow {
  readonly seen: string
  readonly bucket: number | null
  readonly level: number
  readonly n: string
}

/** The counting part of the service. */
export const counting = (database: Database["Service"], reader: Reader) => {
  const tooSlow = new SearchTooSlow({ limitMs: database.readTimeoutMs })

  const countLevels = ({ observedFrom, observedTo, project }: CountOptions, accepted: ReadonlyArray<Level>) => {
    const counts = accepted.map((level) => `by_level[${levels.indexOf(level) + 1}]`)
    return Effect.map(
      reader.select<{ n: string }>(
        "logs.count",
        `select coalesce(sum(${["0", ...counts].join(" + ")}), 0)::text as n from batches
         where project = $1::text and observed_at >= $2::timestamptz and observed_at < $3::timestamptz`,
        [project, isoTime(observedFrom), isoTime(observedTo)]
      ),
      (rows) => Number(rows[0]!.n)
    )
  }

  const countLines = Effect.fnUntraced(function* (options: CountOptions) {
    const { observedFrom, observedTo, project, query } = options
    const question: Question = { project, query, window: { observedFrom, observedTo }, order: "newest" }
    let total = 0
    const visit = (blocks: ReadonlyArray<Block>) =>
      Effect.map(
        readBlocks<{ seen: string; n: string }>(reader, "logs.count", question, blocks, (source, condition) => {
          return `select ${source.seen} as seen, count(*)::text as n from (${source.select("1", condition)}) lines`
        }),
        (rows) => void (total += Number(rows[0]!.n))
      )
    const walked = yield* walk(reader, question, database.readTimeoutMs, () => false, visit)
    return walked._tag === "Late" ? yield* tooSlow : total
  })

  const count = (options: CountOptions) => {
    const accepted = levelsOf(options.query)
    return accepted === undefined ? countLines(options) : countLevels(options, accepted)
  }

  const histogram = Effect.fnUntraced(function* (options: HistogramOptions) {
    const { bucketMs, from, project, to } = options
    const size = sizeOf(options)
    const sums = levels.map((level, index) => `sum(by_level[${index + 1}])::integer as ${level}`).join(", ")
    const rows = yield* reader.select<{ bucket: number } & Record<Level, number>>(
      "logs.histogram",
      `select floor((extract(epoch from observed_at) * 1000 - $2::numeric) / $3::numeric)::integer as bucket, ${sums}
       from batches where project = $1::text and observed_at >= $4::timestamptz and observed_at < $5::timestamptz group by 1`,
      [project, String(from), String(bucketMs), isoTime(from), isoTime(Math.min(to, from + size * bucketMs))]
    )
    return bucketsOf(from, bucketMs, size, new Map(rows.map(({ bucket, ...byLevel }) => [bucket, byLevel])))
  })

  /** From the counts per minute, without reading lines. */
  const byMinute = Effect.fnUntraced(function* (options: TimelineOptions, accepted: ReadonlyArray<Level>) {
    const { bucketMs, from, project } = options
    const size = sizeOf(options)
    const end = Math.min(options.to, from + size * bucketMs)
    const sums = levels.map((level) => `sum(${level})::bigint::text as ${level}`).join(", ")
    const rows = yield* reader.select<{ bucket: number } & Record<Level, string>>(
      "logs.timeline",
      `select floor((extract(epoch from minute) * 1000 - $2::numeric) / $3::numeric)::integer as bucket, ${sums}
       from log_minutes where project = $1::text and minute >= $4::timestamptz and minute < $5::timestamptz
         and day >= ($4::timestamptz at time zone 'UTC')::date - 1 group by 1`,
      [project, String(from), String(bucketMs), isoTime(from), isoTime(end)]
    )
    const found: Counts = new Map()
    for (const row of rows) {
      const byLevel = emptyLevels()
      for (const level of accepted) byLevel[level] = Number(row[level])
      found.set(row.bucket, byLevel)
    }
    const all: Timeline = { buckets: bucketsOf(from, bucketMs, size, found), complete: true, scannedTo: null }
    return all
  })

  const byLine = Effect.fnUntraced(function* (options: TimelineOptions, query: Query) {
    const { bucketMs, from, project } = options
    const size = sizeOf(options)
    const to = Math.min(options.to, from + size * bucketMs)
    const question: Question = { project, query, window: { from, to }, order: "newest" }
    const found: Counts = new Map()
    const visit = (blocks: ReadonlyArray<Block>) =>
      Effect.map(
        readBlocks<LevelRow>(reader, "logs.timeline", question, blocks, (source, condition, params) => {
          const start = params.add(from, "numeric")
          const bucket = `floor((extract(epoch from time) * 1000 - ${start}) / ${params.add(bucketMs, "numeric")})::integer`
          const grouped = `select bucket, level, count(*)::text as n from (${source.select(`${bucket} as bucket, level`, condition)}) lines group by 1, 2`
          return `select s.seen, b.* from (select ${source.seen} as seen) s left join (${grouped}) b on true`
        }),
        (rows) => {
          for (const { bucket, level, n } of rows) {
            if (bucket === null) continue
            const byLevel = found.get(bucket) ?? emptyLevels()
            byLevel[fromSeverity(level)] += Number(n)
            found.set(bucket, byLevel)
          }
        }
      )
    const walked = yield* walk(reader, question, Math.min(timelineMs, database.readTimeoutMs), () => false, visit)
    if (walked._tag === "Late" && walked.first) return yield* tooSlow
    const timeline: Timeline = {
      buckets: bucketsOf(from, bucketMs, size, found),
      complete: walked._tag !== "Late",
      scannedTo: walked._tag === "Late" ? walked.next.max_time.toISOString() : null
    }
    return timeline
  })

  const timeline = (options: TimelineOptions) => {
    const query = narrowed(options)
    const accepted = levelsOf(query)
    const whole = [options.from, options.bucketMs, options.to].every((ms) => ms % minuteMs === 0)
    return accepted !== undefined && whole ? byMinute(options, accepted) : byLine(options, query)
  }

  return { count, histogram, timeline }
}
