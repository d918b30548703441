/** A message on its way to people by one channel: what every channel gets, whatever it makes of it. */
import { Schema } from "effect"
import { AlertId } from "./Ids.ts"

export const Severity = Schema.Literals(["info", "warning", "critical"]).annotate({ identifier: "Severity" })
export type Severity = typeof Severity.Type

const Labels = Schema.Record(Schema.String, Schema.String)

/** An alert as a message tells it. */
export const ToldAlert = Schema.Struct({
  id: AlertId,
  rule: Schema.String,
  state: Schema.String,
  value: Schema.Finite,
  threshold: Schema.Finite,
  reason: Schema.String,
  labels: Labels,
  group: Labels,
  /** What the rule says for people. */
  summary: Schema.optionalKey(Schema.String),
  runbookUrl: Schema.optionalKey(Schema.String),
  samples: Schema.Array(Schema.String),
  /** Lines right before the first of the samples, from the same place; oldest first. */
  before: Schema.optionalKey(Schema.Array(Schema.String)),
  startedAt: Schema.String,
  resolvedAt: Schema.NullOr(Schema.String)
}).annotate({ identifier: "ToldAlert" })
export type ToldAlert = typeof ToldAlert.Type

/** Alerts that are told together. Messages of one incident follow each other on a channel: the same thread, the same ticket. */
export const Incident = Schema.Struct({
  id: Schema.NonEmptyString.check(Schema.isMaxLength(100)),
  /** The first of them; `count` says how many there are. */
  alerts: Schema.Array(ToldAlert),
  count: Schema.Natural
}).annotate({ identifier: "ToldIncident" })
export type Incident = typeof Incident.Type

export const Attachment = Schema.Struct({
  name: Schema.NonEmptyString.check(Schema.isMaxLength(200)),
  /** Media type. */
  type: Schema.NonEmptyString.check(Schema.isMaxLength(100)),
  base64: Schema.String.check(Schema.isMaxLength(2_900_000)),
  /** The name by which `html` shows it (`cid:…`): then it is part of the text, not a file beside it. */
  inline: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[A-Za-z0-9._-]{1,100}$/u)))
})

export const titleMax = 200
export const textMax = 4_000

export const Outgoing = Schema.Struct({
  /** What makes this message one and the same on its channel: sent once, however often it is asked for. */
  key: Schema.NonEmptyString.check(Schema.isMaxLength(300)),
  kind: Schema.Literals(["alert", "report", "test", "note"]),
  title: Schema.NonEmptyString.check(Schema.isMaxLength(titleMax)),
  /** Plain text. */
  text: Schema.String.check(Schema.isMaxLength(textMax)),
  /** For e-mail, where it should look better than the text. */
  html: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(500_000))),
  severity: Severity,
  state: Schema.optionalKey(Schema.Literals(["firing", "resolved", "acknowledged", "updated"])),
  incident: Schema.optionalKey(Incident),
  /** Where to read more. */
  url: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(2_000))),
  /** When it was written, ISO 8601. */
  at: Schema.String,
  attachments: Schema.optionalKey(Schema.Array(Attachment)),
  /** Instead of the channel's own recipients. */
  to: Schema.optionalKey(Schema.Array(Schema.NonEmptyString.check(Schema.isMaxLength(320))))
}).annotate({ identifier: "Outgoing" })
export type Outgoing = typeof Outgoing.Type
