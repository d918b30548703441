/** Identifiers as branded strings, so that a project's id cannot stand where a rule's id is wanted. */
import { Schema } from "effect"

const id = <const Brand extends string>(brand: Brand, pattern: RegExp) =>
  Schema.String.check(Schema.isPattern(pattern)).pipe(Schema.brand(brand)).annotate({ identifier: brand })

/** A project's slug: lower-case letters, digits and hyphens, 1–63 characters, chosen by its maker. */
export const ProjectId = id("ProjectId", /^[a-z0-9][a-z0-9-]{0,62}$/u)
export type ProjectId = typeof ProjectId.Type

const opaque = /^[A-Za-z0-9_-]{1,64}$/u
export const LogFileId = id("LogFileId", opaque)
export type LogFileId = typeof LogFileId.Type
export const RuleId = id("RuleId", opaque)
export type RuleId = typeof RuleId.Type
export const AlertId = id("AlertId", opaque)
export type AlertId = typeof AlertId.Type
export const NotificationId = id("NotificationId", opaque)
export type NotificationId = typeof NotificationId.Type
export const ConnectionId = id("ConnectionId", opaque)
export type ConnectionId = typeof ConnectionId.Type
export const ApiKeyId = id("ApiKeyId", opaque)
export type ApiKeyId = typeof ApiKeyId.Type
