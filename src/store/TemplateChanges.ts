/** How the lines of templates changed from one window to the next, those that came and those that went too. Part of Rollups.ts. */
import type { ProjectId } from "../domain/Ids.ts"
import type { Sql } from "./Database.ts"

export interface TemplateChange {
  /** Decimal digits. */
  readonly id: string
  readonly text: string
  readonly lines: number
  readonly warnings: number
  readonly errors: number
  /** Lines of the window before. */
  readonly before: number
  /** ISO 8601, event time. */
  readonly firstSeen: string
  readonly lastSeen: string
}

const templatesMax = 5_000
const textMax = 1_000

/** Templates with lines in one of the windows `before` ≤ time < `from` ≤ time < `to` (whole hours, ISO), the most first. */
export const templateChanges = async (
  sql: Sql,
  options: { readonly project: ProjectId; readonly before: string; readonly from: string; readonly to: string }
): Promise<ReadonlyArray<TemplateChange>> => {
  const { before, from, project, to } = options
  const rows = await sql<
    Array<{
      id: string
      text: string
      lines: string
      warnings: string
      errors: string
      before: string
      first_seen: Date
      last_seen: Date
    }>
  >`
    with counted as (
      select coalesce(t.alias, t.id) as id,
        coalesce(sum(c.lines) filter (where c.hour >= ${from}::text::timestamptz), 0) as lines,
        coalesce(sum(c.warnings) filter (where c.hour >= ${from}::text::timestamptz), 0) as warnings,
        coalesce(sum(c.errors) filter (where c.hour >= ${from}::text::timestamptz), 0) as errors,
        coalesce(sum(c.lines) filter (where c.hour < ${from}::text::timestamptz), 0) as before, max(c.last_at) as last_at
      from template_counts c join templates t on t.project = c.project and t.id = c.template
      where c.project = ${project} and c.hour >= ${before}::text::timestamptz and c.hour < ${to}::text::timestamptz
      group by 1
    )
    select c.id, left(t.text, ${textMax}) as text, c.lines, c.warnings, c.errors, c.before, t.first_seen,
      c.last_at as last_seen
    from counted c join templates t on t.project = ${project} and t.id = c.id
    order by greatest(c.lines, c.before) desc, c.id limit ${templatesMax}`
  return rows.map((row) => ({
    id: row.id,
    text: row.text,
    lines: Number(row.lines),
    warnings: Number(row.warnings),
    errors: Number(row.errors),
    before: Number(row.before),
    firstSeen: row.first_seen.toISOString(),
    lastSeen: row.last_seen.toISOString()
  }))
}
