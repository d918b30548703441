/**
 * Templates of each project's messages, and the lines that came of each per hour of event time. Promises that a template that
 * was taken in by another still resolves, and that aliases make no rings. Counting happens in the statement that stores the
 * lines (LogAppend.ts), so counts and lines agree whatever is killed; finding templates is left to parse/templates.
 */
import { Context, Effect, Layer } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import type { Pattern, PatternSort } from "../domain/Pattern.ts"
import { Database, type StoreError, type Transaction } from "./Database.ts"
import { cleanText } from "./LogRows.ts"
import { listPatterns, patternOf } from "./TemplateSql.ts"

export { countedAt } from "./TemplateSql.ts"

/** A template as a miner made it and goes on with it. */
export interface KeptTemplate {
  readonly id: number
  readonly text: string
  readonly shape: string
  readonly sample: string
  /** The template that has taken this one in. */
  readonly alias?: number | undefined
  /** Time of its first line, epoch ms; when it is kept where that is not known. */
  readonly firstSeen?: number | undefined
}

export interface PatternQuery {
  readonly project: ProjectId
  /** Event time, epoch ms, whole hours count: `from` inclusive, `to` exclusive. */
  readonly from: number
  readonly to: number
  /** Only templates whose text contains this, whatever its case. */
  readonly text?: string
  readonly sort: PatternSort
  readonly limit: number
}

/** Where a reader of changes stands. */
export interface Learned {
  readonly templates: ReadonlyArray<KeptTemplate>
  /** Give it to the next `changedSince`. */
  readonly cursor: string
}

export class Templates extends Context.Service<
  Templates,
  {
    /** Keeps what is new or changed. `at`: when the lines arrived, epoch ms. */
    readonly save: (
      project: ProjectId,
      templates: ReadonlyArray<KeptTemplate>,
      at: number
    ) => Effect.Effect<void, StoreError>
    /** The templates that lines came of since (epoch ms), at most `max`, those used longest ago first. */
    readonly load: (
      project: ProjectId,
      options: { readonly max: number; readonly since: number }
    ) => Effect.Effect<Learned, StoreError>
    /** What changed since, oldest first, at most 10,000. */
    readonly changedSince: (project: ProjectId, cursor: string) => Effect.Effect<Learned, StoreError>
    readonly patterns: (query: PatternQuery) => Effect.Effect<ReadonlyArray<Pattern>, StoreError>
    /** One pattern, also by the id of a template that it has taken in. */
    readonly pattern: (
      project: ProjectId,
      id: string,
      window: { readonly from: number; readonly to: number }
    ) => Effect.Effect<Pattern | undefined, StoreError>
    /** The ids of a template and of all that it has taken in, decimal digits; also by the id of one of these. */
    readonly family: (project: ProjectId, id: string) => Effect.Effect<ReadonlyArray<string>, StoreError>
    /** Sets `last_seen` by the counts; answers how many templates there are. */
    readonly refresh: (project: ProjectId) => Effect.Effect<number, StoreError>
    /**
     * Forgets counts of before, and templates that nothing was seen of since; and, but for those seen in the last two days
     * before `now`, all but the `max` seen last. Answers how many templates went.
     */
    readonly forget: (
      project: ProjectId,
      options: { readonly before: number; readonly max: number; readonly now: number }
    ) => Effect.Effect<number, StoreError>
  }
>()("loglytics/store/Templates") {
  static readonly layer = Layer.effect(Templates, Effect.map(Database, make))
}

interface Row {
  readonly id: string
  readonly text: string
  readonly shape: string
  readonly sample: string
  readonly alias: string | null
  readonly changed: string
}

const fromRow = ({ alias, id, sample, shape, text }: Row): KeptTemplate => ({
  id: Number(id),
  text,
  shape,
  sample,
  alias: alias === null ? undefined : Number(alias)
})

/** How far a reader of changes looks back, so that it misses none that was written earlier and committed later. */
const overlap = "10 seconds"
/** A template that is used is marked as seen in steps of this, beside its counts. */
const seenStep = "1 hour"
const dayMs = 86_400_000
/** Changes that are read together. */
const changesMax = 10_000
const beginning = "-infinity"

const learned = (rows: ReadonlyArray<Row>, since: string): Learned => ({
  templates: rows.map(fromRow),
  cursor: rows.reduce((latest, { changed }) => (latest === beginning || changed > latest ? changed : latest), since)
})

/** One at a time changes a project's templates: rows are locked in more than one order. */
const lock = (sql: Transaction, project: ProjectId) =>
  sql`select pg_advisory_xact_lock(hashtextextended(${`loglytics templates ${project}`}, 0))`

/** Flattens aliases: each points to a template that has none, and none to itself. */
const alias = async (sql: Transaction, project: ProjectId, pairs: ReadonlyArray<KeptTemplate>): Promise<void> => {
  for (const { alias: into, id } of pairs) {
    if (into === undefined) continue
    await sql`
      with root as (
        select coalesce(alias, id) as id from templates where project = ${project} and id = ${into}::text::bigint
      )
      update templates t set alias = root.id, changed_at = clock_timestamp() from root
      where t.project = ${project} and root.id <> ${id}::text::bigint
        and (t.id = ${id}::text::bigint or t.alias = ${id}::text::bigint)`
  }
}

function make(database: Database["Service"]): Templates["Service"] {
  const write = (sql: Transaction, project: ProjectId, templates: ReadonlyArray<KeptTemplate>, at: number) => {
    const rows = templates.map(({ firstSeen = at, id, sample, shape, text }) => ({
      id,
      first_seen: new Date(firstSeen).toISOString(),
      text: cleanText(text),
      shape: cleanText(shape),
      sample: cleanText(sample)
    }))
    return sql`
      insert into templates (project, id, text, shape, sample, first_seen, last_seen)
      select ${project}, id, text, shape, sample, first_seen, ${new Date(at).toISOString()}::text::timestamptz
      from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
        as t(id bigint, first_seen timestamptz, text text, shape text, sample text)
      order by id
      on conflict (project, id) do update set text = excluded.text, shape = excluded.shape, changed_at = clock_timestamp(),
          first_seen = least(templates.first_seen, excluded.first_seen), last_seen = greatest(templates.last_seen, excluded.last_seen)
        where (templates.text, templates.shape) is distinct from (excluded.text, excluded.shape)
          or templates.last_seen < excluded.last_seen - ${seenStep}::text::interval`
  }

  return Templates.of({
    save: (project, templates, at) =>
      templates.length === 0
        ? Effect.void
        : database.tx("templates.save", async (sql) => {
            await lock(sql, project)
            await write(sql, project, templates, at)
            const pairs = templates.filter((template) => template.alias !== undefined)
            if (pairs.length > 0) await alias(sql, project, pairs)
          }),
    load: (project, { max, since }) =>
      Effect.map(
        database.read(
          "templates.load",
          (sql) => sql<Array<Row>>`
            with used as (
              select template, max(last_at) as last_at from template_counts
              where project = ${project} and hour >= ${new Date(since).toISOString()}::text::timestamptz group by 1
            )
            select id, text, shape, sample, alias, changed from (
              select id, text, shape, sample, alias, changed_at::text as changed,
                greatest(t.last_seen, u.last_at) as used_at
              from templates t left join used u on u.template = t.id
              where project = ${project} and alias is null
                and (u.template is not null or t.last_seen >= ${new Date(since).toISOString()}::text::timestamptz)
              order by used_at desc, id limit ${max}
            ) newest order by used_at, id desc`
        ),
        (rows) => learned(rows, beginning)
      ),
    changedSince: (project, cursor) =>
      Effect.map(
        database.read(
          "templates.changedSince",
          (sql) => sql<Array<Row>>`
            select id, text, shape, sample, alias, changed_at::text as changed from templates
            where project = ${project} and changed_at > ${cursor}::text::timestamptz - ${overlap}::text::interval
            order by changed_at, id limit ${changesMax}`
        ),
        (rows) => learned(rows, cursor)
      ),
    patterns: (query) => database.read("templates.patterns", (sql) => listPatterns(sql, query)),
    pattern: (project, id, window) =>
      database.read("templates.pattern", (sql) => patternOf(sql, { project, id, ...window })),
    family: (project, id) =>
      Effect.map(
        database.read(
          "templates.family",
          (sql) => sql<Array<{ id: string }>>`
            with root as (
              select coalesce(alias, id) as id from templates where project = ${project} and id = ${id}::text::bigint
            )
            select t.id from templates t, root
            where t.project = ${project} and (t.id = root.id or t.alias = root.id) order by t.id`
        ),
        (rows) => rows.map((row) => row.id)
      ),
    refresh: (project) =>
      database.tx("templates.refresh", async (sql) => {
        await lock(sql, project)
        await sql`
          update templates t set last_seen = s.last_at from (
            select coalesce(t.alias, t.id) as id, max(c.last_at) as last_at
            from template_counts c join templates t on t.project = c.project and t.id = c.template
            where c.project = ${project} group by 1
          ) s where t.project = ${project} and t.id = s.id and t.last_seen < s.last_at`
        const rows = await sql<Array<{ count: string }>>`
          select count(*) as count from templates where project = ${project} and alias is null`
        return Number(rows[0]!.count)
      }),
    forget: (project, { before, max, now }) =>
      database.tx("templates.forget", async (sql) => {
        const limit = new Date(before).toISOString()
        const recent = new Date(now - 2 * dayMs).toISOString()
        await lock(sql, project)
        await sql`delete from template_counts where project = ${project} and hour < ${limit}::text::timestamptz`
        const gone = await sql`
          delete from templates t where project = ${project} and last_seen < ${limit}::text::timestamptz
            and not exists (select from template_counts c where c.project = t.project and c.template = t.id)
            and not exists (select from templates o where o.project = t.project and o.alias = t.id)`
        const surplus = await sql`
          with surplus as (
            select id from templates where project = ${project} and alias is null order by last_seen desc, id offset ${max}
          )
          delete from templates t where project = ${project} and last_seen < ${recent}::text::timestamptz
            and coalesce(alias, id) in (select id from surplus)`
        await sql`
          delete from template_counts c where project = ${project} and hour < ${recent}::text::timestamptz
            and not exists (select from templates t where t.project = c.project and t.id = c.template)`
        return gone.count + surplus.count
      })
  })
}
