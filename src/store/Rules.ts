/** Alert rules as people made them. Whether a rule's query and durations make sense is left to those who accept rules. */
import { Clock, Context, Effect, Layer } from "effect"
import type { Alert } from "../domain/Alert.ts"
import { type ProjectId, RuleId } from "../domain/Ids.ts"
import type { AlertRule, NewRule, RuleSpec } from "../domain/Rule.ts"
import { canonical, saidBy } from "../domain/RuleFile.ts"
import * as AlertRows from "./AlertRows.ts"
import { Database, type StoreError, type Transaction } from "./Database.ts"
import { freshId } from "./ids.ts"

/** What was done with the rules of a file, by name; or would be. */
export interface Synced {
  readonly ambiguous: ReadonlyArray<string>
  readonly created: ReadonlyArray<string>
  readonly changed: ReadonlyArray<string>
  readonly unchanged: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
  /** Alerts that ended with it. */
  readonly ended: ReadonlyArray<Alert>
}

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
    /**
     * Makes a project's rules those that are wanted, each known by its name, all of them or none. Where a name means more than one
     * rule (`ambiguous`), or with `dryRun`, nothing is done. Other rules stay, but with `prune` they are removed.
     */
    readonly sync: (
      project: ProjectId,
      wanted: ReadonlyArray<NewRule>,
      how: { readonly prune: boolean; readonly dryRun: boolean }
    ) => Effect.Effect<Synced, StoreError>
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

/** A rule as it is said, and whether it judges. */
const parts = ({ enabled = true, name, ...spec }: NewRule) => ({ enabled, name, spec })

const insert = async (
  sql: Transaction,
  project: ProjectId,
  id: RuleId,
  rule: NewRule,
  now: string
): Promise<AlertRule> => {
  const { enabled, name, spec } = parts(rule)
  const [row] = await sql<Array<Row>>`
    insert into rules (id, project, name, type, spec, enabled, created_at)
    values (${id}, ${project}, ${name}, ${spec.type}, ${JSON.stringify(spec)}::text::jsonb, ${enabled},
      ${now}::text::timestamptz)
    returning *`
  return fromRow(row!)
}

const change = async (sql: Transaction, project: ProjectId, id: RuleId, rule: NewRule, now: string) => {
  const { enabled, name, spec } = parts(rule)
  await AlertRows.lockRule(sql, id)
  const [before] = await sql<Array<Row>>`select * from rules where id = ${id} and project = ${project} for update`
  if (before === undefined) return undefined
  const [after] = await sql<Array<Row>>`
    update rules set name = ${name}, type = ${spec.type}, spec = ${JSON.stringify(spec)}::text::jsonb,
      enabled = ${enabled}, updated_at = ${now}::text::timestamptz
    where id = ${id} returning *`
  const ends = !enabled ? "the rule was disabled" : sameMeaning(before.spec, spec) ? undefined : "the rule was changed"
  return { rule: fromRow(after!), ended: ends === undefined ? [] : await AlertRows.endActive(sql, id, ends, now) }
}

const drop = async (sql: Transaction, project: ProjectId, id: RuleId, now: string) => {
  await AlertRows.lockRule(sql, id)
  const gone = await sql`delete from rules where id = ${id} and project = ${project}`
  if (gone.count === 0) return { removed: false, ended: [] }
  return { removed: true, ended: await AlertRows.endActive(sql, id, "the rule was removed", now) }
}

/** What has to be done so that a project's rules are those of a file. */
const planned = (kept: ReadonlyArray<AlertRule>, wanted: ReadonlyArray<NewRule>, prune: boolean) => {
  const byName = new Map<string, Array<AlertRule>>()
  for (const rule of kept) byName.set(rule.name, [...(byName.get(rule.name) ?? []), rule])
  const create: Array<NewRule> = []
  const update: Array<{ readonly id: RuleId; readonly rule: NewRule }> = []
  const unchanged: Array<string> = []
  const ambiguous: Array<string> = []
  for (const rule of wanted) {
    const [known, another] = byName.get(rule.name) ?? []
    byName.delete(rule.name)
    if (another !== undefined) ambiguous.push(rule.name)
    else if (known === undefined) create.push(rule)
    else if (canonical(saidBy(known)) === canonical(rule)) unchanged.push(rule.name)
    else update.push({ id: known.id, rule })
  }
  return { create, update, unchanged, ambiguous, remove: prune ? [...byName.values()].flat() : [] }
}

function make(database: Database["Service"]): Rules["Service"] {
  const nowText = Effect.map(Clock.currentTimeMillis, (ms) => new Date(ms).toISOString())
  const newId = Effect.map(freshId("rule"), (id) => RuleId.make(id))

  const create: Rules["Service"]["create"] = Effect.fnUntraced(function* ({ project, ...rule }) {
    const id = yield* newId
    const now = yield* nowText
    return yield* database.tx("rules.create", (sql) => insert(sql, project, id, rule, now))
  })

  const update: Rules["Service"]["update"] = Effect.fnUntraced(function* (project, id, rule) {
    const now = yield* nowText
    return yield* database.tx("rules.update", (sql) => change(sql, project, id, rule, now))
  })

  const remove: Rules["Service"]["remove"] = Effect.fnUntraced(function* (project, id) {
    const now = yield* nowText
    return yield* database.tx("rules.remove", (sql) => drop(sql, project, id, now))
  })

  const sync: Rules["Service"]["sync"] = Effect.fnUntraced(function* (project, wanted, { dryRun, prune }) {
    const now = yield* nowText
    const ids = yield* Effect.forEach(wanted, () => newId)
    return yield* database.tx("rules.sync", async (sql) => {
      // Two files at once take turns, or both would make what is missing.
      await sql`select pg_advisory_xact_lock(hashtextextended(${`loglytics rules of ${project}`}, 0))`
      const rows = await sql<Array<Row>>`select * from rules where project = ${project} order by created_at, id`
      const plan = planned(fromRows(rows), wanted, prune)
      const ended: Array<Alert> = []
      if (plan.ambiguous.length === 0 && !dryRun) {
        for (const [i, rule] of plan.create.entries()) await insert(sql, project, ids[i]!, rule, now)
        for (const { id, rule } of plan.update) {
          ended.push(...((await change(sql, project, id, rule, now))?.ended ?? []))
        }
        for (const { id } of plan.remove) ended.push(...(await drop(sql, project, id, now)).ended)
      }
      return {
        ambiguous: plan.ambiguous,
        created: plan.create.map(({ name }) => name),
        changed: plan.update.map(({ rule }) => rule.name),
        unchanged: plan.unchanged,
        removed: plan.remove.map(({ name }) => name),
        ended
      }
    })
  })

  return Rules.of({
    create,
    update,
    remove,
    sync,
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
