/**
 * Reads stored lines as figures: counts of services, levels, hosts and durations per hour, and of templates in a window.
 * Grouped by Postgres, block by block (BlockWalk.ts), so that no line leaves it. Part of Rollups.ts.
 */
import { Effect } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import { fromSeverity } from "../domain/Level.ts"
import { type Rollup, RollupBuilder } from "../domain/Rollup.ts"
import { least, lnGamma, most } from "../domain/Sketch.ts"
import type { Block } from "./BlockRead.ts"
import { durationSql } from "./Durations.ts"
import { type Question, type Reader, readBlocks, walk } from "./BlockWalk.ts"

const hourMs = 3_600_000

/** A name as an SQL literal: only names of the lists in this file come here. */
const literal = (name: string): string => `'${name}'`

const textSql = (names: ReadonlyArray<string>): string =>
  `coalesce(${names.map((name) => `case when jsonb_typeof(attributes -> ${literal(name)}) = 'string' then attributes ->> ${literal(name)} end`).join(", ")})`

const hostSql = `left(coalesce(${textSql(["host", "host.name", "hostname"])}, ''), 200)`
/** Ids in a path stand for each other, or each would be an endpoint of its own. */
const pathSql =
  `left(regexp_replace(regexp_replace(left(${textSql(["http.route", "route", "url.path", "path", "endpoint"])}, 500), '[?#].*$', ''), ` +
  `'/(?:\\d+|[0-9a-fA-F-]{8,})(?=/|$)', '/:id', 'g'), 200)`
const methodSql = `left(${textSql(["http.request.method", "method"])}, 10)`

/** Of lines whose columns are made once: without an offset each use would make them anew. */
const lineSql =
  `select *, case when ms is not null then ceil(ln(greatest(${least}, least(${most}, ms))) / ${lnGamma})::integer end as bucket, ` +
  `case when ms is not null then coalesce(coalesce(method || ' ', '') || path, '') else '' end as endpoint from `

interface GroupRow {
  readonly seen: string
  readonly kind: number | null
  readonly hour: string
  readonly level: number
  readonly service: string
  readonly host: string
  readonly endpoint: string
  readonly bucket: number | null
  readonly n: string
  readonly sum: number | null
  readonly max: number | null
  readonly errors: string
}

/** Lines of whole hours of event time that arrived in one stretch; epoch ms. */
export interface HoursWindow {
  readonly from: number
  readonly to: number
  readonly observedFrom: number
  readonly observedTo: number
}

const add = (hours: Map<number, RollupBuilder>, row: GroupRow): void => {
  const at = Number(row.hour) * hourMs
  const builder = hours.get(at) ?? new RollupBuilder()
  hours.set(at, builder)
  const n = Number(row.n)
  if (row.kind === 1) builder.addLines(row.service, fromSeverity(row.level), n)
  else if (row.kind === 2) builder.addHost(row.host, n)
  else if (row.bucket !== null) {
    const { bucket, endpoint, errors, max, service, sum } = row
    builder.addDurations(service, endpoint, { bucket, n, sum: sum ?? 0, max: max ?? 0, errors: Number(errors) })
  }
}

/** The rows of all hours in the window that have lines; undefined where the time was over. */
export const rollHours = Effect.fnUntraced(function* (
  reader: Reader,
  project: ProjectId,
  window: HoursWindow,
  limitMs: number
) {
  const question: Question = { project, query: { _tag: "All" }, window, order: "newest" }
  const hours = new Map<number, RollupBuilder>()
  const visit = (blocks: ReadonlyArray<Block>) =>
    Effect.map(
      readBlocks<GroupRow>(reader, "rollups.lines", question, blocks, (source, condition) => {
        const columns =
          `floor(extract(epoch from time) / 3600)::bigint as hour, level, left(service, 200) as service, ` +
          `${hostSql} as host, ${durationSql} as ms, ${pathSql} as path, ${methodSql} as method`
        return `with found as materialized (${lineSql} (${source.select(columns, condition)} offset 0) raw),
          grouped as (
            select 1 as kind, hour, level, service, '' as host, '' as endpoint, null::integer as bucket, count(*) as n,
              0::float8 as sum, 0::float8 as max, 0::bigint as errors from found group by hour, level, service
            union all
            select 2, hour, 0, '', host, '', null, count(*), 0, 0, 0 from found where host <> '' group by hour, host
            union all
            select 3, hour, 0, service, '', endpoint, bucket, count(*), sum(ms), max(ms), count(*) filter (where level >= 17)
            from found where bucket is not null group by hour, service, endpoint, bucket)
          select s.seen, g.* from (select ${source.seen} as seen) s left join grouped g on true`
      }),
      (rows) => {
        for (const row of rows) if (row.kind !== null) add(hours, row)
      }
    )
  const walked = yield* walk(reader, question, limitMs, () => false, visit)
  if (walked._tag === "Late") return undefined
  return new Map(Array.from(hours, ([at, builder]): [number, Rollup] => [at, builder.take()]))
})

/** Lines of one template, service and level. */
export interface Share {
  /** Decimal digits; "" where the line has none. */
  readonly template: string
  readonly service: string
  readonly level: number
  lines: number
}

/** The same of one step of time. */
export interface StepShare extends Share {
  /** Start of the step, epoch ms. */
  readonly at: number
}

export interface Shares {
  readonly shares: ReadonlyArray<StepShare>
  readonly lines: number
  /** Event time, epoch ms, from which on all lines are counted. */
  readonly from: number
}

export interface SharesOptions {
  readonly project: ProjectId
  readonly from: number
  readonly to: number
  readonly linesMax: number
  /** Length of the steps that are told apart; without it the window is one. */
  readonly stepMs?: number
}

/** How the lines of a window of event time spread; newest first, until so many were read. */
export const readShares = Effect.fnUntraced(function* (reader: Reader, options: SharesOptions, limitMs: number) {
  const { from, linesMax, project, stepMs = Infinity, to } = options
  const step = Number.isFinite(stepMs) ? `floor(extract(epoch from time) * 1000 / ${Math.round(stepMs)})::bigint` : "0"
  const question: Question = { project, query: { _tag: "All" }, window: { from, to }, order: "newest" }
  const found = new Map<string, StepShare>()
  let lines = 0
  let reached = from
  const enough = (next: Block): boolean => {
    if (lines < linesMax) return false
    reached = Math.min(to, next.max_time.getTime() + 1)
    return true
  }
  const visit = (blocks: ReadonlyArray<Block>) =>
    Effect.map(
      readBlocks<{
        seen: string
        step: string
        template: string | null
        service: string
        level: number | null
        n: string
      }>(reader, "rollups.shares", question, blocks, (source, condition) => {
        const columns = `${step} as step, template, left(service, 200) as service, level`
        const grouped = `select step, template, service, level, count(*) as n from (${source.select(columns, condition)}) raw group by 1, 2, 3, 4`
        return `select s.seen, g.* from (select ${source.seen} as seen) s left join (${grouped}) g on true`
      }),
      (rows) => {
        for (const { level, n, service, step: number, template } of rows) {
          if (level === null) continue
          const key = `${number} ${template ?? ""} ${level} ${service}`
          const at = Number.isFinite(stepMs) ? Number(number) * stepMs : from
          const share = found.get(key) ?? { at, template: template ?? "", service, level, lines: 0 }
          share.lines += Number(n)
          lines += Number(n)
          found.set(key, share)
        }
      }
    )
  const walked = yield* walk(reader, question, limitMs, enough, visit)
  if (walked._tag === "Late") reached = Math.min(to, walked.next.max_time.getTime() + 1)
  const shares: Shares = { shares: [...found.values()], lines, from: reached }
  return shares
})
