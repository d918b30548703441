/** The lines around a line, in the order in which they arrived. Part of Logs.ts. */
import { Effect } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import type { StoredEvent } from "../domain/LogEvent.ts"
import { type Query, all } from "../domain/Query.ts"
import { type Block, blockColumns } from "./BlockRead.ts"
import { pruneSql } from "./BlockPrune.ts"
import { type Question, type Reader, readBlocks } from "./BlockWalk.ts"
import { type LogRow, columns, fromRow } from "./LogRows.ts"
import { Params } from "./QuerySql.ts"

/** What lines around must have in common with the line: all of them have the same values, where it has one. */
export const sameFields = ["service", "host", "file", "trace"] as const
export type Same = (typeof sameFields)[number]

export interface ContextOptions {
  readonly project: ProjectId
  readonly id: string
  /** Lines before and after, 0 to 500 each. */
  readonly before: number
  readonly after: number
  readonly same: ReadonlyArray<Same>
}

export interface LogContext {
  /** Oldest arrival first. */
  readonly before: ReadonlyArray<StoredEvent>
  readonly line: StoredEvent
  readonly after: ReadonlyArray<StoredEvent>
}

const linesMax = 500
/** Blocks looked through on either side: what is further away is no context. */
const blocksMax = 256
const groupBlocks = 8

/** The value of a dotted attribute, nested or not. */
const valueAt = (event: StoredEvent, name: string): unknown =>
  Object.hasOwn(event.attributes, name)
    ? event.attributes[name]
    : name
        .split(".")
        .reduce<unknown>(
          (node, key) =>
            typeof node === "object" && node !== null && Object.hasOwn(node, key)
              ? (node as Record<string, unknown>)[key]
              : undefined,
          event.attributes
        )

const attribute = (event: StoredEvent, names: ReadonlyArray<string>): ReadonlyArray<Query> => {
  for (const name of names) {
    const value = valueAt(event, name)
    if (typeof value === "string") return [{ _tag: "Attribute", path: name.split("."), pattern: [value] }]
  }
  return []
}

const sameAs = (event: StoredEvent, same: Same): ReadonlyArray<Query> => {
  switch (same) {
    case "service":
      return [{ _tag: "Service", pattern: [event.service] }]
    case "host":
      return attribute(event, ["host.name", "k8s.pod.name", "container.id"])
    case "file":
      return attribute(event, ["log.file.path", "log.file.name"])
    case "trace":
      return event.traceId === undefined ? [] : [{ _tag: "Trace", field: "trace_id", id: event.traceId }]
  }
}

const joined = (parts: ReadonlyArray<Query>): Query =>
  parts.length === 0 ? all : parts.length === 1 ? parts[0]! : { _tag: "And", parts }

interface Row extends LogRow {
  readonly seen: string
}

/** The part of the service that looks around. */
export const surrounding = (reader: Reader) => {
  const blocksSql = (project: ProjectId, id: string, query: Query, back: boolean, last: Block | undefined) => {
    const params = new Params()
    const where = [`project = ${params.add(project, "text")}`, ...pruneSql(query, params)]
    where.push(`${back ? "first_seq <=" : "last_seq >="} ${params.add(id, "bigint")}`)
    if (last !== undefined) where.push(`first_seq ${back ? "<" : ">"} ${params.add(last.first_seq, "bigint")}`)
    const text = `select ${blockColumns} from blocks where ${where.join(" and ")} order by first_seq ${back ? "desc" : "asc"} limit ${groupBlocks}`
    return reader.select<Block>("logs.context", text, params.values)
  }

  const read = (question: Question, blocks: ReadonlyArray<Block>, bound: string, id: string, way: string, n: number) =>
    Effect.map(
      readBlocks<Row>(reader, "logs.context", question, blocks, (source, condition, params) => {
        const within = `seq ${bound} ${params.add(id, "bigint")}`
        const lines = `${source.select(columns, `${condition} and ${within}`)} order by seq ${way} limit ${n}`
        return `select s.seen, b.* from (select ${source.seen} as seen) s left join (${lines}) b on true order by seq ${way}`
      }),
      (rows) => rows.filter((row) => row.seq !== null).map(fromRow)
    )

  /** `n` lines on one side of `id`, the nearest first. */
  const side = Effect.fnUntraced(function* (project: ProjectId, id: string, query: Query, back: boolean, n: number) {
    const found: Array<StoredEvent> = []
    const question: Question = { project, query, window: {}, order: "newest" }
    let last: Block | undefined
    for (let seen = 0; found.length < n && seen < blocksMax; seen += groupBlocks) {
      const blocks: ReadonlyArray<Block> = yield* blocksSql(project, id, query, back, last)
      if (blocks.length === 0) break
      const [bound, way] = back ? (["<", "desc"] as const) : ([">", "asc"] as const)
      found.push(...(yield* read(question, blocks, bound, id, way, n - found.length)))
      last = blocks.at(-1)
    }
    return found
  })

  return {
    context: Effect.fnUntraced(function* (options: ContextOptions) {
      const { id, project } = options
      if (!/^\d{1,18}$/u.test(id)) return undefined
      const blocks = (yield* blocksSql(project, id, all, true, undefined)).slice(0, 1)
      if (blocks.length === 0) return undefined
      const question: Question = { project, query: all, window: {}, order: "newest" }
      const [line] = yield* read(question, blocks, "=", id, "asc", 1)
      if (line === undefined) return undefined
      const query = joined(options.same.flatMap((same) => sameAs(line, same)))
      const count = (n: number) => Math.min(linesMax, Math.max(0, Math.trunc(n)))
      const around: LogContext = {
        before: (yield* side(project, id, query, true, count(options.before))).toReversed(),
        line,
        after: yield* side(project, id, query, false, count(options.after))
      }
      return around
    })
  }
}
