/** A place that logs are fetched from on a schedule. Its credentials are no part of it: they are never shown again. */
import { Schema } from "effect"
import { ConnectionId, ProjectId } from "./Ids.ts"

export const connectionKinds = ["http_pull", "cloudwatch", "gcp_logging", "azure_monitor"] as const

/** `ok`; `failing`: the last poll failed, the next comes at `nextPollAt`; `paused`: not polled. */
export const connectionStates = ["ok", "failing", "paused"] as const

export const Connection = Schema.Struct({
  id: ConnectionId,
  project: ProjectId,
  name: Schema.String,
  /** Which member of ingest/sources fetches it. */
  kind: Schema.Literals(connectionKinds),
  /** Kind-specific settings, for example `{ "url": "https://host/app.log" }`. */
  config: Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Boolean])),
  /** The names of the credentials that are kept for it. */
  secretNames: Schema.Array(Schema.String),
  state: Schema.Literals(connectionStates),
  active: Schema.Boolean,
  /** Polls that failed since the last good one. */
  failures: Schema.Int,
  lastPolledAt: Schema.NullOr(Schema.String),
  lastError: Schema.NullOr(Schema.String),
  /** Not polled before this. */
  nextPollAt: Schema.NullOr(Schema.String),
  /** How far what was fetched lay behind the moment of the last poll, ms. */
  lagMs: Schema.NullOr(Schema.Finite),
  /** Lines fetched so far. */
  lines: Schema.Finite,
  createdAt: Schema.String
}).annotate({ identifier: "Connection" })
export type Connection = typeof Connection.Type
