/** Identifiers as branded strings, so that a project's id cannot stand where a rule's id is wanted. */
import { Schema } from "effect"

/** A project's slug: lower-case letters, digits and hyphens, 1–63 characters, chosen by its maker. */
export const ProjectId = Schema.String.check(Schema.isPattern(/^[a-z0-9][a-z0-9-]{0,62}$/u))
  .pipe(Schema.brand("ProjectId"))
  .annotate({ identifier: "ProjectId" })
export type ProjectId = typeof ProjectId.Type

const Opaque = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/u))

export const LogFileId = Opaque.pipe(Schema.brand("LogFileId")).annotate({ identifier: "LogFileId" })
export type LogFileId = typeof LogFileId.Type

export const RuleId = Opaque.pipe(Schema.brand("RuleId")).annotate({ identifier: "RuleId" })
export type RuleId = typeof RuleId.Type

export const AlertId = Opaque.pipe(Schema.brand("AlertId")).annotate({ identifier: "AlertId" })
export type AlertId = typeof AlertId.Type

export const NotificationId = Opaque.pipe(Schema.brand("NotificationId")).annotate({ identifier: "NotificationId" })
export type NotificationId = typeof NotificationId.Type

export const ConnectionId = Opaque.pipe(Schema.brand("ConnectionId")).annotate({ identifier: "ConnectionId" })
export type ConnectionId = typeof ConnectionId.Type

export const ApiKeyId = Opaque.pipe(Schema.brand("ApiKeyId")).annotate({ identifier: "ApiKeyId" })
export type ApiKeyId = typeof ApiKeyId.Type
