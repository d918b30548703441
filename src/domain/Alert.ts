/** What came of the rules (Rule.ts): alerts and notifications. */
import { Schema } from "effect"
import { AlertId, NotificationId, ProjectId, RuleId } from "./Ids.ts"
import { Annotations } from "./Rule.ts"
import { Severity } from "./Outgoing.ts"

/** pending → firing → resolved; a pending alert whose condition ends before `for` has passed becomes inactive. */
export const AlertState = Schema.Literals(["pending", "firing", "resolved", "inactive"]).annotate({
  identifier: "AlertState"
})
export type AlertState = typeof AlertState.Type

/** Somebody has taken it on: no more reminders, no escalation. */
export const Acknowledgement = Schema.Struct({
  /** Name of the key. */
  by: Schema.String,
  at: Schema.String,
  note: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Acknowledgement" })
export type Acknowledgement = typeof Acknowledgement.Type

const Labels = Schema.Record(Schema.String, Schema.String)

/** A line that an alert shows. */
export const SampleLine = Schema.Struct({
  /** Event time, epoch ms. */
  time: Schema.Finite,
  service: Schema.String,
  message: Schema.String,
  /** Messages of the lines right before it, of the same service and host; oldest first. */
  before: Schema.Array(Schema.String)
}).annotate({ identifier: "SampleLine" })
export type SampleLine = typeof SampleLine.Type

export const Alert = Schema.Struct({
  id: AlertId,
  project: ProjectId,
  ruleId: RuleId,
  ruleName: Schema.String,
  state: AlertState,
  severity: Severity,
  /** The rule's. */
  labels: Labels,
  /** Which of the rule's groups it is about, by name; empty where the rule has none. */
  group: Labels,
  /** The rule's: what people should know, and what to do. */
  annotations: Annotations,
  /** Finds its lines: the rule's query, of its group alone. */
  query: Schema.String,
  /** The measured value when the state last changed (for a threshold: lines in the window). */
  value: Schema.Finite,
  threshold: Schema.Finite,
  /** Why the state is what it is, in words. */
  reason: Schema.String,
  /** Up to five of the lines that matched last. */
  samples: Schema.Array(Schema.String),
  /** The same lines with those before them, where they are known. */
  lines: Schema.Array(SampleLine),
  /** The event times that were measured; null where they are not known. */
  window: Schema.NullOr(Schema.Struct({ from: Schema.String, to: Schema.String })),
  startedAt: Schema.String,
  firedAt: Schema.NullOr(Schema.String),
  resolvedAt: Schema.NullOr(Schema.String),
  updatedAt: Schema.String,
  acknowledged: Schema.NullOr(Acknowledgement),
  /** Who takes care of it. */
  assignee: Schema.NullOr(Schema.String),
  /** The group of alerts that it is told with. */
  incidentId: Schema.NullOr(Schema.String),
  /** Corrected by lines that came late. */
  late: Schema.Boolean,
  /** The silence that keeps it from being told. */
  silencedBy: Schema.NullOr(Schema.String),
  /** The alert that keeps it from being told. */
  inhibitedBy: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Alert" })
export type Alert = typeof Alert.Type

/** One change of one alert, as a judge says it. Times in epoch ms. */
export interface Verdict {
  readonly ruleId: RuleId
  readonly ruleName: string
  readonly project: ProjectId
  /** The same for all verdicts of one alert. */
  readonly alertId: AlertId
  readonly from: AlertState
  readonly to: AlertState
  readonly at: number
  readonly value: number
  readonly threshold: number
  /** In words. */
  readonly reason: string
  readonly samples: ReadonlyArray<string>
  readonly startedAt: number
  readonly firedAt: number | null
  readonly resolvedAt: number | null
  /** Which of the rule's groups; rules without groups have none. */
  readonly group?: string
  /** The group's values by name. */
  readonly groupValues?: Readonly<Record<string, string>>
  /** Default: warning. */
  readonly severity?: Severity
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Alert["annotations"]
  readonly query?: string
  /** Whether lines that came late brought it about. Where `from` is `to`, they changed the value of an alert. */
  readonly late?: boolean
  /** The event times that were measured, epoch ms. */
  readonly window?: { readonly from: number; readonly to: number }
  /** The lines of `samples` with those before them. */
  readonly lines?: ReadonlyArray<SampleLine>
}

/** Something that happened to an alert, for its timeline. */
export const AlertEvent = Schema.Struct({
  at: Schema.String,
  /** pending, firing, resolved, routed, told, acknowledged, unacknowledged, assigned, commented, corrected */
  what: Schema.String,
  /** Name of the key; null where no person did it. */
  by: Schema.NullOr(Schema.String),
  note: Schema.String
}).annotate({ identifier: "AlertEvent" })
export type AlertEvent = typeof AlertEvent.Type

/** What people said of an alert. */
export const AlertComment = Schema.Struct({
  id: Schema.String,
  at: Schema.String,
  by: Schema.String,
  text: Schema.String
}).annotate({ identifier: "AlertComment" })
export type AlertComment = typeof AlertComment.Type

export const Notification = Schema.Struct({
  id: NotificationId,
  project: ProjectId,
  alertId: Schema.NullOr(AlertId),
  title: Schema.String,
  body: Schema.String,
  severity: Schema.Literals(["info", "warning", "critical"]),
  createdAt: Schema.String,
  readAt: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Notification" })
export type Notification = typeof Notification.Type
