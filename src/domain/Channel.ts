/** A way in which a project's people hear of something, and what became of each message on it. */
import { Schema } from "effect"
import { ProjectId } from "./Ids.ts"

export const ChannelId = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/u))
  .pipe(Schema.brand("ChannelId"))
  .annotate({ identifier: "ChannelId" })
export type ChannelId = typeof ChannelId.Type

/** The channel that every project has without making one. */
export const inApp = ChannelId.make("in_app")

export const channelKinds = ["email", "slack", "jira", "in_app", "webhook", "sms", "push"] as const
export const ChannelKind = Schema.Literals(channelKinds).annotate({
  identifier: "ChannelKind",
  expected: `one of ${channelKinds.join(", ")}`
})
export type ChannelKind = typeof ChannelKind.Type

export const Channel = Schema.Struct({
  id: ChannelId,
  project: ProjectId,
  kind: ChannelKind,
  name: Schema.String,
  enabled: Schema.Boolean,
  /** As the kind's schema says; without what is secret. */
  settings: Schema.Record(Schema.String, Schema.Json),
  /** Names of the secrets that are kept. */
  secrets: Schema.Array(Schema.String),
  createdAt: Schema.String,
  lastSentAt: Schema.NullOr(Schema.String),
  lastError: Schema.NullOr(Schema.String),
  /** Sendings that failed since the last that did not. */
  failures: Schema.Natural
}).annotate({ identifier: "Channel" })
export type Channel = typeof Channel.Type

/**
 * pending → sending → sent | failed. `dropped`: the channel was gone or switched off. `sending` after a crash means that it
 * is not known whether the message left.
 */
export const DeliveryStatus = Schema.Literals(["pending", "sending", "sent", "failed", "dropped"]).annotate({
  identifier: "DeliveryStatus"
})
export type DeliveryStatus = typeof DeliveryStatus.Type

export const Delivery = Schema.Struct({
  key: Schema.String,
  project: ProjectId,
  channel: ChannelId,
  incident: Schema.NullOr(Schema.String),
  title: Schema.String,
  status: DeliveryStatus,
  attempts: Schema.Natural,
  error: Schema.NullOr(Schema.String),
  createdAt: Schema.String,
  sentAt: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Delivery" })
export type Delivery = typeof Delivery.Type
