/** A place that logs are fetched from on a schedule. */
import { Schema } from "effect"
import { ConnectionId, ProjectId } from "./Ids.ts"

export const Connection = Schema.Struct({
  id: ConnectionId,
  project: ProjectId,
  name: Schema.String,
  /** Which member of ingest/sources fetches it. */
  kind: Schema.Literals(["http_pull"]),
  /** Kind-specific settings, for example `{ "url": "https://host/app.log" }`. */
  config: Schema.Record(Schema.String, Schema.String),
  /** Where the source goes on; opaque to all but the source. */
  cursor: Schema.NullOr(Schema.String),
  active: Schema.Boolean,
  lastPolledAt: Schema.NullOr(Schema.String),
  lastError: Schema.NullOr(Schema.String),
  createdAt: Schema.String
}).annotate({ identifier: "Connection" })
export type Connection = typeof Connection.Type
