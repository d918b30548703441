/** How lines are found, page by page in the order of their times. Part of Logs.ts, which says what is promised. */
import { Effect } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import type { Level } from "../domain/Level.ts"
import type { StoredEvent } from "../domain/LogEvent.ts"
import { type Query, all } from "../domain/Query.ts"
import { type Block, type Order, blockColumns, frontier, isoTime } from "./BlockRead.ts"
import { type Question, type Reader, SearchTooSlow, readBlocks, walk } from "./BlockWalk.ts"
import * as Cursor from "./Cursor.ts"
import type { Database } from "./Database.ts"
import { type LogRow, columns, fromRow } from "./LogRows.ts"

/** What narrows a question beside its query. */
export interface Narrow {
  readonly project: ProjectId
  readonly query?: Query
  /** Any of these levels. */
  readonly levels?: ReadonlyArray<Level>
  /** Exactly this service, in any case. */
  readonly service?: string
  /** Event time, epoch ms: from ≤ time < to. */
  readonly from?: number
  readonly to?: number
}

export interface SearchOptions extends Narrow {
  /** 1 to 5000 events; fewer come where they are large. */
  readonly limit: number
  /** `next` of the page before. */
  readonly cursor?: string
  /** Newest first, where nothing else is said. A cursor goes on in the order that it is used with. */
  readonly order?: Order
  /** Milliseconds after which the page holds what there is; 5,000 where nothing else is said. */
  readonly withinMs?: number
}

export interface Page {
  /** In the order asked for, by event time and then by id. */
  readonly events: ReadonlyArray<StoredEvent>
  readonly next: string | null
  /**
   * False where the time was over before the page was full: what there is up to `scannedTo` is here, `next` goes on behind it.
   */
  readonly complete: boolean
  /** Event time, ISO 8601, up to which everything was looked at; null on a complete page. */
  readonly scannedTo: string | null
}

/** After this many milliseconds a search gives what it has. */
const searchMs = 5_000
const limitMax = 5_000
/** Bytes of text in one answer, about; at least one line is always in it. */
const pageBytesMax = 8 * 1_024 * 1_024

/** The query of all that narrows. */
export const narrowed = (options: Narrow): Query => {
  const parts: Array<Query> = []
  const any = (options.levels ?? []).map((level): Query => ({ _tag: "Level", op: "=", level }))
  if (any.length > 0) parts.push(any.length === 1 ? any[0]! : { _tag: "Or", parts: any })
  if (options.service !== undefined) parts.push({ _tag: "Service", pattern: [options.service] })
  if (options.query !== undefined) parts.push(options.query)
  return parts.length === 0 ? all : parts.length === 1 ? parts[0]! : { _tag: "And", parts }
}

/** Cuts the rows of `text`, in the order `by`, where they grow too large together; `found` says how many there were. */
const bounded = (text: string, by: string): string =>
  `select * from (
     select *, count(*) over () as found, sum(size) over (order by ${by}) - size as before from (
       select *, octet_length(message) + octet_length(attributes::text) as size from (${text}) rows
     ) sized
   ) summed where before < ${pageBytesMax} order by ${by}`

/** A left join keeps `seen` where no line matches: then the other columns are null. */
interface FoundRow extends LogRow {
  readonly seen: string
  readonly found: string
  readonly size: string
}

const isLine = (row: FoundRow): boolean => row.seq !== null

/** The best lines so far, in order; `cut` is where larger answers were cut off, and nothing behind it is known. */
class Best {
  rows: Array<FoundRow> = []
  cut: FoundRow | undefined
  readonly limit: number
  readonly order: Order
  constructor(limit: number, order: Order) {
    this.limit = limit
    this.order = order
  }

  /** Negative where `a` comes before `b`. */
  compare(a: LogRow, b: LogRow): number {
    const way = this.order === "newest" ? -1 : 1
    return way * (a.time.getTime() - b.time.getTime() || (BigInt(a.seq) < BigInt(b.seq) ? -1 : 1))
  }

  /** Takes rows in order, of which there were `found`. */
  take(rows: ReadonlyArray<FoundRow>, found: number): void {
    const tail = rows.at(-1)
    const merged = [...this.rows, ...rows].sort((a, b) => this.compare(a, b))
    if (tail !== undefined && found > rows.length) this.#cutAt(tail)
    let bytes = 0
    let keep = 0
    while (keep < merged.length && keep <= this.limit && bytes < pageBytesMax) bytes += Number(merged[keep++]!.size)
    if (keep < merged.length && keep <= this.limit) this.#cutAt(merged[keep - 1]!)
    const { cut } = this
    this.rows = merged.slice(0, keep).filter((row) => cut === undefined || row === cut || this.compare(row, cut) < 0)
  }

  #cutAt(row: FoundRow): void {
    if (this.cut === undefined || this.compare(row, this.cut) < 0) this.cut = row
  }

  /** Whether nothing that comes at `time` or later in the order can get onto the page. */
  full(time: number): boolean {
    const last = this.rows[this.limit] ?? this.cut
    if (last === undefined) return false
    return this.order === "newest" ? last.time.getTime() > time : last.time.getTime() < time
  }
}

const positionSql = (order: Order, after: Cursor.Position | undefined, add: (v: string, type: string) => string) => {
  if (after === undefined) return "true"
  const time = add(isoTime(after.time), "timestamptz")
  return `(time, seq) ${order === "newest" ? "<" : ">"} (${time}, ${add(after.seq, "bigint")})`
}

/** A window that leaves out blocks which are wholly before the cursor. */
const windowOf = (options: SearchOptions, after: Cursor.Position | undefined) => {
  const { from, order = "newest", to } = options
  if (after === undefined) return { from, to }
  return order === "newest"
    ? { from, to: Math.min(to ?? Infinity, after.time + 1) }
    : { from: Math.max(from ?? -Infinity, after.time), to }
}

const noRows: Page = { events: [], next: null, complete: true, scannedTo: null }

/** A cursor before every line whose time is on the far side of `time`. */
const behind = (time: number, order: Order): Cursor.Position =>
  order === "newest" ? { time: time + 1, seq: "0" } : { time: time - 1, seq: "999999999999999999" }

/** The page of a walk whose time was over at the block `next`. */
const partial = (best: Best, next: Block, after: Cursor.Position | undefined, limitMs: number) => {
  const time = frontier(next, best.order)
  const surely = best.rows.filter((row) =>
    best.order === "newest" ? row.time.getTime() > time : row.time.getTime() < time
  )
  const position = behind(time, best.order)
  const moved =
    after === undefined || (best.order === "newest" ? position.time < after.time : position.time > after.time)
  if (!moved && surely.length === 0) return new SearchTooSlow({ limitMs })
  const page: Page = {
    events: surely.slice(0, best.limit).map(fromRow),
    next: Cursor.encode(position),
    complete: false,
    scannedTo: new Date(time).toISOString()
  }
  return page
}

const fullPage = (best: Best): Page => {
  const page = best.rows.slice(0, best.limit)
  const last = best.rows.length > page.length || best.cut !== undefined ? page.at(-1) : undefined
  if (page.length === 0) return noRows
  return {
    events: page.map(fromRow),
    next: last === undefined ? null : Cursor.encode({ time: last.time.getTime(), seq: last.seq }),
    complete: true,
    scannedTo: null
  }
}

/** The searching part of the service. */
export const searching = (database: Database["Service"], reader: Reader) => {
  const search = Effect.fnUntraced(function* (options: SearchOptions) {
    const { order = "newest" } = options
    const limitMs = options.withinMs ?? Math.min(searchMs, database.readTimeoutMs)
    const after = options.cursor === undefined ? undefined : yield* Effect.fromResult(Cursor.decode(options.cursor))
    const limit = Math.min(limitMax, Math.max(1, Math.trunc(options.limit)))
    const best = new Best(limit, order)
    const question: Question = {
      project: options.project,
      query: narrowed(options),
      window: windowOf(options, after),
      order,
      found: () => Math.min(1, best.rows.length / (limit + 1))
    }
    const by = order === "newest" ? "time desc, seq desc" : "time, seq"
    const visit = (blocks: ReadonlyArray<Block>) =>
      Effect.map(
        readBlocks<FoundRow>(reader, "logs.search", question, blocks, (source, condition, params) => {
          const position = positionSql(order, after, (value, type) => params.add(value, type))
          const lines = `${source.select(columns, `${condition} and ${position}`)} order by ${by} limit ${limit + 1}`
          return `select s.seen, b.* from (select ${source.seen} as seen) s left join (${bounded(lines, by)}) b on true order by ${by}`
        }),
        (rows) => best.take(rows.filter(isLine), Number(rows[0]?.found ?? 0))
      )
    const walked = yield* walk(reader, question, limitMs, (next) => best.full(frontier(next, order)), visit)
    if (walked._tag !== "Late") return fullPage(best)
    if (walked.first) return yield* new SearchTooSlow({ limitMs })
    const page = partial(best, walked.next, after, limitMs)
    return page instanceof SearchTooSlow ? yield* page : page
  })

  const recent = Effect.fnUntraced(function* (project: ProjectId, wanted: number) {
    const n = Math.min(1000, Math.max(0, Math.trunc(wanted)))
    const blocks = yield* reader.select<Block>(
      "logs.recent",
      `select ${blockColumns} from (
         select *, sum(lines) over (order by first_seq desc) - lines as newer
         from (select * from blocks where project = $1::text order by first_seq desc limit ${n}) latest
       ) counted where newer < ${n}`,
      [project]
    )
    if (blocks.length === 0) return []
    const question: Question = { project, query: all, window: {}, order: "newest" }
    const rows = yield* readBlocks<FoundRow>(reader, "logs.recent", question, blocks, (source, condition) => {
      const lines = `${source.select(columns, condition)} order by seq desc limit ${n}`
      return `select s.seen, b.* from (select ${source.seen} as seen) s left join (${bounded(lines, "seq desc")}) b on true order by seq desc`
    })
    return rows.filter(isLine).map(fromRow).reverse()
  })

  return { search, recent }
}
