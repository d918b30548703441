/**
 * Incidents as they are kept. Promises that where an alert belongs, what people know of it, and the messages that tell them
 * change together in one transaction, one at a time in a project; so a crash leaves all of it or nothing. What is decided there
 * is handed in by the caller, as pure functions.
 */
import { Context, Effect, Layer } from "effect"
import type { Alert } from "../domain/Alert.ts"
import type { ChannelKind } from "../domain/Channel.ts"
import type { AlertId, ProjectId } from "../domain/Ids.ts"
import {
  type Incident,
  IncidentId,
  type Member,
  type Mute,
  type Placement,
  type Scene,
  type Standing
} from "../domain/Incident.ts"
import type { Outgoing, Severity } from "../domain/Outgoing.ts"
import type { Policy } from "../domain/Route.ts"
import { Database, type Sql, type StoreError } from "./Database.ts"
import type { Planned } from "./Deliveries.ts"
import { freshId } from "./ids.ts"
import { dispatch } from "./IncidentTurn.ts"
import { type IncidentRow, incidentOf, sceneOf } from "./IncidentRows.ts"

/** What of an incident decides about its messages. */
export interface Looked {
  readonly id: IncidentId
  readonly standing: Standing
  readonly policy: Policy
  readonly members: ReadonlyArray<Member>
}

/** What was decided of an incident. */
export interface Decided {
  readonly standing: Standing
  readonly severity: Severity
  readonly messages: ReadonlyArray<{
    readonly message: Outgoing
    readonly channel: Planned["channel"]
    readonly about: ReadonlyArray<AlertId>
  }>
  readonly told: ReadonlyMap<string, "firing" | "resolved">
  readonly decisions: ReadonlyMap<string, string>
  /** Epoch ms. */
  readonly nextAt: number | null
}

/** The decisions, made while the transaction is open: pure, and quick. */
export interface Judge {
  /** Where the alert belongs; nowhere, with the reason, where it is not told at all. */
  readonly place: (
    alert: Alert,
    scene: Scene
  ) => { readonly placements: ReadonlyArray<Placement>; readonly reason: string }
  readonly mute: (alert: Alert, scene: Scene) => Mute | null
  readonly decide: (incident: Looked, scene: Scene) => Decided
  readonly refreshed: (route: string, kept: Policy, scene: Scene) => Policy
}

/** What to look at: an alert that changed, an incident, or all of a project that are open. */
export interface Turn {
  readonly project: ProjectId
  readonly alert?: AlertId | undefined
  readonly incident?: string | undefined
  /** Epoch ms. */
  readonly now: number
}

export interface Dispatched {
  readonly incidents: ReadonlyArray<{
    readonly id: IncidentId
    readonly nextAt: number | null
    /** When it was to be looked at next before this turn, epoch ms. */
    readonly before: number | null
  }>
  /** Messages of these incidents for which nobody has begun: to be made jobs of. */
  readonly waiting: ReadonlyArray<Planned & { readonly kind: ChannelKind }>
  /** Alerts that changed for those who look on. */
  readonly changed: ReadonlyArray<Alert>
}

export class Incidents extends Context.Service<
  Incidents,
  {
    /** Looks, decides and keeps in one transaction. Undefined where the project has no such alert. */
    readonly dispatch: (turn: Turn, judge: Judge) => Effect.Effect<Dispatched | undefined, StoreError>
    readonly get: (project: ProjectId, id: string) => Effect.Effect<Incident | undefined, StoreError>
    /** Those an alert belongs to, or all of a project; the one that changed last comes first. */
    readonly list: (wanted: {
      readonly project: ProjectId
      readonly alert?: AlertId | undefined
      readonly open?: boolean | undefined
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<Incident>, StoreError>
    /** Those that should have been looked at before `before` (epoch ms); oldest first. */
    readonly overdue: (
      before: number,
      limit: number
    ) => Effect.Effect<ReadonlyArray<{ readonly id: IncidentId; readonly project: ProjectId }>, StoreError>
    /** What decides in a project at `now` (epoch ms), to try things out. */
    readonly scene: (project: ProjectId, now: number) => Effect.Effect<Scene, StoreError>
  }
>()("loglytics/store/Incidents") {
  static readonly layer = Layer.effect(Incidents, Effect.map(Database, make))
}

const iso = (ms: number): string => new Date(ms).toISOString()

/** Incidents with the ids of their alerts. */
const rows = (sql: Sql, condition: ReturnType<Sql>, limit: number) => sql<Array<IncidentRow>>`
  select i.*, (
    select coalesce(jsonb_agg(alert_id), '[]') from (
      select alert_id from incident_alerts where incident_id = i.id order by joined_at, alert_id limit 1000) m
  ) as alert_ids
  from incidents i where ${condition} order by i.updated_at desc, i.id desc limit ${limit}`

function make(database: Database["Service"]): Incidents["Service"] {
  return Incidents.of({
    dispatch: Effect.fnUntraced(function* (turn, judge) {
      // Made before the transaction: it awaits nothing but statements. An alert is on a few routes at most.
      const ids = yield* Effect.replicateEffect(freshId("inc"), 20)
      return yield* database.tx("incidents.dispatch", (sql) =>
        dispatch(
          sql,
          turn,
          judge,
          ids.map((id) => IncidentId.make(id))
        )
      )
    }),
    get: (project, id) =>
      database
        .query("incidents.get", (sql) => rows(sql, sql`i.id = ${id} and i.project = ${project}`, 1))
        .pipe(Effect.map((found) => found[0] && incidentOf(found[0]))),
    list: ({ alert, limit, open, project }) =>
      database
        .query("incidents.list", (sql) =>
          rows(
            sql,
            sql`i.project = ${project}
              and ${open === undefined ? sql`true` : open ? sql`i.state <> 'resolved'` : sql`i.state = 'resolved'`}
              and ${
                alert === undefined
                  ? sql`true`
                  : sql`i.id in (select incident_id from incident_alerts where alert_id = ${alert})`
              }`,
            limit
          )
        )
        .pipe(Effect.map((found) => found.map(incidentOf))),
    overdue: (before, limit) =>
      database.query(
        "incidents.overdue",
        (sql) => sql<Array<{ id: IncidentId; project: ProjectId }>>`
          select id, project from incidents where next_at < ${iso(before)}::text::timestamptz order by next_at limit ${limit}`
      ),
    scene: (project, now) => database.query("incidents.scene", (sql) => sceneOf(sql, project, now))
  })
}
