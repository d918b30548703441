/**
 * Blocks on the way out: which may hold lines of a question, and the SQL that reads the lines of some of them. Pure. A block
 * says where its lines are on disk; whoever reads there counts them (`seen`), and reads by id where they are not all found.
 */
import type { ProjectId } from "../domain/Ids.ts"
import type { Query } from "../domain/Query.ts"
import { pruneSql } from "./BlockPrune.ts"
import { tableName } from "./Partitions.ts"
import { Params } from "./QuerySql.ts"

/** Which end of time comes first. */
export type Order = "newest" | "oldest"

/** A block without its signature, as `blockColumns` give it. */
export interface Block {
  readonly first_seq: string
  readonly last_seq: string
  readonly lines: number
  readonly observed_from: Date
  readonly observed_to: Date
  readonly min_time: Date
  readonly max_time: Date
  /** Half-open ranges, as Postgres writes them: `{[3,4),[7,19)}`. */
  readonly pages: string | null
}
export const blockColumns = "first_seq, last_seq, lines, observed_from, observed_to, min_time, max_time, pages"

/** What blocks are looked for: event time from ≤ time < to, arrival observedFrom ≤ arrival < observedTo; epoch ms. */
export interface Window {
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly observedFrom?: number | undefined
  readonly observedTo?: number | undefined
}

/** Milliseconds as a time that both JavaScript and Postgres can say: what lies beyond finds the same lines. */
export const isoTime = (ms: number): string =>
  new Date(Math.min(Math.max(ms, -62_135_596_800_000), 253_402_300_799_999)).toISOString()

/** When a block's turn comes: its newest line going back, its oldest going forth. */
export const frontier = (block: Block, order: Order): number =>
  (order === "newest" ? block.max_time : block.min_time).getTime()

/** The next `limit` blocks after `last` that may hold matching lines, in the order of their frontiers. */
export const candidatesSql = (options: {
  readonly project: ProjectId
  readonly query: Query
  readonly window: Window
  readonly order: Order
  readonly last: Block | undefined
  readonly limit: number
}) => {
  const { last, order, project, query, window } = options
  const params = new Params()
  const where = [`project = ${params.add(project, "text")}`]
  const time = (ms: number) => params.add(isoTime(ms), "timestamptz")
  if (window.from !== undefined) where.push(`max_time >= ${time(window.from)}`)
  if (window.to !== undefined) where.push(`min_time < ${time(window.to)}`)
  if (window.observedFrom !== undefined) where.push(`observed_to >= ${time(window.observedFrom)}`)
  if (window.observedTo !== undefined) where.push(`observed_from < ${time(window.observedTo)}`)
  const [column, way, sign] = order === "newest" ? ["max_time", "desc", "<"] : ["min_time", "asc", ">"]
  if (last !== undefined) {
    where.push(
      `(${column}, first_seq) ${sign} (${time(frontier(last, order))}, ${params.add(last.first_seq, "bigint")})`
    )
  }
  where.push(...pruneSql(query, params))
  const text =
    `select ${blockColumns} from blocks where ${where.join(" and ")} ` +
    `order by ${column} ${way}, first_seq ${way} limit ${options.limit}`
  return { text, params: params.values }
}

/** Neighbouring pages of one day that hold lines of some blocks. */
interface Segment {
  readonly day: number
  readonly from: number
  to: number
  readonly blocks: Array<Block>
}

const dayMs = 86_400_000
const dayOf = (block: Block): number => Math.floor(block.observed_from.getTime() / dayMs)
/** Pages between two blocks that are read along rather than begin another scan. */
const gapMax = 8

/** The pages of a block's lines; none where they are not known. */
const piecesOf = (block: Block): ReadonlyArray<Segment> =>
  Array.from((block.pages ?? "").matchAll(/\[(\d+),(\d+)\)/gu), ([, from, to]) => ({
    day: dayOf(block),
    from: Number(from),
    to: Number(to) - 1,
    blocks: [block]
  }))

/** Pages that are near each other together. */
const segmentsOf = (blocks: ReadonlyArray<Block>): ReadonlyArray<Segment> => {
  const segments: Array<Segment> = []
  for (const piece of blocks.flatMap(piecesOf).sort((a, b) => a.day - b.day || a.from - b.from)) {
    const last = segments.at(-1)
    if (last === undefined || last.day !== piece.day || piece.from > last.to + gapMax) {
      segments.push(piece)
      continue
    }
    last.to = Math.max(last.to, piece.to)
    if (!last.blocks.includes(piece.blocks[0]!)) last.blocks.push(piece.blocks[0]!)
  }
  return segments
}

/** `seq` lies in one of the blocks. */
const seqSql = (blocks: ReadonlyArray<Block>, params: Params): string => {
  const ranges: Array<{ from: bigint; to: bigint }> = []
  for (const { first_seq, last_seq } of blocks.toSorted((a, b) =>
    BigInt(a.first_seq) < BigInt(b.first_seq) ? -1 : 1
  )) {
    const last = ranges.at(-1)
    if (last !== undefined && last.to + 1n === BigInt(first_seq)) last.to = BigInt(last_seq)
    else ranges.push({ from: BigInt(first_seq), to: BigInt(last_seq) })
  }
  const low = params.add(String(ranges[0]!.from), "bigint")
  const high = params.add(String(ranges.at(-1)!.to), "bigint")
  const within = `seq >= ${low} and seq <= ${high}`
  if (ranges.length === 1) return within
  const many = params.add(`{${ranges.map(({ from, to }) => `[${from},${to}]`).join(",")}}`, "int8multirange")
  return `${within} and seq <@ ${many}`
}

/** The lines of blocks as something to select from. */
export interface Source {
  /** `select <columns> from logs …` once per segment, each with `and <condition>`. */
  readonly select: (columns: string, condition: string) => string
  /** Scalar expression: how many lines were found where they are said to be; "0" where nothing was said. */
  readonly seen: string
  /** What `seen` is when every block was where it says. */
  readonly expected: number
}

/**
 * With `trusted` false no block is read where it says to be. A table of a day that is gone meanwhile is named then, and
 * fails with 42P01.
 */
export const sourceOf = (
  project: ProjectId,
  blocks: ReadonlyArray<Block>,
  params: Params,
  trusted: boolean
): Source => {
  const owner = `project = ${params.add(project, "text")}`
  const placed = trusted ? blocks.filter((block) => piecesOf(block).length > 0) : []
  const others = blocks.filter((block) => !placed.includes(block))
  const hinted = segmentsOf(placed).map((segment) => {
    const from = params.add(`(${segment.from},0)`, "tid")
    const to = params.add(`(${segment.to + 1},0)`, "tid")
    return `from ${tableName(segment.day)} where ctid >= ${from} and ctid < ${to} and ${seqSql(segment.blocks, params)} and ${owner}`
  })
  const wheres = others.length === 0 ? hinted : [...hinted, byIds(others, owner, params)]
  return {
    select: (columns, condition) =>
      wheres.map((text) => `select ${columns} ${text} and ${condition}`).join(" union all "),
    seen: hinted.length === 0 ? "0" : hinted.map((text) => `(select count(*) ${text})`).join(" + "),
    expected: placed.reduce((sum, { lines }) => sum + lines, 0)
  }
}

const byIds = (blocks: ReadonlyArray<Block>, owner: string, params: Params): string => {
  const from = Math.min(...blocks.map((block) => block.observed_from.getTime()))
  const to = Math.max(...blocks.map((block) => block.observed_to.getTime()))
  return (
    `from logs where observed_at >= ${params.add(isoTime(from), "timestamptz")} and ` +
    `observed_at <= ${params.add(isoTime(to), "timestamptz")} and ${seqSql(blocks, params)} and ${owner}`
  )
}
