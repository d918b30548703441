/** Rows of `alerts`, and the statements that Alerts.ts and Rules.ts share. Nothing of it leaves the store. */
import type { Acknowledgement, Alert, AlertState } from "../domain/Alert.ts"
import type { AlertId, ProjectId, RuleId } from "../domain/Ids.ts"
import type { Severity } from "../domain/Outgoing.ts"
import type { Transaction } from "./Database.ts"
import { isoOrNull } from "./ids.ts"

export interface AlertRow {
  readonly id: AlertId
  readonly project: ProjectId
  readonly rule_id: RuleId
  readonly rule_name: string
  readonly state: AlertState
  readonly value: number
  readonly threshold: number
  readonly reason: string
  /** Of the moment in which it fired; "" where it never did. */
  readonly fired_reason: string
  readonly samples: ReadonlyArray<string>
  readonly started_at: Date
  readonly fired_at: Date | null
  readonly resolved_at: Date | null
  readonly updated_at: Date
  readonly severity: Severity
  readonly labels: Readonly<Record<string, string>>
  readonly group_values: Readonly<Record<string, string>>
  readonly annotations: Alert["annotations"]
  readonly query: string
  readonly lines: Alert["lines"]
  readonly window_from: Date | null
  readonly window_to: Date | null
  readonly acknowledged: Acknowledgement | null
  readonly assignee: string | null
  readonly late: boolean
  readonly silenced_by: string | null
  readonly inhibited_by: string | null
  readonly incident_id: string | null
  readonly decision: string | null
  readonly routed: AlertState | null
}

export const fromRow = (row: AlertRow): Alert => ({
  id: row.id,
  project: row.project,
  ruleId: row.rule_id,
  ruleName: row.rule_name,
  state: row.state,
  value: row.value,
  threshold: row.threshold,
  reason: row.reason,
  samples: row.samples,
  startedAt: row.started_at.toISOString(),
  firedAt: isoOrNull(row.fired_at),
  resolvedAt: isoOrNull(row.resolved_at),
  updatedAt: row.updated_at.toISOString(),
  severity: row.severity,
  labels: row.labels,
  group: row.group_values,
  annotations: row.annotations,
  query: row.query,
  lines: row.lines,
  window:
    row.window_from === null || row.window_to === null
      ? null
      : { from: row.window_from.toISOString(), to: row.window_to.toISOString() },
  acknowledged: row.acknowledged,
  assignee: row.assignee,
  incidentId: row.incident_id,
  late: row.late,
  silencedBy: row.silenced_by,
  inhibitedBy: row.inhibited_by
})

/** What happened to alerts, for their timelines. */
export const addEvents = async (
  sql: Transaction,
  at: string,
  events: ReadonlyArray<{
    readonly alert: string
    readonly what: string
    readonly who?: string | null
    readonly note: string
  }>
): Promise<void> => {
  if (events.length === 0) return
  await sql`
    insert into alert_events (alert_id, at, what, who, note)
    select alert, ${at}::text::timestamptz, what, who, note
    from jsonb_to_recordset(${JSON.stringify(events)}::text::jsonb) as r(alert text, what text, who text, note text)`
}

/** Makes changes to the alerts of one rule take turns until the transaction ends. */
export const lockRule = (sql: Transaction, rule: RuleId): Promise<unknown> =>
  sql`select pg_advisory_xact_lock(hashtextextended(${`loglytics rule ${rule}`}, 0))`.then(() => undefined)

/** What an active alert becomes that ends. */
const ended = (sql: Transaction) => sql`case state when 'firing' then 'resolved' else 'inactive' end`

/** Ends the active alerts of a rule, but for those in `except` and those that began after `before`. */
export const endActive = async (
  sql: Transaction,
  rule: RuleId,
  reason: string,
  at: string,
  other?: { readonly group: string; readonly except: AlertId; readonly startedBy: string }
): Promise<ReadonlyArray<Alert>> => {
  const only =
    other === undefined
      ? sql``
      : sql`and group_key = ${other.group} and id <> ${other.except}
          and started_at <= ${other.startedBy}::text::timestamptz`
  const rows = await sql<Array<AlertRow>>`
    update alerts set state = ${ended(sql)}, reason = ${reason},
      resolved_at = ${at}::text::timestamptz, updated_at = ${at}::text::timestamptz
    where rule_id = ${rule} and state in ('pending', 'firing') ${only} returning *`
  return rows.map(fromRow)
}

/** Ends one alert, if it is pending or firing. */
export const endOne = async (sql: Transaction, id: AlertId, reason: string, at: string): Promise<Alert | undefined> => {
  const [known] = await sql<Array<AlertRow>>`select * from alerts where id = ${id}`
  if (known === undefined) return undefined
  await lockRule(sql, known.rule_id)
  const [row] = await sql<Array<AlertRow>>`
    update alerts set state = ${ended(sql)}, reason = ${reason}, resolved_at = ${at}::text::timestamptz,
      updated_at = ${at}::text::timestamptz
    where id = ${id} and state in ('pending', 'firing') returning *`
  return row && fromRow(row)
}
