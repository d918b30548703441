/** Alert rules as people made them. Whether a rule's query and durations make sense is left to those who accept rules. */
import { Clock, Context, Effect, Layer } from "effect"
import type { Alert, AlertRule, ThresholdSpec } from "../domain/Alert.ts"
import { type ProjectId, RuleId } from "../domain/Ids.ts"
import * as AlertRows from "./AlertRows.ts"
import { Database, type StoreError } from "./Database.ts"
import { freshId } from "./ids.ts"

export class Rules extends Context.Service<
  Rules,
  {
    readonly create: (
      rule: { readonly project: ProjectId; readonly name: string } & ThresholdSpec
    ) => Effect.Effect<AlertRule, StoreError>
    /** Of one project, oldest first. */
    readonly list: (project: ProjectId) => Effect.Effect<ReadonlyArray<AlertRule>, StoreError>
    /** Every enabled rule of every project, for those who judge. */
    readonly listAll: Effect.Effect<ReadonlyArray<AlertRule>, StoreError>
    /** Projects that have an enabled rule. */
    readonly projects: Effect.Effect<ReadonlyArray<ProjectId>, StoreError>
    readonly get: (id: RuleId) => Effect.Effect<AlertRule | undefined, StoreError>
    /** Removes a rule and ends its active alert with it; `ended` is what became of that alert. */
    readonly remove: (
      project: ProjectId,
      id: RuleId
    ) => Effect.Effect<{ readonly removed: boolean; readonly ended: ReadonlyArray<Alert> }, StoreError>
  }
>()("loglytics/store/Rules") {
  static readonly layer = Layer.effect(Rules, Effect.map(Database, make))
}

interface Row {
  readonly id: RuleId
  readonly project: ProjectId
  readonly name: string
  readonly spec: ThresholdSpec
  readonly enabled: boolean
  readonly created_at: Date
}
const fromRow = (row: Row): AlertRule => ({
  id: row.id,
  project: row.project,
  name: row.name,
  ...row.spec,
  enabled: row.enabled,
  createdAt: row.created_at.toISOString()
})
const fromRows = (rows: ReadonlyArray<Row>): ReadonlyArray<AlertRule> => rows.map(fromRow)

function make(database: Database["Service"]): Rules["Service"] {
  const create: Rules["Service"]["create"] = Effect.fnUntraced(function* ({ name, project, ...spec }) {
    const id = RuleId.make(yield* freshId("rule"))
    const now = new Date(yield* Clock.currentTimeMillis).toISOString()
    const rows = yield* database.query(
      "rules.create",
      (sql) => sql<Array<Row>>`
        insert into rules (id, project, name, type, spec, created_at)
        values (${id}, ${project}, ${name}, ${spec.type}, ${JSON.stringify(spec)}::text::jsonb, ${now}::text::timestamptz)
        returning *`
    )
    return fromRow(rows[0]!)
  })

  const remove: Rules["Service"]["remove"] = Effect.fnUntraced(function* (project, id) {
    const now = new Date(yield* Clock.currentTimeMillis).toISOString()
    return yield* database.tx("rules.remove", async (sql) => {
      await AlertRows.lockRule(sql, id)
      const gone = await sql`delete from rules where id = ${id} and project = ${project}`
      if (gone.count === 0) return { removed: false, ended: [] }
      return { removed: true, ended: await AlertRows.endActive(sql, id, "the rule was removed", now) }
    })
  })

  return Rules.of({
    create,
    remove,
    list: (project) =>
      database
        .query(
          "rules.list",
          (sql) => sql<Array<Row>>`select * from rules where project = ${project} order by created_at, id`
        )
        .pipe(Effect.map(fromRows)),
    listAll: database
      .query(
        "rules.listAll",
        (sql) => sql<Array<Row>>`select * from rules where enabled order by project, created_at, id`
      )
      .pipe(Effect.map(fromRows)),
    projects: database
      .query(
        "rules.projects",
        (sql) => sql<Array<{ project: ProjectId }>>`select distinct project from rules where enabled order by project`
      )
      .pipe(Effect.map((rows) => rows.map(({ project }) => project))),
    get: (id) =>
      database
        .query("rules.get", (sql) => sql<Array<Row>>`select * from rules where id = ${id}`)
        .pipe(Effect.map((rows) => rows[0] && fromRow(rows[0])))
  })
}
