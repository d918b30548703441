/** How batches get into `logs`, and how old days get out. Part of Logs.ts, which says what is promised. */
import { Effect } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import type { LogEvent } from "../domain/LogEvent.ts"
import { type Database, type Sql, StoreError } from "./Database.ts"
import { RowColumns, countByLevel } from "./LogRows.ts"
import { type Partitions, dayOf } from "./Partitions.ts"

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

/** Batches that travel in one statement, and their lines. */
interface Load {
  readonly batches: Array<LogBatch>
  readonly rows: RowColumns
}

/** Cuts a list of batches into loads; a batch is never cut. */
const loadsOf = (batches: ReadonlyArray<LogBatch>): ReadonlyArray<Load> => {
  const loads: Array<Load> = []
  for (const batch of batches) {
    const last = loads.at(-1)
    const load = last === undefined || last.rows.size > statementSize ? { batches: [], rows: new RowColumns() } : last
    if (load !== last) loads.push(load)
    for (const event of batch.events) load.rows.add(load.batches.length, batch.observedAt, event)
    load.batches.push(batch)
  }
  return loads
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
 * One statement: the ids that are new go into `batches`, and only their lines into `logs`. One statement is one
 * transaction without a connection to hold, so nothing can be half done. COPY is no faster at 100–500 lines per batch,
 * and postgres.js 3.4 waits for ever when Postgres refuses the data of a COPY.
 */
const insert = async (sql: Sql, { batches, rows }: Load): Promise<Appended> => {
  const lines = batches.reduce((sum, batch) => sum + batch.events.length, 0)
  const [taken] = await sql<Array<{ first: string }>>`select take_ids(${Math.max(1, lines)}) as first`
  const heads = JSON.stringify(headsOf(batches, Number(taken!.first)))
  const data = rows.toParams()
  const fresh = await sql<Array<{ id: string; first_seq: string; lines: number }>>`
    with heads as (
      select * from jsonb_to_recordset(${heads}::text::jsonb) as h(
        number integer, id text, project text, observed_at timestamptz, first_seq bigint, lines integer, by_level integer[])
    ), fresh as (
      insert into batches (id, project, observed_at, first_seq, lines, by_level)
      select id, project, observed_at, first_seq, lines, by_level from heads order by id
      on conflict (id) do nothing returning id, first_seq, lines
    ), stored as (
      insert into logs (project, time, observed_at, seq, level, service, message, attributes, trace_id, span_id)
      select h.project, to_timestamp(r.time / 1000), h.observed_at, ${taken!.first}::text::bigint + r.n - 1, r.level,
        r.service, r.message, r.attributes::jsonb, r.trace_id, r.span_id
      from rows from (
        unnest(${data.batches}::text::integer[], ${data.times}::text::float8[], ${data.levels}::text::smallint[]),
        json_array_elements_text(${data.services}::text::json), json_array_elements_text(${data.messages}::text::json),
        json_array_elements(${data.attributes}::text::json),
        json_array_elements_text(${data.traceIds}::text::json), json_array_elements_text(${data.spanIds}::text::json)
      ) with ordinality as r(batch, time, level, service, message, attributes, trace_id, span_id, n)
      join heads h on h.number = r.batch
      where h.id in (select id from fresh)
    )
    select id, first_seq, lines from fresh`
  const firstIds = new Map(fresh.map((row) => [row.id, Number(row.first_seq)]))
  return {
    stored: fresh.reduce((sum, row) => sum + row.lines, 0),
    duplicates: batches.filter((batch) => !firstIds.has(batch.id)).map((batch) => batch.id),
    firstIds
  }
}

/** A partition that we knew was dropped meanwhile. */
const partitionMissing = (error: StoreError): boolean =>
  error.code === "23514" && error.message.includes("no partition")

/** The writing half of the service. */
export const writing = (database: Database["Service"], partitions: Partitions) => {
  const appendLoad = (load: Load) =>
    Effect.suspend(() => partitions.ensure(load.batches.map((batch) => dayOf(batch.observedAt)))).pipe(
      Effect.andThen(database.query("logs.append", (sql) => insert(sql, load))),
      Effect.tapError((error) => Effect.sync(() => partitionMissing(error) && partitions.forget())),
      Effect.retry({ times: 1, while: partitionMissing })
    )
  const append = Effect.fnUntraced(function* (batches: ReadonlyArray<LogBatch>) {
    const first = new Map(batches.toReversed().map((batch) => [batch.id, batch]))
    const repeated = batches.filter((batch) => first.get(batch.id) !== batch).map((batch) => batch.id)
    const bad = batches.find((batch) => Number.isNaN(new Date(batch.observedAt).getTime()))
    if (bad !== undefined) {
      const cause = new Error(`expected the arrival of batch ${bad.id} in epoch ms, got ${bad.observedAt}`)
      return yield* new StoreError({ op: "logs.append", cause })
    }
    const done: Array<Appended> = []
    for (const load of loadsOf(batches.filter((batch) => first.get(batch.id) === batch)))
      done.push(yield* appendLoad(load))
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
    // Only after the lines: a batch delivered again in between stays a duplicate.
    yield* database.query(
      "logs.forget",
      (sql) => sql`delete from batches where observed_at < ${iso}::text::timestamptz`
    )
    return days.map((day) => new Date(day * 86_400_000).toISOString().slice(0, 10))
  })
  return { append, dropBefore, prepare: (now: number) => partitions.ensure([dayOf(now)]) }
}
