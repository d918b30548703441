/** Rows of `alerts`, and the statements that Alerts.ts and Rules.ts share. Nothing of it leaves the store. */
import type { Alert, AlertState } from "../domain/Alert.ts"
import type { AlertId, ProjectId, RuleId } from "../domain/Ids.ts"
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
  readonly samples: ReadonlyArray<string>
  readonly started_at: Date
  readonly fired_at: Date | null
  readonly resolved_at: Date | null
  readonly updated_at: Date
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
  updatedAt: row.updated_at.toISOString()
})

/** Makes changes to the alerts of one rule take turns until the transaction ends. */
export const lockRule = (sql: Transaction, rule: RuleId): Promise<unknown> =>
  sql`select pg_advisory_xact_lock(hashtextextended(${`loglytics rule ${rule}`}, 0))`.then(() => undefined)

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
    update alerts set state = case state when 'firing' then 'resolved' else 'inactive' end, reason = ${reason},
      resolved_at = ${at}::text::timestamptz, updated_at = ${at}::text::timestamptz
    where rule_id = ${rule} and state in ('pending', 'firing') ${only} returning *`
  return rows.map(fromRow)
}
