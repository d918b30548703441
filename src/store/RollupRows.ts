/**
 * How roll-ups are written: which stale hours are made together, how their rows look, and how days follow from hours. Part of
 * Rollups.ts, which says what is promised.
 */
import type { ProjectId } from "../domain/Ids.ts"
import { mergeRollups, type Rollup } from "../domain/Rollup.ts"
import type { Transaction } from "./Database.ts"

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Hours of one walk over the lines, and about how many lines. */
const chunkHours = 744
const chunkLines = 200_000

const iso = (ms: number): string => new Date(ms).toISOString()

/** An hour that counts fewer lines than there are. */
export interface StaleRow {
  readonly day: string
  /** Hours since 1970. */
  readonly hour: string
  readonly place: string
  readonly lines: string
}

interface Chunk {
  /** UTC day of arrival, epoch ms. */
  readonly day: number
  /** Event time, whole hours, epoch ms. */
  from: number
  to: number
  lines: number
  /** Place of the earliest hour among all of its day. */
  place: number
}

/** Stale hours that follow each other, as windows: no hour that is up to date lies in one. */
export const chunksOf = (rows: ReadonlyArray<StaleRow>): ReadonlyArray<Chunk> => {
  const chunks: Array<Chunk> = []
  for (const row of rows) {
    const day = Date.parse(`${row.day}T00:00:00Z`)
    const from = Number(row.hour) * hourMs
    const [place, lines] = [Number(row.place), Number(row.lines)]
    const last = chunks.at(-1)
    const joins =
      last !== undefined &&
      last.day === day &&
      last.place === place + 1 &&
      last.lines + lines <= chunkLines &&
      last.to - from <= chunkHours * hourMs
    if (joins) {
      last.from = from
      last.lines += lines
      last.place = place
    } else chunks.push({ day, from, to: from + hourMs, lines, place })
  }
  return chunks
}

/** A row as it is read, with the parts that were asked for. */
export interface PartRow {
  readonly at: string
  readonly lines: string
  readonly by_level: ReadonlyArray<string | number>
  readonly services?: Rollup["services"]
  readonly hosts?: Rollup["hosts"]
  readonly endpoints?: Rollup["endpoints"]
  readonly latency?: Rollup["latency"]
}

/** Without types fetched from the server a bigint[] comes as its text. */
export const countsOf = (array: unknown): ReadonlyArray<number> =>
  (typeof array === "string" ? array.slice(1, -1).split(",") : (array as ReadonlyArray<string>)).map(Number)

export const fromRow = (row: PartRow): Rollup => ({
  lines: Number(row.lines),
  byLevel: countsOf(row.by_level),
  services: row.services ?? {},
  hosts: row.hosts ?? {},
  endpoints: row.endpoints ?? {},
  latency: row.latency ?? null
})

interface Written {
  readonly project: ProjectId
  readonly hours: 1 | 24
  readonly day: number
  readonly madeAt: number
}

const write = (sql: Transaction, { day, hours, madeAt, project }: Written, rows: ReadonlyMap<number, Rollup>) => {
  const data = Array.from(rows, ([at, row]) => ({
    start: iso(at),
    lines: row.lines,
    by_level: row.byLevel,
    services: row.services,
    hosts: row.hosts,
    endpoints: row.endpoints,
    latency: row.latency
  }))
  return sql`
    insert into rollups (project, hours, start, day, lines, by_level, services, hosts, endpoints, latency, made_at)
    select ${project}, ${hours}, start, ${iso(day).slice(0, 10)}::text::date, lines, by_level, services, hosts, endpoints,
      nullif(latency, 'null'::jsonb), ${iso(madeAt)}::text::timestamptz
    from jsonb_to_recordset(${JSON.stringify(data)}::text::jsonb) as r(start timestamptz, lines bigint, by_level bigint[],
      services jsonb, hosts jsonb, endpoints jsonb, latency jsonb)
    on conflict (project, hours, start, day) do update set lines = excluded.lines, by_level = excluded.by_level,
      services = excluded.services, hosts = excluded.hosts, endpoints = excluded.endpoints, latency = excluded.latency,
      made_at = excluded.made_at
    where excluded.lines >= rollups.lines`
}

/** Keeps hours and the days that they belong to. */
export const keep = async (
  sql: Transaction,
  where: Omit<Written, "hours">,
  chunk: Chunk,
  hours: ReadonlyMap<number, Rollup>
) => {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`loglytics rollups ${where.project}`}, 0))`
  await write(sql, { ...where, hours: 1 }, hours)
  const rows = await sql<Array<PartRow>>`
    select (extract(epoch from start) * 1000)::bigint as at, lines, by_level, services, hosts, endpoints, latency
    from rollups where project = ${where.project} and hours = 1 and day = ${iso(where.day).slice(0, 10)}::text::date
      and start >= ${iso(Math.floor(chunk.from / dayMs) * dayMs)}::text::timestamptz
      and start < ${iso(Math.ceil(chunk.to / dayMs) * dayMs)}::text::timestamptz`
  const days = Map.groupBy(rows, ({ at }) => Math.floor(Number(at) / dayMs) * dayMs)
  const merged = new Map(Array.from(days, ([at, of]): [number, Rollup] => [at, mergeRollups(of.map(fromRow))]))
  await write(sql, { ...where, hours: 24 }, merged)
}
