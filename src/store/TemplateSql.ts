/** How patterns are read from templates and their counts, and how the counts of new lines look. Part of Templates.ts. */
import type postgres from "postgres"
import { severity } from "../domain/Level.ts"
import type { LogEvent } from "../domain/LogEvent.ts"
import type { Pattern } from "../domain/Pattern.ts"
import type { Sql } from "./Database.ts"
import type { PatternQuery } from "./Templates.ts"

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Lines count by their own time where it is no further from their arrival: wrong clocks must not make hours without bound. */
const pastMs = 90 * dayMs
const aheadMs = dayMs

/** When a line counts, epoch ms: its own time, or its arrival where that can't be. */
export const countedAt = (time: number, arrived: number): number =>
  time >= arrived - pastMs && time <= arrived + aheadMs ? time : arrived

/** Buckets of a sparkline, at most; each is a whole number of hours. */
const bucketsMax = 48

interface Counting {
  readonly project: string
  readonly hour: number
  readonly template: number
  lines: number
  warnings: number
  errors: number
  last_at: number
}

/** Lines of one template in one hour, as `template_counts` takes them. */
export interface TemplateCount extends Omit<Counting, "hour" | "last_at"> {
  readonly hour: string
  readonly last_at: string
}

/** Counts of the lines of batches that arrive together, in the order in which rows are locked. */
export const countTemplates = (
  batches: ReadonlyArray<{
    readonly project: string
    readonly observedAt: number
    readonly events: ReadonlyArray<LogEvent>
  }>
): ReadonlyArray<TemplateCount> => {
  const counts = new Map<string, Counting>()
  for (const { events, observedAt, project } of batches) {
    for (const { level, template, time } of events) {
      if (template === undefined || template === 0) continue
      const at = countedAt(time, observedAt)
      const hour = Math.floor(at / hourMs) * hourMs
      const key = `${project} ${hour} ${template}`
      let count = counts.get(key)
      if (count === undefined) {
        count = { project, hour, template, lines: 0, warnings: 0, errors: 0, last_at: at }
        counts.set(key, count)
      }
      count.lines++
      if (severity[level] >= severity.error) count.errors++
      else if (level === "warn") count.warnings++
      count.last_at = Math.max(count.last_at, at)
    }
  }
  return Array.from(counts.values(), (count) => ({
    ...count,
    hour: new Date(count.hour).toISOString(),
    last_at: new Date(count.last_at).toISOString()
  }))
}

interface PatternRow {
  readonly id: string
  readonly text: string
  readonly sample: string
  readonly first_seen: Date
  readonly last_seen: Date
  readonly lines: string
  readonly before: string
  readonly warnings: string
  readonly errors: string
  readonly total: string
  /** `[bucket, lines]` */
  readonly buckets: ReadonlyArray<readonly [number, number]>
}

interface Window {
  readonly from: string
  readonly to: string
  readonly before: string
  readonly bucketHours: number
  readonly buckets: number
}

const windowOf = (from: number, to: number): Window => {
  const start = Math.floor(from / hourMs) * hourMs
  const end = Math.max(start + hourMs, Math.ceil(to / hourMs) * hourMs)
  const hours = (end - start) / hourMs
  const bucketHours = Math.ceil(hours / bucketsMax)
  return {
    from: new Date(start).toISOString(),
    to: new Date(end).toISOString(),
    before: new Date(start - (end - start)).toISOString(),
    bucketHours,
    buckets: Math.ceil(hours / bucketHours)
  }
}

const fromRow = (row: PatternRow, buckets: number): Pattern => {
  const sparkline = Array.from({ length: buckets }, () => 0)
  for (const [bucket, lines] of row.buckets) if (bucket >= 0 && bucket < buckets) sparkline[bucket]! += lines
  const count = Number(row.lines)
  const before = Number(row.before)
  return {
    id: row.id,
    text: row.text,
    count,
    share: Number(row.total) === 0 ? 0 : Math.round((count / Number(row.total)) * 10_000) / 10_000,
    trend: { before, ratio: before === 0 ? null : Math.round((count / before) * 100) / 100 },
    sparkline,
    levels: { warnings: Number(row.warnings), errors: Number(row.errors) },
    firstSeen: row.first_seen.toISOString(),
    lastSeen: row.last_seen.toISOString(),
    sample: row.sample
  }
}

/** Text as a LIKE pattern that contains it. */
const containing = (text: string): string => `%${text.replace(/[\\%_]/gu, String.raw`\$&`)}%`

/** Patterns with lines in the window. New ones first: by first sight; trend: by how much more came than before. */
export const listPatterns = async (sql: Sql, query: PatternQuery): Promise<ReadonlyArray<Pattern>> => {
  const window = windowOf(query.from, query.to)
  const order =
    query.sort === "new"
      ? sql`t.first_seen desc, n.lines desc, t.id`
      : query.sort === "trend"
        ? sql`(n.lines + 1.0) / (n.before + 1.0) desc, n.lines desc, t.id`
        : sql`n.lines desc, t.id`
  const wanted =
    query.text === undefined || query.text === "" ? sql`` : sql`and fold(t.text) like fold(${containing(query.text)})`
  return rows(await select(sql, query.project, window, sql`n.lines > 0 ${wanted}`, order, query.limit), window)
}

const rows = (found: ReadonlyArray<PatternRow>, window: Window) => found.map((row) => fromRow(row, window.buckets))

/** One pattern by its id or that of a template that it has taken in. */
export const patternOf = async (
  sql: Sql,
  { from, id, project, to }: Pick<PatternQuery, "project" | "from" | "to"> & { readonly id: string }
): Promise<Pattern | undefined> => {
  const window = windowOf(from, to)
  const which = sql`t.id = (select coalesce(alias, id) from templates where project = ${project} and id = ${id}::text::bigint)`
  return rows(await select(sql, project, window, which, sql`t.id`, 1), window)[0]
}

const select = (
  sql: Sql,
  project: string,
  window: Window,
  which: postgres.Fragment,
  order: postgres.Fragment,
  limit: number
) =>
  sql<Array<PatternRow>>`
    with counted as (
      select coalesce(t.alias, t.id) as id, c.hour >= ${window.from}::text::timestamptz as now,
        floor(extract(epoch from c.hour - ${window.from}::text::timestamptz) / 3600 / ${window.bucketHours})::integer as bucket,
        sum(c.lines) as lines, sum(c.warnings) as warnings, sum(c.errors) as errors, max(c.last_at) as last_at
      from template_counts c join templates t on t.project = c.project and t.id = c.template
      where c.project = ${project} and c.hour >= ${window.before}::text::timestamptz
        and c.hour < ${window.to}::text::timestamptz
      group by 1, 2, 3
    ), summed as (
      select id, coalesce(sum(lines) filter (where now), 0) as lines, coalesce(sum(lines) filter (where not now), 0) as before,
        coalesce(sum(warnings) filter (where now), 0) as warnings, coalesce(sum(errors) filter (where now), 0) as errors,
        max(last_at) as last_at,
        coalesce(jsonb_agg(jsonb_build_array(bucket, lines) order by bucket) filter (where now), '[]') as buckets
      from counted group by id
    ), n as (
      select t.id, coalesce(s.lines, 0) as lines, coalesce(s.before, 0) as before, coalesce(s.warnings, 0) as warnings,
        coalesce(s.errors, 0) as errors, s.last_at, coalesce(s.buckets, '[]') as buckets
      from templates t left join summed s on s.id = t.id where t.project = ${project} and t.alias is null
    )
    select t.id, t.text, t.sample, t.first_seen, greatest(t.last_seen, n.last_at) as last_seen, n.lines, n.before,
      n.warnings, n.errors, n.buckets, (select coalesce(sum(lines), 0) from n) as total
    from n join templates t on t.project = ${project} and t.id = n.id
    where ${which} order by ${order} limit ${limit}`
