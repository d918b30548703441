/** Incidents: alerts that are told together. What they are, and all that is needed to decide whom to tell what of them when. */
import { Schema } from "effect"
import type { Alert } from "./Alert.ts"
import type { ChannelId, ChannelKind } from "./Channel.ts"
import { AlertId, ProjectId } from "./Ids.ts"
import { Severity } from "./Outgoing.ts"
import type { Policy, Route, RouteId } from "./Route.ts"
import type { Inhibition, Silence } from "./Silence.ts"

export const IncidentId = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/u))
  .pipe(Schema.brand("IncidentId"))
  .annotate({ identifier: "IncidentId" })
export type IncidentId = typeof IncidentId.Type

/** waiting: nobody was told yet. firing: people were told that it fires. resolved: it is over. */
export const IncidentState = Schema.Literals(["waiting", "firing", "resolved"]).annotate({
  identifier: "IncidentState"
})
export type IncidentState = typeof IncidentState.Type

export const Incident = Schema.Struct({
  id: IncidentId,
  project: ProjectId,
  /** The route that made it; `default` where none is configured. */
  route: Schema.String,
  /** What its alerts have in common. */
  group: Schema.Record(Schema.String, Schema.String),
  state: IncidentState,
  severity: Severity,
  /** All that ever belonged to it. */
  alerts: Schema.Array(AlertId),
  openedAt: Schema.String,
  resolvedAt: Schema.NullOr(Schema.String),
  /** When something is to be told next, as things stand. */
  nextAt: Schema.NullOr(Schema.String),
  updatedAt: Schema.String
}).annotate({ identifier: "Incident" })
export type Incident = typeof Incident.Type

/** How an incident stands with people; plain JSON. Times in epoch ms. */
export interface Standing {
  readonly state: IncidentState
  /** Messages so far; part of their keys. */
  readonly seq: number
  /** When it was last told by the route's channels. */
  readonly toldAt: number | null
  /** Since when people know and nobody has acknowledged. */
  readonly heardAt: number | null
  /** Steps of escalation that were taken. */
  readonly escalated: number
  /** Who was told since it began. */
  readonly channels: ReadonlyArray<ChannelId>
  /** Whether the acknowledgement was told. */
  readonly acknowledged: boolean
}

export const freshStanding: Standing = {
  state: "waiting",
  seq: 0,
  toldAt: null,
  heardAt: null,
  escalated: 0,
  channels: [],
  acknowledged: false
}

/** Why an alert is not told now. */
export interface Mute {
  readonly by: "silence" | "inhibition"
  /** The silence, or the alert that inhibits. */
  readonly id: string
  readonly reason: string
  /** Epoch ms at which it ends by itself; null where that is not known. */
  readonly until: number | null
}

/** An alert of an incident and what people know of it. */
export interface Member {
  readonly alert: Alert
  readonly told: "firing" | "resolved" | null
  /** Epoch ms. */
  readonly joinedAt: number
  readonly mute: Mute | null
}

/** What of a project decides about its alerts. */
export interface Scene {
  /** Those that have not ended. */
  readonly silences: ReadonlyArray<Silence>
  readonly inhibitions: ReadonlyArray<Inhibition>
  /** In their order. */
  readonly routes: ReadonlyArray<Route>
  readonly firing: ReadonlyArray<Alert>
  readonly channels: ReadonlyArray<{ readonly id: ChannelId; readonly kind: ChannelKind; readonly enabled: boolean }>
}

/** Where an alert belongs. */
export interface Placement {
  readonly route: RouteId
  readonly policy: Policy
  /** The same for alerts that are told together. */
  readonly key: string
  readonly group: Readonly<Record<string, string>>
}

/** What a stage found, in words. */
export interface Finding {
  readonly stage: string
  readonly reason: string
}
