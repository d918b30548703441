/** How batches get into `logs`, and how old days get out. Part of Logs.ts, which says what is promised. */
import { Effect, Result } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import type { LogEvent } from "../domain/LogEvent.ts"
import { numberText } from "../domain/Query.ts"
import { BlockCutter, type NewBlock } from "./Blocks.ts"
import { type Database, type Sql, StoreError } from "./Database.ts"
import { FieldNames } from "./FieldNames.ts"
import { RowColumns, countByLevel } from "./LogRows.ts"
import { type Partitions, dayOf } from "./Partitions.ts"
import { SignatureBuilder } from "./Signature.ts"
import { countTemplates } from "./TemplateSql.ts"

export interface LogBatch {
  /** Unique for ever: a batch with an id that is stored already stores nothing. */
  readonly id: string
  readonly project: ProjectId
  /** When the batch arrived, epoch ms. */
  readonly observedAt: number
  readonly events: ReadonlyArray<LogEvent>
}

export interface Appended {
  /** Lines stored now. */
  readonly stored: number
  /** Ids of batches that were stored before, or stand twice in this call. */
  readonly duplicates: ReadonlyArray<string>
  /** Ids of batches stored now → `StoredEvent.id` of their first line; the n-th line (from 0) has `first + n`. */
  readonly firstIds: ReadonlyMap<string, number>
}

/** About how many characters of lines travel in one statement. */
const statementSize = 16_000_000

/** Ranges of pages that a block remembers: its row must stay small, and so many scans are slower than one by ids. */
const rangesMax = 12

/** Batches that travel in one statement, their lines, and what is told of these. */
interface Load {
  readonly batches: Array<LogBatch>
  readonly rows: RowColumns
  readonly blocks: ReadonlyArray<NewBlock>
  readonly minutes: ReadonlyArray<object>
}

/** Batches of one project and day one after the other, so that blocks are large. */
const gathered = (batches: ReadonlyArray<LogBatch>): ReadonlyArray<LogBatch> =>
  [...Map.groupBy(batches, (batch) => `${batch.project} ${dayOf(batch.observedAt)}`).values()].flat()

/** As many of `batches` as travel in one statement, at least one; a batch is never cut. */
const nextLoad = (batches: ReadonlyArray<LogBatch>, signature: SignatureBuilder, names: FieldNames): Load => {
  const rows = new RowColumns()
  const cutter = new BlockCutter(signature, names)
  const taken: Array<LogBatch> = []
  for (let i = 0; i < batches.length && rows.size <= statementSize; i++) {
    const batch = batches[i]!
    for (const event of batch.events) rows.add(taken.length, batch.project, batch.observedAt, event, cutter)
    taken.push(batch)
  }
  return { batches: taken, rows, ...cutter.finish() }
}

/** What `batches` keeps of each batch; line ids count up from `first`. */
const headsOf = (batches: ReadonlyArray<LogBatch>, first: number) => {
  let next = first
  return batches.map(({ events, id, observedAt, project }, number) => {
    const first_seq = next
    next += events.length
    const observed_at = new Date(observedAt).toISOString()
    return { number, id, project, observed_at, first_seq, lines: events.length, by_level: countByLevel(events) }
  })
}

/**
 * One statement: the ids of the batches, their lines, the blocks these lie in and their counts. One statement is one
 * transaction without a connection to hold, so nothing can be half done. An id that is there already fails all of it
 * (23505), so that a block never tells of lines that are not stored. COPY is no faster at 100–500 lines per batch, and
 * postgres.js 3.4 waits for ever when Postgres refuses the data of a COPY.
 */
const insert = async (sql: Sql, { batches, blocks, minutes, rows }: Load): Promise<Appended> => {
  const lines = batches.reduce((sum, batch) => sum + batch.events.length, 0)
  const [taken] = await sql<Array<{ first: string }>>`select take_ids(${Math.max(1, lines)}) as first`
  const first = Number(taken!.first)
  const heads = headsOf(batches, first)
  const data = rows.toParams()
  const templates = JSON.stringify(countTemplates(batches))
  const firsts = `{${blocks.map((block) => first + block.first_seq).join(",")}}`
  await sql`
    with heads as (
      select * from jsonb_to_recordset(${JSON.stringify(heads)}::text::jsonb) as h(
        number integer, id text, project text, observed_at timestamptz, first_seq bigint, lines integer, by_level integer[])
    ), fresh as (
      insert into batches (id, project, observed_at, first_seq, lines, by_level)
      select id, project, observed_at, first_seq, lines, by_level from heads order by id returning 1
    ), stored as (
      insert into logs (project, time, observed_at, seq, level, service, message, attributes, trace_id, span_id, template)
      select h.project, to_timestamp(r.time / 1000), h.observed_at, ${first}::text::bigint + r.n - 1, r.level,
        r.service, r.message, r.attributes::jsonb, r.trace_id, r.span_id, r.template
      from rows from (
        unnest(${data.batches}::text::integer[], ${data.times}::text::float8[], ${data.levels}::text::smallint[],
          ${data.templates}::text::bigint[]),
        json_array_elements_text(${data.services}::text::json), json_array_elements_text(${data.messages}::text::json),
        json_array_elements(${data.attributes}::text::json),
        json_array_elements_text(${data.traceIds}::text::json), json_array_elements_text(${data.spanIds}::text::json)
      ) with ordinality as r(batch, time, level, template, service, message, attributes, trace_id, span_id, n)
      join heads h on h.number = r.batch
      -- Ids first: who waits for another's ids holds nothing that the other waits for.
      where (select count(*) from fresh) > 0
      returning seq, ctid as place
    ), places as (
      select number, range_agg(int4range(page, page, '[]')) as pages from (
        select distinct width_bucket(seq, ${firsts}::text::bigint[]) as number, (place::text::point)[0]::integer as page
        from stored
      ) put group by number
    ), counted as (
      insert into log_minutes (project, day, minute, unknown, trace, debug, info, warn, error, fatal)
      select * from jsonb_to_recordset(${JSON.stringify(minutes)}::text::jsonb) as m(
        project text, day date, minute timestamptz, unknown integer, trace integer, debug integer, info integer,
        warn integer, error integer, fatal integer)
      where (select count(*) from fresh) > 0 order by project, day, minute
      on conflict (project, day, minute) do update set unknown = log_minutes.unknown + excluded.unknown,
        trace = log_minutes.trace + excluded.trace, debug = log_minutes.debug + excluded.debug,
        info = log_minutes.info + excluded.info, warn = log_minutes.warn + excluded.warn,
        error = log_minutes.error + excluded.error, fatal = log_minutes.fatal + excluded.fatal
    ), templated as (
      insert into template_counts (project, hour, template, lines, warnings, errors, last_at)
      select * from jsonb_to_recordset(${templates}::text::jsonb) as c(
        project text, hour timestamptz, template bigint, lines bigint, warnings bigint, errors bigint, last_at timestamptz)
      where (select count(*) from fresh) > 0 order by project, hour, template
      on conflict (project, hour, template) do update set lines = template_counts.lines + excluded.lines,
        warnings = template_counts.warnings + excluded.warnings, errors = template_counts.errors + excluded.errors,
        last_at = greatest(template_counts.last_at, excluded.last_at)
    )
    insert into blocks (project, first_seq, last_seq, lines, observed_from, observed_to, min_time, max_time, by_level,
      pages, bits)
    select b.project, ${first}::text::bigint + b.first_seq, ${first}::text::bigint + b.last_seq, b.lines,
      b.observed_from, b.observed_to, b.min_time, b.max_time, b.by_level,
      case when (select count(*) from unnest(p.pages)) <= ${rangesMax} then p.pages end, decode(b.bits, 'base64')
    from rows from (jsonb_to_recordset(${JSON.stringify(blocks)}::text::jsonb) as (
        project text, first_seq bigint, last_seq bigint, lines integer, observed_from timestamptz,
        observed_to timestamptz, min_time timestamptz, max_time timestamptz, by_level integer[], bits text)
      ) with ordinality as b(project, first_seq, last_seq, lines, observed_from, observed_to, min_time, max_time, by_level,
        bits, number)
    left join places p on p.number = b.number`
  return { stored: lines, duplicates: [], firstIds: new Map(heads.map(({ first_seq, id }) => [id, first_seq])) }
}

/** A partition that we knew was dropped meanwhile. */
const partitionMissing = (error: StoreError): boolean =>
  error.code === "23514" && error.message.includes("no partition")

/** Fields that one project's catalogue holds, of each name a row per type. */
const fieldsMax = 2_000

/** Adds names to the catalogue. It is a help for people who type: it may lack what was stored while Postgres was away. */
const keepFields = (database: Database["Service"], names: FieldNames) => {
  const fresh = names.takeNew()
  if (fresh.length === 0) return Effect.void
  const rows = JSON.stringify(fresh)
  return database
    .query(
      "logs.fields",
      (sql) => sql`
        insert into log_fields (project, name, type, example)
        select project, name, type, example from jsonb_to_recordset(${rows}::text::jsonb) as f(
          project text, name text, type text, example text)
        where (select count(*) from log_fields k where k.project = f.project) < ${fieldsMax}
        order by project, name, type on conflict do nothing`
    )
    .pipe(Effect.catch(() => Effect.sync(() => names.untell(fresh))))
}

/** How often a load may be refused for a duplicate that is not to be found. */
const barrenMax = 5
const isDuplicate = (error: StoreError): boolean => error.code === "23505"

/** The writing half of the service. */
export const writing = (database: Database["Service"], partitions: Partitions) => {
  const signature = new SignatureBuilder()
  const names = new FieldNames(numberText)

  const appendLoad = (load: Load) =>
    Effect.suspend(() => partitions.ensure(load.batches.map((batch) => dayOf(batch.observedAt)))).pipe(
      Effect.andThen(database.query("logs.append", (sql) => insert(sql, load))),
      Effect.tapError((error) => Effect.sync(() => partitionMissing(error) && partitions.forget())),
      Effect.retry({ times: 1, while: partitionMissing })
    )

  /** Which of these are stored. */
  const known = (batches: ReadonlyArray<LogBatch>) => {
    const ids = JSON.stringify(batches.map((batch) => batch.id))
    return database
      .query(
        "logs.known",
        (sql) => sql<Array<{ id: string }>>`
          select id from batches where id in (select jsonb_array_elements_text(${ids}::text::jsonb))`
      )
      .pipe(Effect.map((rows) => new Set(rows.map(({ id }) => id))))
  }

  /** Stores what is new of `batches`, whose ids differ. A duplicate is rare: then all of a load is made again without it. */
  const appendNew = Effect.fnUntraced(function* (batches: ReadonlyArray<LogBatch>) {
    let left = gathered(batches)
    let barren = 0
    const done: Array<Appended> = []
    while (left.length > 0) {
      const load = nextLoad(left, signature, names)
      const stored = yield* Effect.result(appendLoad(load))
      if (Result.isSuccess(stored)) {
        done.push(stored.success)
        left = left.slice(load.batches.length)
        continue
      }
      if (!isDuplicate(stored.failure) || barren >= barrenMax) return yield* stored.failure
      const there = yield* known(left)
      // Whoever stored them may have been undone since: then there is nothing to leave out.
      if (there.size === 0) barren++
      done.push({ stored: 0, duplicates: [...there], firstIds: new Map() })
      left = left.filter((batch) => !there.has(batch.id))
    }
    yield* keepFields(database, names)
    return done
  })

  const append = Effect.fnUntraced(function* (batches: ReadonlyArray<LogBatch>) {
    const first = new Map(batches.toReversed().map((batch) => [batch.id, batch]))
    const repeated = batches.filter((batch) => first.get(batch.id) !== batch).map((batch) => batch.id)
    const bad = batches.find((batch) => Number.isNaN(new Date(batch.observedAt).getTime()))
    if (bad !== undefined) {
      const cause = new Error(`expected the arrival of batch ${bad.id} in epoch ms, got ${bad.observedAt}`)
      return yield* new StoreError({ op: "logs.append", cause })
    }
    const done = yield* appendNew(batches.filter((batch) => first.get(batch.id) === batch))
    return {
      stored: done.reduce((sum, one) => sum + one.stored, 0),
      duplicates: [...done.flatMap((one) => one.duplicates), ...repeated],
      firstIds: new Map(done.flatMap((one) => [...one.firstIds]))
    }
  })
  const dropBefore = Effect.fnUntraced(function* (ms: number) {
    const limit = dayOf(ms)
    const days = (yield* partitions.list()).filter((day) => day < limit)
    for (const day of days) yield* partitions.drop(day)
    const iso = new Date(limit * 86_400_000).toISOString()
    yield* database.query("logs.forget", (sql) => sql`delete from blocks where observed_to < ${iso}::text::timestamptz`)
    yield* database.query(
      "logs.forget",
      (sql) => sql`delete from log_minutes where day < (${iso}::text::timestamptz at time zone 'UTC')::date`
    )
    // Only after the lines: a batch delivered again in between stays a duplicate.
    yield* database.query(
      "logs.forget",
      (sql) => sql`delete from batches where observed_at < ${iso}::text::timestamptz`
    )
    return days.map((day) => new Date(day * 86_400_000).toISOString().slice(0, 10))
  })
  const isStored = (id: string) =>
    database
      .query("logs.is_stored", (sql) => sql<Array<{ id: string }>>`select id from batches where id = ${id}`)
      .pipe(Effect.map((rows) => rows.length > 0))
  return { append, isStored, dropBefore, prepare: (now: number) => partitions.ensure([dayOf(now)]) }
}
