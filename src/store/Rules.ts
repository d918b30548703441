/** Alert rules as people made them. Whether a rule's query and durations make sense is left to those who accept rules. */
import { Clock, Context, Effect, Layer } from "effect"
import type { Alert } from "../domain/Alert.ts"
import { type ProjectId, RuleId } from "../domain/Ids.ts"
import type { AlertRule, NewRule, RuleSpec } from "../domain/Rule.ts"
import * as AlertRows from "./AlertRows.ts"
import { Database, type StoreError } from "./Database.ts"
import { freshId } from "./ids.ts"

export class Rules extends Context.Service<
  Rules,
  {
    readonly create: (rule: NewRule & { readonly project: ProjectId }) => Effect.Effect<AlertRule, StoreError>
    /**
     * Makes a rule say something else; undefined where there is none. Where it is disabled or now means something else, its active
     * alerts end: `ended`.
     */
    readonly update: (
      project: ProjectId,
      id: RuleId,
      rule: NewRule
    ) => Effect.Effect<{ readonly rule: AlertRule; readonly ended: ReadonlyArray<Alert> } | undefined, StoreError>
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
  readonly spec: RuleSpec
  readonly enabled: boolean
  readonly created_at: Date
  readonly updated_at: Date | null
}
const fromRow = (row: Row): AlertRule => ({
  id: row.id,
  project: row.project,
  name: row.name,
  ...row.spec,
  enabled: row.enabled,
  createdAt: row.created_at.toISOString(),
  ...(row.updated_at === null ? {} : { updatedAt: row.updated_at.toISOString() })
})

/** What only tells people more, and changes nothing of what is judged. */
const tellsOnly = new Set(["annotations", "labels", "severity"])
const meaningOf = (spec: RuleSpec): string =>
  JSON.stringify(
    Object.entries(spec)
      .filter(([name]) => !tellsOnly.has(name))
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
  )
const sameMeaning = (a: RuleSpec, b: RuleSpec): boolean => meaningOf(a) === meaningOf(b)
const fromRows = (rows: ReadonlyArray<Row>): ReadonlyArray<AlertRule> => rows.map(fromRow)

function make(database: Database["Service"]): Rules["Service"] {
  const create: Rules["Service"]["create"] = Effect.fnUntraced(function* ({ enabled = true, name, project, ...spec }) {
    const id = RuleId.make(yield* freshId("rule"))
    const now = new Date(yield* Clock.currentTimeMillis).toISOString()
    const rows = yield* database.query(
      "rules.create",
      (sql) => sql<Array<Row>>`
        insert into rules (id, project, name, type, spec, enabled, created_at)
        values (${id}, ${project}, ${name}, ${spec.type}, ${JSON.stringify(spec)}::text::jsonb, ${enabled},
          ${now}::text::timestamptz)
        returning *`
    )
    return fromRow(rows[0]!)
  })

  const update: Rules["Service"]["update"] = Effect.fnUntraced(function* (
    project,
    id,
    { enabled = true, name, ...spec }
  ) {
    const now = new Date(yield* Clock.currentTimeMillis).toISOString()
    return yield* database.tx("rules.update", async (sql) => {
      await AlertRows.lockRule(sql, id)
      const [before] = await sql<Array<Row>>`select * from rules where id = ${id} and project = ${project} for update`
      if (before === undefined) return undefined
      const [after] = await sql<Array<Row>>`
        update rules set name = ${name}, type = ${spec.type}, spec = ${JSON.stringify(spec)}::text::jsonb,
          enabled = ${enabled}, updated_at = ${now}::text::timestamptz
        where id = ${id} returning *`
      const ends = !enabled
        ? "the rule was disabled"
        : sameMeaning(before.spec, spec)
          ? undefined
          : "the rule was changed"
      return { rule: fromRow(after!), ended: ends === undefined ? [] : await AlertRows.endActive(sql, id, ends, now) }
    })
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
    update,
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
