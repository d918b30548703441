/**
 * Alerts as they are kept. Promises that applying the same verdict again changes nothing, that an alert never goes back
 * (pending, firing, then resolved or inactive), and that a rule has one active alert per group. What a rule sees is judged
 * elsewhere.
 */
import { Clock, Context, Effect, Layer } from "effect"
import type { Alert, AlertComment, AlertEvent, AlertState, Verdict } from "../domain/Alert.ts"
import type { AlertId, ProjectId } from "../domain/Ids.ts"
import type { Severity } from "../domain/Outgoing.ts"
import { addEvents, type AlertRow, endActive, endOne, fromRow, lockRule } from "./AlertRows.ts"
import { Database, type Sql, type StoreError, type Transaction } from "./Database.ts"
import { freshId } from "./ids.ts"

/** Which alerts; what is left out does not matter. Times in epoch ms: those that were there at some time between. */
export interface Wanted {
  readonly project?: ProjectId | undefined
  readonly state?: AlertState | undefined
  readonly severity?: Severity | undefined
  readonly rule?: string | undefined
  /** Of the alert or its group. */
  readonly label?: { readonly name: string; readonly value: string } | undefined
  readonly acknowledged?: boolean | undefined
  readonly incident?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly limit: number
}

export interface Story {
  readonly events: ReadonlyArray<AlertEvent>
  readonly comments: ReadonlyArray<AlertComment>
  readonly decision: string | null
}

export type Change =
  | { readonly acknowledged: true; readonly note: string | null }
  | { readonly acknowledged: false }
  | { readonly assignee: string | null }

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
    /** Ends an alert that is pending or firing; undefined where it is neither. */
    readonly end: (id: AlertId, reason: string) => Effect.Effect<Alert | undefined, StoreError>
    readonly get: (id: AlertId) => Effect.Effect<Alert | undefined, StoreError>
    /** The one that changed last comes first. */
    readonly list: (wanted: Wanted) => Effect.Effect<ReadonlyArray<Alert>, StoreError>
    /** What happened to it and what people said of it, oldest first, and why it was told or not. */
    readonly story: (id: AlertId) => Effect.Effect<Story, StoreError>
    /** Changes what people made of an alert and keeps that in its timeline; undefined where the project has no such alert. */
    readonly change: (
      project: ProjectId,
      id: AlertId,
      change: Change,
      by: string
    ) => Effect.Effect<Alert | undefined, StoreError>
    readonly comment: (
      project: ProjectId,
      id: AlertId,
      text: string,
      by: string
    ) => Effect.Effect<AlertComment | undefined, StoreError>
    /** Alerts that fire or are over since before `before` (epoch ms) and that nobody has looked at to tell; oldest first. */
    readonly unrouted: (before: number, limit: number) => Effect.Effect<ReadonlyArray<Alert>, StoreError>
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
      started_at, fired_at, resolved_at, updated_at, severity, labels, group_values, late, lines,
      window_from, window_to, annotations, query, fired_reason)
    values (${verdict.alertId}, ${verdict.project}, ${verdict.ruleId}, ${verdict.group ?? ""}, ${verdict.ruleName},
      ${verdict.to}, ${verdict.value}, ${verdict.threshold}, ${verdict.reason},
      ${JSON.stringify(verdict.samples)}::text::jsonb, ${time(verdict.startedAt)}, ${time(verdict.firedAt)},
      ${time(verdict.resolvedAt)}, ${time(verdict.at)}, ${verdict.severity ?? "warning"},
      ${JSON.stringify(verdict.labels ?? {})}::text::jsonb, ${JSON.stringify(verdict.groupValues ?? {})}::text::jsonb,
      ${verdict.late ?? false}, ${JSON.stringify(verdict.lines ?? [])}::text::jsonb, ${time(verdict.window?.from ?? null)},
      ${time(verdict.window?.to ?? null)}, ${JSON.stringify(verdict.annotations ?? {})}::text::jsonb,
      ${verdict.query ?? ""}, ${verdict.to === "firing" ? verdict.reason : ""})
    on conflict (id) do update set state = excluded.state, value = excluded.value, threshold = excluded.threshold,
      reason = excluded.reason, samples = excluded.samples, fired_at = coalesce(excluded.fired_at, alerts.fired_at),
      resolved_at = excluded.resolved_at, updated_at = excluded.updated_at, severity = excluded.severity,
      labels = excluded.labels, group_values = excluded.group_values, late = alerts.late or excluded.late,
      lines = excluded.lines, window_from = excluded.window_from, window_to = excluded.window_to,
      annotations = excluded.annotations, query = excluded.query,
      fired_reason = case excluded.state when 'firing' then excluded.fired_reason else alerts.fired_reason end
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
  if (row === undefined && verdict.late === true && verdict.to === known?.state) {
    return { alert: fromRow(await correct(sql, verdict)), changed: false }
  }
  return { alert: fromRow(row ?? known!), changed: row !== undefined }
}

/** Lines that came late say more of an alert in the state that it is in. */
const correct = async (sql: Transaction, verdict: Verdict): Promise<AlertRow> => {
  const [row] = await sql<Array<AlertRow>>`
    update alerts set value = ${verdict.value}, reason = ${verdict.reason}, late = true,
      samples = ${JSON.stringify(verdict.samples)}::text::jsonb, lines = ${JSON.stringify(verdict.lines ?? [])}::text::jsonb
    where id = ${verdict.alertId} returning *`
  await addEvents(sql, iso(verdict.at), [{ alert: verdict.alertId, what: "corrected", note: verdict.reason }])
  return row!
}

/** The condition of a list. */
const where = (sql: Sql, wanted: Wanted) => {
  const { acknowledged, from, incident, label, project, rule, severity, state, to } = wanted
  const all = sql`true`
  const of = label === undefined ? "" : JSON.stringify({ [label.name]: label.value })
  return sql`
    ${project === undefined ? all : sql`project = ${project}`}
    and ${state === undefined ? all : sql`state = ${state}`}
    and ${severity === undefined ? all : sql`severity = ${severity}`}
    and ${rule === undefined ? all : sql`(rule_id = ${rule} or rule_name = ${rule})`}
    and ${label === undefined ? all : sql`(labels @> ${of}::text::jsonb or group_values @> ${of}::text::jsonb)`}
    and ${acknowledged === undefined ? all : acknowledged ? sql`acknowledged is not null` : sql`acknowledged is null`}
    and ${
      incident === undefined ? all : sql`id in (select alert_id from incident_alerts where incident_id = ${incident})`
    }
    and ${from === undefined ? all : sql`coalesce(resolved_at, 'infinity') >= ${iso(from)}::text::timestamptz`}
    and ${to === undefined ? all : sql`started_at <= ${iso(to)}::text::timestamptz`}`
}

interface EventRow {
  readonly at: Date
  readonly what: string
  readonly who: string | null
  readonly note: string
}
interface CommentRow {
  readonly id: string
  readonly at: Date
  readonly who: string
  readonly text: string
}
const commentOf = ({ at, id, text, who }: CommentRow): AlertComment => ({ id, at: at.toISOString(), by: who, text })
const momentOf = (at: string | null, what: string, note: string): ReadonlyArray<AlertEvent> =>
  at === null ? [] : [{ at, what, by: null, note }]

/** The steps of the alert's own life, which need no rows of their own. */
const stepsOf = (alert: Alert, firedReason: string): ReadonlyArray<AlertEvent> => [
  ...momentOf(alert.startedAt === alert.firedAt ? null : alert.startedAt, "pending", "the condition began to hold"),
  ...momentOf(alert.firedAt, "firing", firedReason),
  ...momentOf(alert.resolvedAt, alert.state, alert.reason)
]

const story = async (sql: Sql, id: AlertId): Promise<Story> => {
  const [row] = await sql<Array<AlertRow>>`select * from alerts where id = ${id}`
  if (row === undefined) return { events: [], comments: [], decision: null }
  const events = await sql<Array<EventRow>>`
    select at, what, who, note from alert_events where alert_id = ${id} order by at, id limit 1000`
  const comments = await sql<Array<CommentRow>>`
    select * from alert_comments where alert_id = ${id} order by at, id limit 1000`
  const told = events.map(({ at, note, what, who }) => ({ at: at.toISOString(), what, by: who, note }))
  return {
    events: [...stepsOf(fromRow(row), row.fired_reason), ...told].toSorted(
      (a, b) => Date.parse(a.at) - Date.parse(b.at)
    ),
    comments: comments.map(commentOf),
    decision: row.decision
  }
}

const eventOf = (change: Change): { readonly what: string; readonly note: string } => {
  if ("assignee" in change) return { what: "assigned", note: change.assignee ?? "nobody" }
  return change.acknowledged ? { what: "acknowledged", note: change.note ?? "" } : { what: "unacknowledged", note: "" }
}

const changeAlert = async (
  sql: Transaction,
  project: ProjectId,
  id: AlertId,
  change: Change,
  by: string,
  now: string
): Promise<Alert | undefined> => {
  const set =
    "assignee" in change
      ? sql`assignee = ${change.assignee}`
      : sql`acknowledged = ${change.acknowledged ? JSON.stringify({ by, at: now, note: change.note }) : null}::text::jsonb`
  const [row] = await sql<Array<AlertRow>>`
    update alerts set ${set} where id = ${id} and project = ${project} returning *`
  if (row === undefined) return undefined
  await addEvents(sql, now, [{ alert: id, who: by, ...eventOf(change) }])
  // Should the job that looks at them be lost, they are found as overdue.
  await sql`
    update incidents set next_at = least(next_at, ${now}::text::timestamptz)
    where state <> 'resolved' and id in (select incident_id from incident_alerts where alert_id = ${id})`
  return fromRow(row)
}

function make(database: Database["Service"]): Alerts["Service"] {
  const first = (rows: ReadonlyArray<AlertRow>) => rows[0] && fromRow(rows[0])
  return Alerts.of({
    apply: (verdict) => database.tx("alerts.apply", (sql) => apply(sql, verdict)),
    end: Effect.fnUntraced(function* (id, reason) {
      const now = iso(yield* Clock.currentTimeMillis)
      return yield* database.tx("alerts.end", (sql) => endOne(sql, id, reason, now))
    }),
    get: (id) =>
      database
        .query("alerts.get", (sql) => sql<Array<AlertRow>>`select * from alerts where id = ${id}`)
        .pipe(Effect.map(first)),
    list: (wanted) =>
      database
        .query(
          "alerts.list",
          (sql) => sql<Array<AlertRow>>`
            select * from alerts where ${where(sql, wanted)} order by updated_at desc, id desc limit ${wanted.limit}`
        )
        .pipe(Effect.map((rows) => rows.map(fromRow))),
    story: (id) => database.query("alerts.story", (sql) => story(sql, id)),
    change: Effect.fnUntraced(function* (project, id, change, by) {
      const now = iso(yield* Clock.currentTimeMillis)
      return yield* database.tx("alerts.change", (sql) => changeAlert(sql, project, id, change, by, now))
    }),
    comment: Effect.fnUntraced(function* (project, id, text, by) {
      const now = iso(yield* Clock.currentTimeMillis)
      const comment = yield* freshId("com")
      const rows = yield* database.query(
        "alerts.comment",
        (sql) => sql<Array<CommentRow>>`
          insert into alert_comments (id, alert_id, at, who, text)
          select ${comment}, id, ${now}::text::timestamptz, ${by}, ${text} from alerts
          where id = ${id} and project = ${project} returning *`
      )
      return rows[0] && commentOf(rows[0])
    }),
    unrouted: (before, limit) =>
      database
        .query(
          "alerts.unrouted",
          (sql) => sql<Array<AlertRow>>`
            select * from alerts where state in ('firing', 'resolved') and fired_at is not null
              and routed is distinct from state and updated_at < ${iso(before)}::text::timestamptz
            order by updated_at limit ${limit}`
        )
        .pipe(Effect.map((rows) => rows.map(fromRow)))
  })
}
