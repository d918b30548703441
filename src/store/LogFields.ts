/** What is known of attributes: names with types and examples, and the values of one. Part of Logs.ts. */
import { Effect } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import type { Query } from "../domain/Query.ts"
import type { Block } from "./BlockRead.ts"
import { type Question, type Reader, readBlocks, walk } from "./BlockWalk.ts"
import { type FieldType, fieldTypes } from "./FieldNames.ts"

export interface Field {
  readonly name: string
  readonly types: ReadonlyArray<FieldType>
  /** A value that it had once; "" for objects and arrays. */
  readonly example: string
}

export interface FieldValues {
  /** The most frequent first. */
  readonly values: ReadonlyArray<{ readonly value: string; readonly lines: number }>
  /** How many lines were looked at: the newest that have the field. */
  readonly sampled: number
}

export interface ValuesOptions {
  readonly project: ProjectId
  readonly field: string
  /** Only values that begin so, in any case. */
  readonly prefix?: string
  readonly limit: number
}

/** Newest lines that are looked at for values, and how long that may take, ms. */
const sampleLines = 50_000
const sampleMs = 2_000
const limitMax = 1_000

const escapeLike = (text: string): string => text.replace(/[\\%_]/gu, "\\$&")
const storable = (text: string): boolean => text.isWellFormed() && !text.includes("\0")

/** The column of a field that is none of the attributes. */
const columnsOf: Readonly<Record<string, string>> = { service: "service", trace_id: "trace_id", span_id: "span_id" }

/** The part of the service that knows fields. */
export const knowing = (reader: Reader) => {
  const fields = (project: ProjectId, prefix: string, limit: number) =>
    !storable(prefix)
      ? Effect.succeed([])
      : Effect.map(
          reader.select<{ name: string; types: string; example: string }>(
            "logs.fields",
            `select name, string_agg(type, ',' order by seen_at, type) as types,
               (array_agg(example order by example = '', seen_at, type desc))[1] as example
             from log_fields where project = $1::text and lower(name) like $2::text
             group by name order by name limit $3::integer`,
            [
              project,
              `${escapeLike(prefix.toLowerCase())}%`,
              String(Math.min(limitMax, Math.max(1, Math.trunc(limit))))
            ]
          ),
          (rows) =>
            rows.map(({ example, name, types }): Field => ({
              name,
              types: fieldTypes.filter((type) => types.split(",").includes(type)),
              example
            }))
        )

  const values = Effect.fnUntraced(function* (options: ValuesOptions) {
    const { field, prefix = "", project } = options
    const none: FieldValues = { values: [], sampled: 0 }
    if (!storable(field) || !storable(prefix)) return none
    const column = Object.hasOwn(columnsOf, field) ? columnsOf[field] : undefined
    const path = field.split(".")
    const query: Query =
      column === undefined ? { _tag: "Attribute", path, pattern: ["", ""] } : { _tag: "Service", pattern: ["", ""] }
    const question: Question = { project, query, window: {}, order: "newest" }
    const counts = new Map<string, number>()
    let sampled = 0
    const visit = (blocks: ReadonlyArray<Block>) =>
      Effect.map(
        readBlocks<{ seen: string; value: string | null; n: string }>(
          reader,
          "logs.values",
          question,
          blocks,
          (source, condition, params) => {
            const steps = () => `array[${path.map((step) => params.add(step, "text")).join(", ")}]`
            const value = column ?? `coalesce(attributes ->> ${params.add(field, "text")}, attributes #>> ${steps()})`
            const lines = source.select(`left(${value}, 200) as value`, condition)
            const like = params.add(`${escapeLike(prefix.toLowerCase())}%`, "text")
            const grouped = `select value, count(*)::text as n from (${lines}) found where fold(value) like ${like} group by 1 order by count(*) desc limit ${limitMax}`
            return `select s.seen, b.* from (select ${source.seen} as seen) s left join (${grouped}) b on true`
          }
        ),
        (rows) => {
          sampled += blocks.reduce((sum, block) => sum + block.lines, 0)
          for (const { n, value } of rows) {
            if (value !== null && value !== "") counts.set(value, (counts.get(value) ?? 0) + Number(n))
          }
        }
      )
    yield* walk(reader, question, sampleMs, () => sampled >= sampleLines, visit)
    const sorted = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    const found: FieldValues = {
      values: sorted.slice(0, Math.min(limitMax, options.limit)).map(([value, lines]) => ({ value, lines })),
      sampled
    }
    return found
  })

  return { fields, values }
}
