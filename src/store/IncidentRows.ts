/** Rows of incidents, and what of a project decides about its alerts. Nothing of it leaves the store. */
import type { ChannelId, ChannelKind } from "../domain/Channel.ts"
import type { AlertId, ProjectId } from "../domain/Ids.ts"
import type { Incident, IncidentId, IncidentState, Scene, Standing } from "../domain/Incident.ts"
import type { Severity } from "../domain/Outgoing.ts"
import type { Policy } from "../domain/Route.ts"
import { type AlertRow, fromRow } from "./AlertRows.ts"
import type { Statements } from "./Database.ts"
import { isoOrNull } from "./ids.ts"
import { routesOf } from "./Routes.ts"
import { inhibitionsOf, silencesOf } from "./Silences.ts"

export interface IncidentRow {
  readonly id: IncidentId
  readonly project: ProjectId
  readonly route_id: string
  readonly group_key: string
  readonly group_values: Readonly<Record<string, string>>
  readonly policy: Policy
  readonly standing: Standing
  readonly state: IncidentState
  readonly severity: Severity
  readonly opened_at: Date
  readonly resolved_at: Date | null
  readonly next_at: Date | null
  readonly updated_at: Date
  readonly alert_ids?: ReadonlyArray<AlertId>
}

export const incidentOf = (row: IncidentRow): Incident => ({
  id: row.id,
  project: row.project,
  route: row.route_id,
  group: row.group_values,
  state: row.state,
  severity: row.severity,
  alerts: row.alert_ids ?? [],
  openedAt: row.opened_at.toISOString(),
  resolvedAt: isoOrNull(row.resolved_at),
  nextAt: isoOrNull(row.next_at),
  updatedAt: row.updated_at.toISOString()
})

/** Alerts that are asked whether they inhibit others. */
const firingMax = 2_000

export const sceneOf = async (sql: Statements, project: ProjectId, now: number): Promise<Scene> => {
  const inhibitions = await inhibitionsOf(sql, project)
  const firing =
    inhibitions.length === 0
      ? []
      : await sql<Array<AlertRow>>`
          select * from alerts where project = ${project} and state = 'firing' order by fired_at, id limit ${firingMax}`
  const channels = await sql<Array<{ id: ChannelId; kind: ChannelKind; enabled: boolean }>>`
    select id, kind, enabled from channels where project = ${project} order by created_at, id limit 1000`
  return {
    silences: await silencesOf(sql, project, new Date(now).toISOString()),
    inhibitions,
    routes: await routesOf(sql, project),
    firing: firing.map(fromRow),
    channels: [...channels]
  }
}
