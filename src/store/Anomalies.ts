/**
 * What `detect_anomalies` has found and learnt, and the hourly counts that it looks at. Promises that a finding that is found
 * again, by a run that is repeated or by the next one, is one row: its span grows and its score is the highest. What is odd is
 * decided in analytics/anomaly.
 */
import { Context, Effect, Layer } from "effect"
import type { Anomaly, AnomalyKind, AnomalySample, Finding } from "../domain/Anomaly.ts"
import type { ProjectId } from "../domain/Ids.ts"
import { Database, type StoreError } from "./Database.ts"
import { freshId } from "./ids.ts"
import { cleanText } from "./LogRows.ts"

/** A template with its lines per hour. */
export interface TemplateHours {
  /** Decimal digits. */
  readonly id: string
  readonly text: string
  readonly sample: string
  /** Epoch ms. */
  readonly firstSeen: number
  /** Start of an hour, epoch ms, lines, and errors among them; hours without lines are left out; oldest first. */
  readonly hours: ReadonlyArray<readonly [number, number, number]>
}

export interface Kept {
  readonly created: ReadonlyArray<Anomaly>
  /** Findings that were there and were seen again. */
  readonly again: number
}

export interface AnomalyQuery {
  readonly project: ProjectId
  /** Epoch ms: findings whose span touches from ≤ time < to. */
  readonly from: number
  readonly to: number
  readonly kind?: AnomalyKind
  /** 1 to 1,000. */
  readonly limit: number
}

export class Anomalies extends Context.Service<
  Anomalies,
  {
    /** Keeps findings, each once. `at`: epoch ms. */
    readonly keep: (project: ProjectId, findings: ReadonlyArray<Finding>, at: number) => Effect.Effect<Kept, StoreError>
    /** The latest first. */
    readonly list: (query: AnomalyQuery) => Effect.Effect<ReadonlyArray<Anomaly>, StoreError>
    /** What a model has learnt, as `saveModel` was given it. */
    readonly model: (project: ProjectId, name: string) => Effect.Effect<unknown, StoreError>
    readonly saveModel: (
      project: ProjectId,
      name: string,
      state: unknown,
      at: number
    ) => Effect.Effect<void, StoreError>
    /** The templates with the most lines of the hours from ≤ hour < to, at most `max`. */
    readonly templateHours: (
      project: ProjectId,
      window: { readonly from: number; readonly to: number; readonly max: number }
    ) => Effect.Effect<ReadonlyArray<TemplateHours>, StoreError>
    /** All lines with a template per hour: start, epoch ms, and lines; oldest first. */
    readonly totalHours: (
      project: ProjectId,
      window: { readonly from: number; readonly to: number }
    ) => Effect.Effect<ReadonlyArray<readonly [number, number]>, StoreError>
    /** Forgets findings that ended before; answers how many. */
    readonly forget: (project: ProjectId, before: number) => Effect.Effect<number, StoreError>
  }
>()("loglytics/store/Anomalies") {
  static readonly layer = Layer.effect(Anomalies, Effect.map(Database, make))
}

interface Row {
  readonly id: string
  readonly project: ProjectId
  readonly kind: AnomalyKind
  readonly subject: string
  readonly title: string
  readonly from_time: Date
  readonly to_time: Date
  readonly score: number
  readonly got: number | null
  readonly expected: number | null
  readonly explanation: string
  readonly query: string
  readonly template: string | null
  readonly samples: ReadonlyArray<AnomalySample>
  readonly found_at: Date
  readonly updated_at: Date
}

const fromRow = (row: Row): Anomaly => ({
  id: row.id,
  project: row.project,
  kind: row.kind,
  subject: row.subject,
  title: row.title,
  from: row.from_time.toISOString(),
  to: row.to_time.toISOString(),
  score: row.score,
  got: row.got,
  expected: row.expected,
  explanation: row.explanation,
  query: row.query,
  template: row.template,
  samples: row.samples,
  foundAt: row.found_at.toISOString(),
  updatedAt: row.updated_at.toISOString()
})

const iso = (ms: number): string => new Date(ms).toISOString()
const clean = (text: string): string => cleanText(text)

interface HourRow {
  readonly id: string
  readonly text: string
  readonly sample: string
  readonly first_seen: Date
  /** `[hours since 1970, lines, errors]` */
  readonly hours: ReadonlyArray<readonly [number, number, number]>
}

const hourMs = 3_600_000

function make(database: Database["Service"]): Anomalies["Service"] {
  const keep: Anomalies["Service"]["keep"] = Effect.fnUntraced(function* (project, findings, at) {
    if (findings.length === 0) return { created: [], again: 0 }
    const ids = yield* Effect.forEach(findings, () => freshId("anomaly"))
    return yield* database.tx("anomalies.keep", async (sql) => {
      // One run at a time: what one does not see yet the other would make again.
      await sql`select pg_advisory_xact_lock(hashtextextended(${`loglytics anomalies ${project}`}, 0))`
      const created: Array<Anomaly> = []
      for (const [i, one] of findings.entries()) {
        const subject = clean(one.subject)
        const reach = Number.isFinite(one.joinMs)
          ? sql`and to_time >= ${iso(one.from - one.joinMs)}::text::timestamptz
              and from_time <= ${iso(one.to + one.joinMs)}::text::timestamptz`
          : sql``
        const again = await sql<Array<{ id: string }>>`
          update anomalies set from_time = least(from_time, ${iso(one.from)}::text::timestamptz),
            to_time = greatest(to_time, ${iso(one.to)}::text::timestamptz),
            title = case when ${one.score}::double precision >= score then ${clean(one.title)} else title end,
            explanation = case when ${one.score}::double precision >= score then ${clean(one.explanation)} else explanation end,
            got = case when ${one.score}::double precision >= score then ${one.got}::double precision else got end,
            expected = case when ${one.score}::double precision >= score then ${one.expected}::double precision else expected end,
            score = greatest(score, ${one.score}::double precision), updated_at = ${iso(at)}::text::timestamptz
          where id = (
            select id from anomalies where project = ${project} and kind = ${one.kind} and subject = ${subject} ${reach}
            order by to_time desc limit 1
          ) returning id`
        if (again.length > 0) continue
        const samples = one.samples.map((sample) => ({ ...sample, message: clean(sample.message) }))
        const [row] = await sql<Array<Row>>`
          insert into anomalies (id, project, kind, subject, title, from_time, to_time, score, got, expected, explanation,
            query, template, samples, found_at, updated_at)
          values (${ids[i]!}, ${project}, ${one.kind}, ${subject}, ${clean(one.title)},
            ${iso(one.from)}::text::timestamptz, ${iso(one.to)}::text::timestamptz, ${one.score}, ${one.got},
            ${one.expected}, ${clean(one.explanation)}, ${clean(one.query)},
            ${one.template === null ? null : clean(one.template)}, ${JSON.stringify(samples)}::text::jsonb,
            ${iso(at)}::text::timestamptz, ${iso(at)}::text::timestamptz)
          returning *`
        created.push(fromRow(row!))
      }
      return { created, again: findings.length - created.length }
    })
  })

  const list: Anomalies["Service"]["list"] = ({ from, kind, limit, project, to }) =>
    Effect.map(
      database.read("anomalies.list", (sql) => {
        const kinds = kind === undefined ? sql`` : sql`and kind = ${kind}`
        return sql<Array<Row>>`
          select * from anomalies where project = ${project} and to_time >= ${iso(from)}::text::timestamptz
            and from_time < ${iso(to)}::text::timestamptz ${kinds}
          order by to_time desc, id desc limit ${limit}`
      }),
      (rows) => rows.map(fromRow)
    )

  const templateHours: Anomalies["Service"]["templateHours"] = (project, { from, max, to }) =>
    Effect.map(
      database.query(
        "anomalies.templateHours",
        (sql) => sql<Array<HourRow>>`
          with counted as (
            select coalesce(t.alias, t.id) as id, c.hour, sum(c.lines) as lines, sum(c.errors) as errors
            from template_counts c join templates t on t.project = c.project and t.id = c.template
            where c.project = ${project} and c.hour >= ${iso(from)}::text::timestamptz
              and c.hour < ${iso(to)}::text::timestamptz
            group by 1, 2
          ), largest as (
            select id, sum(lines) as lines, jsonb_agg(
              jsonb_build_array(extract(epoch from hour)::bigint / 3600, lines, errors) order by hour) as hours
            from counted group by id order by lines desc, id limit ${max}
          )
          select t.id::text as id, t.text, t.sample, t.first_seen, l.hours
          from largest l join templates t on t.project = ${project} and t.id = l.id order by l.lines desc, t.id`
      ),
      (rows) =>
        rows.map(({ first_seen, hours, id, sample, text }) => ({
          id,
          text,
          sample,
          firstSeen: first_seen.getTime(),
          hours: hours.map(([hour, lines, errors]) => [hour * hourMs, lines, errors] as const)
        }))
    )

  const totalHours: Anomalies["Service"]["totalHours"] = (project, { from, to }) =>
    Effect.map(
      database.query(
        "anomalies.totalHours",
        (sql) => sql<Array<{ hour: Date; lines: string }>>`
          select hour, sum(lines)::text as lines from template_counts
          where project = ${project} and hour >= ${iso(from)}::text::timestamptz and hour < ${iso(to)}::text::timestamptz
          group by hour order by hour`
      ),
      (rows) => rows.map(({ hour, lines }) => [hour.getTime(), Number(lines)] as const)
    )

  return Anomalies.of({
    keep,
    list,
    templateHours,
    totalHours,
    model: (project, name) =>
      Effect.map(
        database.query(
          "anomalies.model",
          (sql) => sql<Array<{ state: unknown }>>`
            select state from anomaly_models where project = ${project} and name = ${name}`
        ),
        (rows) => rows[0]?.state
      ),
    saveModel: (project, name, state, at) =>
      Effect.asVoid(
        database.query(
          "anomalies.saveModel",
          (sql) => sql`
            insert into anomaly_models (project, name, state, updated_at)
            values (${project}, ${name}, ${JSON.stringify(state)}::text::jsonb, ${iso(at)}::text::timestamptz)
            on conflict (project, name) do update set state = excluded.state, updated_at = excluded.updated_at`
        )
      ),
    forget: (project, before) =>
      Effect.map(
        database.query(
          "anomalies.forget",
          (sql) => sql`delete from anomalies where project = ${project} and to_time < ${iso(before)}::text::timestamptz`
        ),
        (rows) => rows.count
      )
  })
}
