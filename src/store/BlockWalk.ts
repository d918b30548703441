/**
 * The walk over the blocks that may hold lines of a question: a few first, then more and more at a time, until those who
 * asked have enough or the time is over. Promises that every block that may hold a matching line is shown once, in the order
 * of its frontier (BlockRead.ts), and that no statement reads more than a bounded number of lines.
 */
import { Clock, Data, Effect } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import type { Query } from "../domain/Query.ts"
import { type Block, type Order, type Source, type Window, candidatesSql, isoTime, sourceOf } from "./BlockRead.ts"
import { type Database, type Sql, StoreError } from "./Database.ts"
import { Params, conditionSql } from "./QuerySql.ts"

/** A search or count was cut off by the time limit before it got anywhere. */
export class SearchTooSlow extends Data.TaggedError("SearchTooSlow")<{ readonly limitMs: number }> {
  override get message(): string {
    return `expected an answer within ${this.limitMs} ms, got none: narrow the time range, or add level: or service:`
  }
}

/** Lines of the first group of blocks read together, of the largest, and blocks of a group. */
const groupLinesFirst = 2_000
const groupLinesMax = 64_000
const groupBlocksMax = 128
/** Blocks asked for at a time: the first time, and at most. */
const candidatesFirst = 64
const candidatesMax = 1_024

/** Statements of the reading pool, with its time limit told as what it is. */
export const reader = (database: Database["Service"]) => {
  const read = <A>(op: string, run: (sql: Sql) => Promise<A>): Effect.Effect<A, StoreError | SearchTooSlow> =>
    database
      .read(op, run)
      .pipe(
        Effect.mapError((error) =>
          error.code === "57014" ? new SearchTooSlow({ limitMs: database.readTimeoutMs }) : error
        )
      )
  return {
    read,
    /** Not prepared: every shape of query would stay on the server for the life of the connection. */
    select: <Row extends object>(op: string, text: string, params: ReadonlyArray<string>) =>
      read(op, (sql) => sql.unsafe<Array<Row>>(text, [...params], { prepare: false }))
  }
}
export type Reader = ReturnType<typeof reader>

export interface Question {
  readonly project: ProjectId
  readonly query: Query
  readonly window: Window
  readonly order: Order
  /** How much of what is wanted was found, 0 to 1: groups grow no larger than what the rest will probably take. */
  readonly found?: () => number
}

/** Blocks of `candidates` from `at` on that are read together. */
const groupOf = (candidates: ReadonlyArray<Block>, at: number, lines: number): ReadonlyArray<Block> => {
  let end = at
  let sum = 0
  while (
    end < candidates.length &&
    end - at < groupBlocksMax &&
    (end === at || sum + candidates[end]!.lines <= lines)
  ) {
    sum += candidates[end++]!.lines
  }
  return candidates.slice(at, end)
}

/** Lines of the next group, after `read` lines brought the part `found` of what is wanted. */
const nextLines = (last: number, read: number, found: number): number => {
  const grown = Math.min(groupLinesMax, last * 3)
  return found <= 0 ? grown : Math.min(grown, Math.max(groupLinesFirst / 2, Math.ceil(read * (1 / found - 1) * 1.2)))
}

/**
 * Shows `visit` group after group until `enough`, asked about the next block, says true. Ends as Done where there is nothing
 * more, as Enough, or as Late where the time was over with `next` still unread; a group that is cut off by the server's own
 * limit is read in smaller ones while there is time, and ends the walk so, too, where there is none. `first`: nothing was read at all.
 */
export const walk = Effect.fnUntraced(function* <E>(
  { select }: Reader,
  question: Question,
  limitMs: number,
  enough: (next: Block) => boolean,
  visit: (blocks: ReadonlyArray<Block>) => Effect.Effect<void, E | StoreError | SearchTooSlow>
) {
  const until = (yield* Clock.currentTimeMillis) + limitMs
  let wanted = candidatesFirst
  let lines = groupLinesFirst
  let read = 0
  let last: Block | undefined
  let first = true
  for (;;) {
    const { params, text } = candidatesSql({ ...question, last, limit: wanted })
    const candidates = yield* select<Block>("logs.blocks", text, params)
    for (let at = 0; at < candidates.length;) {
      const next = candidates[at]!
      if (enough(next)) return { _tag: "Enough" } as const
      if (!first && (yield* Clock.currentTimeMillis) >= until) return { _tag: "Late", next, first } as const
      const group = groupOf(candidates, at, lines)
      const cut = yield* visit(group).pipe(
        Effect.as(false),
        Effect.catchIf(
          (error) => error instanceof SearchTooSlow,
          () => Effect.succeed(true)
        )
      )
      if (cut) {
        if (group.length === 1 || (yield* Clock.currentTimeMillis) >= until) {
          return { _tag: "Late", next, first } as const
        }
        lines = Math.ceil(group.reduce((sum, block) => sum + block.lines, 0) / 8)
        continue
      }
      first = false
      at += group.length
      read += group.reduce((sum, block) => sum + block.lines, 0)
      lines = nextLines(lines, read, question.found?.() ?? 0)
    }
    if (candidates.length < wanted) return { _tag: "Done" } as const
    last = candidates.at(-1)
    wanted = Math.min(candidatesMax, wanted * 4)
  }
})

/**
 * Reads from the lines of blocks that fulfil the question: `make` puts the statement together, whose rows carry `seen`.
 * Where the blocks' lines are not where they say (the table was rewritten or restored), it is read again by ids.
 */
export const readBlocks = Effect.fnUntraced(function* <Row extends { readonly seen: string }>(
  { select }: Reader,
  op: string,
  question: Question,
  blocks: ReadonlyArray<Block>,
  make: (source: Source, condition: string, params: Params) => string
) {
  const ask = (trusted: boolean) => {
    const params = new Params()
    const source = sourceOf(question.project, blocks, params, trusted)
    const condition = [windowSql(question.window, params), conditionSql(question.query, params)].join(" and ")
    const text = make(source, condition, params)
    return Effect.map(select<Row>(op, text, params.values), (rows) => ({ rows, expected: source.expected }))
  }
  const found = yield* ask(true).pipe(
    // A day was dropped between the look at its blocks and at its lines.
    Effect.catchIf(
      (error) => error instanceof StoreError && error.code === "42P01",
      () => Effect.succeed(undefined)
    )
  )
  if (found !== undefined && found.rows.length > 0 && Number(found.rows[0]!.seen) === found.expected) return found.rows
  return (yield* ask(false)).rows
})

const windowSql = (window: Window, params: Params): string => {
  const iso = (ms: number) => params.add(isoTime(ms), "timestamptz")
  const parts = ["true"]
  if (window.from !== undefined) parts.push(`time >= ${iso(window.from)}`)
  if (window.to !== undefined) parts.push(`time < ${iso(window.to)}`)
  if (window.observedFrom !== undefined) parts.push(`observed_at >= ${iso(window.observedFrom)}`)
  if (window.observedTo !== undefined) parts.push(`observed_at < ${iso(window.observedTo)}`)
  return parts.join(" and ")
}
