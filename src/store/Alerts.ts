/**
 * Alerts as they are kept. Promises that applying the same verdict again changes nothing, that an alert never goes back
 * (pending, firing, then resolved or inactive), and that a rule has one active alert per group. What a rule sees is judged
 * elsewhere.
 */
import { Context, Effect, Layer } from "effect"
import type { Alert, AlertState, Verdict } from "../domain/Alert.ts"
import type { AlertId, ProjectId, RuleId } from "../domain/Ids.ts"
import { type AlertRow, endActive, fromRow, lockRule } from "./AlertRows.ts"
import { Database, type StoreError, type Transaction } from "./Database.ts"

export class Alerts extends Context.Service<
  Alerts,
  {
    /**
     * Keeps a verdict. `changed` is false when the alert was in that state, or beyond it, before. An active alert of the
     * same rule and group that began earlier ends; one that began later stays, and the older one is kept as ended.
     */
    readonly apply: (
      verdict: Verdict
    ) => Effect.Effect<{ readonly alert: Alert; readonly changed: boolean }, StoreError>
    readonly get: (id: AlertId) => Effect.Effect<Alert | undefined, StoreError>
    /** The pending or firing alert of a rule (of the rule's group `group`). */
    readonly active: (rule: RuleId, group?: string) => Effect.Effect<Alert | undefined, StoreError>
    /** The one that changed last comes first. */
    readonly list: (options: {
      readonly project?: ProjectId
      readonly state?: AlertState
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<Alert>, StoreError>
  }
>()("loglytics/store/Alerts") {
  static readonly layer = Layer.effect(Alerts, Effect.map(Database, make))
}

const isActive = (state: AlertState): boolean => state === "pending" || state === "firing"
const iso = (ms: number): string => new Date(ms).toISOString()

/** Writes the verdict unless the alert is as far already; undefined then. */
const upsert = async (sql: Transaction, verdict: Verdict): Promise<AlertRow | undefined> => {
  const time = (ms: number | null) => sql`${ms === null ? null : iso(ms)}::text::timestamptz`
  const rank = (column: string) => sql`case ${sql(column)}.state when 'pending' then 0 when 'firing' then 1 else 2 end`
  const [row] = await sql<Array<AlertRow>>`
    insert into alerts (id, project, rule_id, group_key, rule_name, state, value, threshold, reason, samples,
      started_at, fired_at, resolved_at, updated_at)
    values (${verdict.alertId}, ${verdict.project}, ${verdict.ruleId}, ${verdict.group ?? ""}, ${verdict.ruleName},
      ${verdict.to}, ${verdict.value}, ${verdict.threshold}, ${verdict.reason},
      ${JSON.stringify(verdict.samples)}::text::jsonb, ${time(verdict.startedAt)}, ${time(verdict.firedAt)},
      ${time(verdict.resolvedAt)}, ${time(verdict.at)})
    on conflict (id) do update set state = excluded.state, value = excluded.value, threshold = excluded.threshold,
      reason = excluded.reason, samples = excluded.samples, fired_at = coalesce(excluded.fired_at, alerts.fired_at),
      resolved_at = excluded.resolved_at, updated_at = excluded.updated_at
    where ${rank("excluded")} > ${rank("alerts")}
    returning *`
  return row
}

const superseded = "a newer alert of the same rule is active"

const apply = async (sql: Transaction, verdict: Verdict) => {
  await lockRule(sql, verdict.ruleId)
  const group = verdict.group ?? ""
  const [known] = await sql<Array<AlertRow>>`select * from alerts where id = ${verdict.alertId}`
  if (isActive(verdict.to) && (known === undefined || isActive(known.state))) {
    const startedBy = iso(verdict.startedAt)
    await endActive(sql, verdict.ruleId, superseded, iso(verdict.at), { group, except: verdict.alertId, startedBy })
    const [newer] = await sql`
      select id from alerts where rule_id = ${verdict.ruleId} and group_key = ${group}
        and state in ('pending', 'firing') and id <> ${verdict.alertId}`
    if (newer !== undefined) {
      const ended = { ...verdict, to: "resolved", reason: superseded, resolvedAt: verdict.at } as const
      const row = (await upsert(sql, ended)) ?? known!
      return { alert: fromRow(row), changed: false }
    }
  }
  const row = await upsert(sql, verdict)
  return { alert: fromRow(row ?? known!), changed: row !== undefined }
}

function make(database: Database["Service"]): Alerts["Service"] {
  const first = (rows: ReadonlyArray<AlertRow>) => rows[0] && fromRow(rows[0])
  return Alerts.of({
    apply: (verdict) => database.tx("alerts.apply", (sql) => apply(sql, verdict)),
    get: (id) =>
      database
        .query("alerts.get", (sql) => sql<Array<AlertRow>>`select * from alerts where id = ${id}`)
        .pipe(Effect.map(first)),
    active: (rule, group = "") =>
      database
        .query(
          "alerts.active",
          (sql) => sql<Array<AlertRow>>`
            select * from alerts where rule_id = ${rule} and group_key = ${group} and state in ('pending', 'firing')`
        )
        .pipe(Effect.map(first)),
    list: ({ limit, project, state }) =>
      database
        .query(
          "alerts.list",
          (sql) => sql<Array<AlertRow>>`
            select * from alerts where ${project === undefined ? sql`true` : sql`project = ${project}`}
              and ${state === undefined ? sql`true` : sql`state = ${state}`}
            order by updated_at desc, id desc limit ${limit}`
        )
        .pipe(Effect.map((rows) => rows.map(fromRow)))
  })
}
