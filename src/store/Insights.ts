/** Insights as they were found, run by run; the newest hundred of each project are kept. How they are found is left to analytics. */
import { Context, Effect, Layer } from "effect"
import type { ProjectId } from "../domain/Ids.ts"
import type { InsightRun } from "../domain/Insight.ts"
import { Database, type StoreError } from "./Database.ts"
import { freshId } from "./ids.ts"
import { cleanText } from "./LogRows.ts"

export class Insights extends Context.Service<
  Insights,
  {
    /** Keeps a run and forgets those beyond the newest hundred. */
    readonly save: (run: Omit<InsightRun, "id">) => Effect.Effect<InsightRun, StoreError>
    /** The newest first. */
    readonly list: (project: ProjectId, limit: number) => Effect.Effect<ReadonlyArray<InsightRun>, StoreError>
    /** Runs since (epoch ms) whose language model was asked, whether its answer was used or not. */
    readonly asked: (project: ProjectId, since: number) => Effect.Effect<number, StoreError>
    /** What a stored line takes on disk, of all projects together; undefined without lines. */
    readonly bytesPerLine: Effect.Effect<number | undefined, StoreError>
  }
>()("loglytics/store/Insights") {
  static readonly layer = Layer.effect(Insights, Effect.map(Database, make))
}

const runsMax = 100
/** How notes begin that tell what became of a question to a language model. */
export const modelNote = "the language model"

interface Row {
  readonly id: string
  readonly project: ProjectId
  readonly from_time: Date
  readonly to_time: Date
  readonly made_at: Date
  readonly source: InsightRun["source"]
  readonly note: string | null
  readonly summary: string
  readonly insights: InsightRun["insights"]
}

const fromRow = (row: Row): InsightRun => ({
  id: row.id,
  project: row.project,
  from: row.from_time.toISOString(),
  to: row.to_time.toISOString(),
  madeAt: row.made_at.toISOString(),
  source: row.source,
  note: row.note,
  summary: row.summary,
  insights: row.insights
})

function make(database: Database["Service"]): Insights["Service"] {
  return Insights.of({
    save: Effect.fnUntraced(function* (run) {
      const id = yield* freshId("ins")
      yield* database.tx("insights.save", async (sql) => {
        await sql`
          insert into insight_runs (id, project, from_time, to_time, made_at, source, note, summary, insights)
          values (${id}, ${run.project}, ${run.from}::text::timestamptz, ${run.to}::text::timestamptz,
            ${run.madeAt}::text::timestamptz, ${run.source}, ${run.note === null ? null : cleanText(run.note)},
            ${cleanText(run.summary)}, ${JSON.stringify(run.insights).replaceAll(String.raw`\u0000`, "")}::text::jsonb)`
        await sql`
          delete from insight_runs where project = ${run.project} and id in (
            select id from insight_runs where project = ${run.project} order by made_at desc, id desc offset ${runsMax})`
      })
      return { ...run, id }
    }),
    list: (project, limit) =>
      Effect.map(
        database.query(
          "insights.list",
          (sql) => sql<Array<Row>>`
            select * from insight_runs where project = ${project} order by made_at desc, id desc limit ${limit}`
        ),
        (rows) => rows.map(fromRow)
      ),
    asked: (project, since) =>
      Effect.map(
        database.query(
          "insights.asked",
          (sql) => sql<Array<{ runs: string }>>`
            select count(*) as runs from insight_runs where project = ${project}
              and made_at >= ${new Date(since).toISOString()}::text::timestamptz
              and (source = 'llm' or note like ${`${modelNote}%`})`
        ),
        ([row]) => Number(row?.runs ?? 0)
      ),
    bytesPerLine: Effect.map(
      database.read(
        "insights.bytes",
        (sql) => sql<Array<{ bytes: string | null; lines: string | null }>>`
          select (select sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = 'logs'::regclass) as bytes,
            (select sum(lines) from batches) as lines`
      ),
      ([row]) => {
        const lines = Number(row?.lines ?? 0)
        // A few lines in a table with its indexes say nothing of what more of them take.
        return lines < 1_000 ? undefined : Math.round(Number(row?.bytes ?? 0) / lines)
      }
    )
  })
}
