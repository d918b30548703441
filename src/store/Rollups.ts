/**
 * Figures per hour and day of event time, kept beside the lines so that a year's chart is quick. Promises that every stored
 * line is counted once: an hour is made anew from its lines as long as it counts fewer than `log_minutes`, which is written
 * in the statement that stores them, and a row never shrinks, so that figures stay when lines go. How lines are read is in
 * RollupLines.ts, what a row is in domain/Rollup.ts.
 */
import { Clock, Context, Effect, Layer } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import { type Level, levels } from "../domain/Level.ts"
import { mergeRollups, type Rollup } from "../domain/Rollup.ts"
import { reader, type SearchTooSlow } from "./BlockWalk.ts"
import { Database, type StoreError } from "./Database.ts"
import { chunksOf, countsOf, fromRow, keep, type PartRow, type StaleRow } from "./RollupRows.ts"
import { readShares, rollHours, type Shares, type SharesOptions } from "./RollupLines.ts"
import { type TemplateChange, templateChanges } from "./TemplateChanges.ts"

export type { Share, Shares } from "./RollupLines.ts"
export type { TemplateChange } from "./TemplateChanges.ts"

export interface Point {
  /** Start, epoch ms. */
  readonly at: number
  readonly byLevel: Readonly<Record<Level, number>>
}

/** Whole steps of event time: from ≤ time < to, epoch ms; `stepMs` is whole hours. */
export interface Span {
  readonly project: ProjectId
  readonly from: number
  readonly to: number
}

export interface TemplateText {
  /** The template that has taken it in, or itself. */
  readonly root: string
  readonly text: string
  /** Epoch ms. */
  readonly firstSeen: number
}

/** Which list of a row is read: the rest of it is left empty. */
export type Part = "services" | "hosts" | "endpoints" | "latency"

export interface Updated {
  /** Hours that were made anew. */
  readonly hours: number
  readonly lines: number
  /** Whether more are to be made. */
  readonly left: boolean
}

export class Rollups extends Context.Service<
  Rollups,
  {
    /** Makes hours that are not up to date anew, the newest first, about `linesMax` lines at least. */
    readonly update: (
      project: ProjectId,
      options: { readonly linesMax: number }
    ) => Effect.Effect<Updated, StoreError | SearchTooSlow>
    /** Lines by level; of the last day as they are stored this moment. Steps without lines are left out. */
    readonly volume: (span: Span & { readonly stepMs: number }) => Effect.Effect<ReadonlyArray<Point>, StoreError>
    /** One part of the figures, merged per step; steps without lines are left out. */
    readonly series: (
      span: Span & { readonly stepMs: number; readonly part: Part }
    ) => Effect.Effect<ReadonlyMap<number, Rollup>, StoreError>
    /** How the lines of a window spread over templates, services and levels: as much as can be read in a few seconds. */
    readonly shares: (options: SharesOptions) => Effect.Effect<Shares, StoreError | SearchTooSlow>
    /** Start of the earliest hour from `from` on that was made anew since `since` (both epoch ms). */
    readonly remade: (
      project: ProjectId,
      options: { readonly from: number; readonly since: number }
    ) => Effect.Effect<number | undefined, StoreError>
    /** Templates with lines in the span or in one of the same length before it, in whole hours. */
    readonly templates: (span: Span) => Effect.Effect<ReadonlyArray<TemplateChange>, StoreError>
    /** Templates by their ids, of those that there are. */
    readonly texts: (
      project: ProjectId,
      ids: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyMap<string, TemplateText>, StoreError>
    /** Start of the newest hour that is rolled up, epoch ms. */
    readonly newest: (project: ProjectId) => Effect.Effect<number | undefined, StoreError>
  }
>()("loglytics/store/Rollups") {
  static readonly layer = Layer.effect(Rollups, Effect.map(Database, make))
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Stale hours that are looked at together. */
const staleMax = 5_000
/** One walk over an hour's lines may take so long. */
const walkMs = 300_000
const sharesMs = 5_000
/** So far back volumes come from the counts per minute. */
const freshMs = dayMs

const iso = (ms: number): string => new Date(ms).toISOString()
const total = levels.join(" + ")

/** The widest rows that steps can be made of. */
const widthOf = ({
  from,
  stepMs,
  to
}: {
  readonly from: number
  readonly to: number
  readonly stepMs: number
}): 1 | 24 => ([from, stepMs, to].every((ms) => ms % dayMs === 0) ? 24 : 1)

const emptyLevels = (): Record<Level, number> =>
  Object.fromEntries(levels.map((level) => [level, 0])) as Record<Level, number>

function make(database: Database["Service"]): Rollups["Service"] {
  const read = reader(database)

  const stale = (project: ProjectId) =>
    database.read(
      "rollups.stale",
      (sql) => sql<Array<StaleRow>>`
        with counted as (
          select day, floor(extract(epoch from minute) / 3600)::bigint as hour, sum(${sql.unsafe(total)}) as lines
          from log_minutes where project = ${project} group by 1, 2
        ), placed as (
          select day, hour, lines, row_number() over (partition by day order by hour) as place from counted
        )
        select p.day::text as day, p.hour, p.place, p.lines from placed p
        left join rollups r on r.project = ${project} and r.hours = 1 and r.day = p.day
          and r.start = to_timestamp(p.hour * 3600)
        where r.lines is null or r.lines < p.lines
        order by p.day desc, p.hour desc limit ${staleMax}`
    )

  const update = Effect.fnUntraced(function* (project: ProjectId, { linesMax }: { readonly linesMax: number }) {
    const found = yield* stale(project)
    let [hours, lines, left] = [0, 0, found.length >= staleMax]
    for (const chunk of chunksOf(found)) {
      if (lines >= linesMax) {
        left = true
        break
      }
      const { day, from, to } = chunk
      const window = { from, to, observedFrom: day, observedTo: day + dayMs }
      const rows = yield* rollHours(read, project, window, walkMs)
      // Too many lines for the time there is: the hour stays as it is, and is told.
      if (rows === undefined) {
        yield* Effect.logWarning("an hour has too many lines to be rolled up in time").pipe(
          Effect.annotateLogs({ project, from: iso(from) })
        )
        left = true
        continue
      }
      const madeAt = yield* Clock.currentTimeMillis
      yield* database.tx("rollups.keep", (sql) => keep(sql, { project, day, madeAt }, chunk, rows))
      hours += rows.size
      for (const row of rows.values()) lines += row.lines
    }
    return { hours, lines, left }
  })

  const volume: Rollups["Service"]["volume"] = Effect.fnUntraced(function* (span) {
    const { from, project, stepMs, to } = span
    const now = yield* Clock.currentTimeMillis
    const unit = widthOf(span) === 24 ? dayMs : hourMs
    const fresh = Math.min(to, Math.max(from, Math.floor((now - freshMs) / unit) * unit))
    const rows = yield* database.read(
      "rollups.volume",
      (sql) => sql<Array<{ bucket: string; counts: unknown }>>`
        select bucket, array[${sql.unsafe(levels.map((_, i) => `sum(counts[${i + 1}])::bigint`).join(", "))}] as counts
        from (
          select floor((extract(epoch from start) * 1000 - ${String(from)}::text::numeric) / ${String(stepMs)}::text::numeric)::bigint as bucket,
            by_level as counts
          from rollups where project = ${project} and hours = ${widthOf(span)} and start >= ${iso(from)}::text::timestamptz
            and start < ${iso(fresh)}::text::timestamptz
          union all
          select floor((extract(epoch from minute) * 1000 - ${String(from)}::text::numeric) / ${String(stepMs)}::text::numeric)::bigint,
            array[${sql.unsafe(levels.join(", "))}]::bigint[]
          from log_minutes where project = ${project} and minute >= ${iso(fresh)}::text::timestamptz
            and minute < ${iso(to)}::text::timestamptz
        ) parts group by 1`
    )
    return rows
      .map(({ bucket, counts }): Point => {
        const byLevel = emptyLevels()
        for (const [i, n] of countsOf(counts).entries()) byLevel[levels[i]!] = n
        return { at: from + Number(bucket) * stepMs, byLevel }
      })
      .sort((a, b) => a.at - b.at)
  })

  const series: Rollups["Service"]["series"] = (span) =>
    Effect.map(
      database.read(
        "rollups.series",
        (sql) => sql<Array<PartRow>>`
          select (extract(epoch from start) * 1000)::bigint as at, lines, by_level, ${sql(span.part)}
          from rollups where project = ${span.project} and hours = ${widthOf(span)}
            and start >= ${iso(span.from)}::text::timestamptz and start < ${iso(span.to)}::text::timestamptz`
      ),
      (rows) => {
        const steps = Map.groupBy(
          rows,
          ({ at }) => span.from + Math.floor((Number(at) - span.from) / span.stepMs) * span.stepMs
        )
        return new Map(
          Array.from(steps, ([at, of]): [number, Rollup] => [
            at,
            of.length === 1 ? fromRow(of[0]!) : mergeRollups(of.map(fromRow))
          ]).sort(([a], [b]) => a - b)
        )
      }
    )

  return Rollups.of({
    update,
    volume,
    series,
    shares: (options) => readShares(read, options, sharesMs),
    templates: ({ from, project, to }) => {
      const start = Math.floor(from / hourMs) * hourMs
      const end = Math.max(start + hourMs, Math.ceil(to / hourMs) * hourMs)
      const window = { project, before: iso(start - (end - start)), from: iso(start), to: iso(end) }
      return database.read("rollups.templates", (sql) => templateChanges(sql, window))
    },
    texts: (project, ids) =>
      Effect.map(
        database.read(
          "rollups.texts",
          (sql) => sql<Array<{ id: string; root: string; text: string; first_seen: Date }>>`
            select t.id, coalesce(r.id, t.id) as root, left(coalesce(r.text, t.text), 1000) as text, coalesce(r.first_seen, t.first_seen) as first_seen
            from templates t left join templates r on r.project = t.project and r.id = t.alias
            where t.project = ${project} and t.id = any(${`{${ids.filter((id) => /^\d{1,16}$/u.test(id)).join(",")}}`}::text::bigint[])`
        ),
        (rows) =>
          new Map(rows.map(({ first_seen, id, root, text }) => [id, { root, text, firstSeen: first_seen.getTime() }]))
      ),
    remade: (project, { from, since }) =>
      Effect.map(
        database.read(
          "rollups.remade",
          (sql) => sql<Array<{ at: string | null }>>`
            select (extract(epoch from min(start)) * 1000)::bigint as at from rollups
            where project = ${project} and hours = 1 and start >= ${iso(from)}::text::timestamptz
              and made_at >= ${iso(since)}::text::timestamptz`
        ),
        (rows) => (typeof rows[0]?.at === "string" ? Number(rows[0].at) : undefined)
      ),
    newest: (project) =>
      Effect.map(
        database.read(
          "rollups.newest",
          (sql) => sql<Array<{ at: string | null }>>`
            select (extract(epoch from max(start)) * 1000)::bigint as at from rollups
            where project = ${project} and hours = 1`
        ),
        (rows) => (typeof rows[0]?.at === "string" ? Number(rows[0].at) : undefined)
      )
  })
}
