/**
 * One turn of telling a project's alerts, inside one transaction: where an alert belongs, what is decided of each incident that
 * it touches, and all that follows is written. Turns of a project come one after the other. Incidents.ts is its door.
 */
import type { Alert } from "../domain/Alert.ts"
import type { ChannelKind } from "../domain/Channel.ts"
import type { AlertId, ProjectId } from "../domain/Ids.ts"
import { freshStanding, type IncidentId, type Member, type Scene } from "../domain/Incident.ts"
import type { Outgoing } from "../domain/Outgoing.ts"
import { addEvents, type AlertRow, fromRow } from "./AlertRows.ts"
import type { Transaction } from "./Database.ts"
import { insertDeliveries, type Planned } from "./Deliveries.ts"
import { type IncidentRow, sceneOf } from "./IncidentRows.ts"
import type { Decided, Dispatched, Judge, Turn } from "./Incidents.ts"

/** Alerts of an incident that are looked at, incidents of a turn, and messages that a turn makes jobs of. */
const membersMax = 1_000
const incidentsMax = 500
const waitingMax = 1_000

const iso = (ms: number): string => new Date(ms).toISOString()
const isoOrNone = (ms: number | null): string | null => (ms === null ? null : iso(ms))

/** Makes the alert part of its incidents, if it is part of none yet. */
const join = async (
  sql: Transaction,
  alert: Alert,
  { judge, now, scene }: { readonly judge: Judge; readonly now: number; readonly scene: Scene },
  ids: ReadonlyArray<IncidentId>
): Promise<void> => {
  const [before] = await sql`select 1 from incident_alerts where alert_id = ${alert.id} limit 1`
  if (before !== undefined) return
  const { placements, reason } = judge.place(alert, scene)
  if (placements.length === 0) await sql`update alerts set decision = ${reason} where id = ${alert.id}`
  let first: string | undefined
  for (const [i, { group, key, policy, route }] of placements.slice(0, ids.length).entries()) {
    const [known] = await sql<Array<IncidentRow>>`
      select * from incidents where project = ${alert.project} and route_id = ${route} and group_key = ${key}
      order by opened_at desc limit 1`
    const open =
      known !== undefined &&
      (known.state !== "resolved" || (known.resolved_at?.getTime() ?? 0) > now - policy.groupIntervalMs)
    const id = open ? known.id : ids[i]!
    first ??= id
    if (!open) {
      await sql`
        insert into incidents (id, project, route_id, group_key, group_values, policy, standing, state, severity,
          opened_at, updated_at)
        values (${id}, ${alert.project}, ${route}, ${key}, ${JSON.stringify(group)}::text::jsonb,
          ${JSON.stringify(policy)}::text::jsonb, ${JSON.stringify(freshStanding)}::text::jsonb, 'waiting',
          ${alert.severity}, ${iso(now)}::text::timestamptz, ${iso(now)}::text::timestamptz)`
    }
    await sql`
      insert into incident_alerts (incident_id, alert_id, joined_at)
      values (${id}, ${alert.id}, ${iso(now)}::text::timestamptz) on conflict do nothing`
  }
  if (first !== undefined) await sql`update alerts set incident_id = ${first} where id = ${alert.id}`
}

/** The incidents of a turn. */
const wanted = async (sql: Transaction, turn: Turn): Promise<ReadonlyArray<IncidentRow>> => {
  const { alert, incident, project } = turn
  // Whatever an alert inhibits must be looked at when it goes.
  const which =
    alert !== undefined
      ? sql`id in (
          select m.incident_id from incident_alerts m join alerts a on a.id = m.alert_id
          where m.alert_id = ${alert} or (a.project = ${project} and a.inhibited_by = ${alert} and a.state = 'firing'))`
      : incident !== undefined
        ? sql`id = ${incident}`
        : sql`(state <> 'resolved' or next_at is not null)`
  return sql<Array<IncidentRow>>`
    select * from incidents where project = ${project} and ${which} order by opened_at, id limit ${incidentsMax}`
}

interface Held {
  readonly member: Member
  readonly decision: string | null
}

const membersOf = async (sql: Transaction, incident: IncidentId, judge: Judge, scene: Scene) => {
  const rows = await sql<Array<AlertRow & { readonly told: Member["told"]; readonly joined_at: Date }>>`
    select a.*, m.told, m.joined_at from incident_alerts m join alerts a on a.id = m.alert_id
    where m.incident_id = ${incident} and m.told is distinct from 'resolved'
    order by m.joined_at, a.id limit ${membersMax}`
  return rows.map((row): Held => {
    const alert = fromRow(row)
    const member = { alert, told: row.told, joinedAt: row.joined_at.getTime(), mute: judge.mute(alert, scene) }
    return { member, decision: row.decision }
  })
}

/** Writes what was decided of one incident. Answers the alerts that look different now. */
const keep = async (
  sql: Transaction,
  row: IncidentRow,
  held: ReadonlyArray<Held>,
  decided: Decided & { readonly policy: IncidentRow["policy"] },
  now: number
): Promise<ReadonlyArray<Alert>> => {
  const { decisions, messages, nextAt, policy, severity, standing, told } = decided
  await sql`
    update incidents set standing = ${JSON.stringify(standing)}::text::jsonb, state = ${standing.state},
      policy = ${JSON.stringify(policy)}::text::jsonb, severity = ${severity},
      resolved_at = case when ${standing.state}::text = 'resolved' then coalesce(resolved_at, ${iso(now)}::text::timestamptz) end,
      next_at = ${isoOrNone(nextAt)}::text::timestamptz, updated_at = ${iso(now)}::text::timestamptz
    where id = ${row.id}`
  if (told.size > 0) {
    await sql`
      update incident_alerts m set told = r.told
      from jsonb_to_recordset(${JSON.stringify([...told].map(([id, word]) => ({ id, told: word })))}::text::jsonb)
        as r(id text, told text)
      where m.incident_id = ${row.id} and m.alert_id = r.id`
  }
  await insertDeliveries(
    sql,
    messages.map(({ channel, message }): Planned => ({ project: row.project, channel, message })),
    now
  )
  const changed = held.flatMap(({ decision, member: { alert, mute } }) => {
    const silenced = mute?.by === "silence" ? mute.id : null
    const inhibited = mute?.by === "inhibition" ? mute.id : null
    const words = decisions.get(alert.id) ?? decision
    if (silenced === alert.silencedBy && inhibited === alert.inhibitedBy && words === decision) return []
    return [{ id: alert.id, silenced, inhibited, words }]
  })
  if (changed.length > 0) {
    await sql`
      update alerts a set silenced_by = r.silenced, inhibited_by = r.inhibited, decision = r.words
      from jsonb_to_recordset(${JSON.stringify(changed)}::text::jsonb)
        as r(id text, silenced text, inhibited text, words text)
      where a.id = r.id`
  }
  await addEvents(sql, iso(now), [...toldEvents(messages), ...routedEvents(held, decided)])
  const byId = new Map(held.map(({ member }) => [member.alert.id as string, member.alert]))
  return changed.flatMap(({ id, inhibited, silenced }) => {
    const alert = byId.get(id)
    return alert === undefined ? [] : [{ ...alert, silencedBy: silenced, inhibitedBy: inhibited }]
  })
}

/** One event per alert and message, whatever the number of its channels. */
const toldEvents = (messages: Decided["messages"]) => {
  const byTitle = new Map<string, { readonly about: ReadonlyArray<AlertId>; readonly channels: Array<string> }>()
  for (const { about, channel, message } of messages) {
    const known = byTitle.get(message.title)
    if (known === undefined) byTitle.set(message.title, { about, channels: [channel] })
    else known.channels.push(channel)
  }
  return [...byTitle].flatMap(([title, { about, channels }]) =>
    about.map((alert) => ({ alert, what: "told", note: `${title} (by ${channels.join(", ")})` }))
  )
}

/** Why an alert is not told, where that is new. */
const routedEvents = (held: ReadonlyArray<Held>, { decisions, told }: Decided) =>
  held.flatMap(({ decision, member: { alert } }) => {
    const words = decisions.get(alert.id)
    const news = words !== undefined && words !== decision && (!told.has(alert.id) || words.startsWith("not told"))
    return news ? [{ alert: alert.id, what: "routed", note: words }] : []
  })

/** Messages of these incidents that nobody has begun to send. */
const waitingOf = async (sql: Transaction, incidents: ReadonlyArray<IncidentRow>, scene: Scene) => {
  const ids = JSON.stringify(incidents.map(({ id }) => id))
  const rows = await sql<Array<{ project: ProjectId; channel_id: Planned["channel"]; message: Outgoing }>>`
    select project, channel_id, message from deliveries
    where status = 'pending' and incident in (select jsonb_array_elements_text(${ids}::text::jsonb))
    order by created_at, key limit ${waitingMax}`
  const kinds = new Map<string, ChannelKind>(scene.channels.map(({ id, kind }) => [id, kind]))
  return rows.map((row) => ({
    project: row.project,
    channel: row.channel_id,
    message: row.message,
    kind: kinds.get(row.channel_id) ?? ("in_app" as const)
  }))
}

export const dispatch = async (
  sql: Transaction,
  turn: Turn,
  judge: Judge,
  ids: ReadonlyArray<IncidentId>
): Promise<Dispatched | undefined> => {
  const { now, project } = turn
  await sql`select pg_advisory_xact_lock(hashtextextended(${`loglytics incidents ${project}`}, 0))`
  const scene = await sceneOf(sql, project, now)
  if (turn.alert !== undefined) {
    const [row] = await sql<Array<AlertRow>>`
      update alerts set routed = state where id = ${turn.alert} and project = ${project} returning *`
    if (row === undefined) return undefined
    await join(sql, fromRow(row), { judge, now, scene }, ids)
  }
  const incidents = await wanted(sql, turn)
  const seen: Array<Dispatched["incidents"][number]> = []
  const changed: Array<Alert> = []
  for (const row of incidents) {
    const held = await membersOf(sql, row.id, judge, scene)
    const policy = judge.refreshed(row.route_id, row.policy, scene)
    const members = held.map(({ member }) => member)
    const decided = judge.decide({ id: row.id, standing: row.standing, policy, members }, scene)
    changed.push(...(await keep(sql, row, held, { ...decided, policy }, now)))
    seen.push({ id: row.id, nextAt: decided.nextAt, before: row.next_at?.getTime() ?? null })
  }
  return { incidents: seen, waiting: await waitingOf(sql, incidents, scene), changed }
}
