/** Places that logs are fetched from every 30 seconds (admin keys only: the server itself makes the requests). */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Connection } from "../../domain/Connection.ts"
import { ConnectionId } from "../../domain/Ids.ts"
import { Name } from "../../domain/Name.ts"
import { Auth } from "./auth.ts"
import { Decoding, project, projectErrors } from "./common.ts"

/** Credentials by name; they are sealed, and never given back. */
const Secrets = Schema.Record(Schema.String, Schema.String.check(Schema.isMaxLength(16_000)))

export const NewConnection = Schema.Struct({
  name: Name,
  kind: Connection.fields.kind,
  /** What each kind needs: docs/logs/clouds.md. http_pull: `{ "url": "https://host/app.log" }`. */
  config: Connection.fields.config,
  secrets: Schema.optionalKey(Secrets)
}).annotate({ identifier: "NewConnection" })

export const ChangedConnection = Schema.Struct({
  name: Schema.optionalKey(Name),
  /** All of the settings. Where they name another place, it is read from its start. */
  config: Schema.optionalKey(Connection.fields.config),
  /** All of the credentials. */
  secrets: Schema.optionalKey(Secrets)
}).annotate({ identifier: "ChangedConnection" })

export const TriedConnection = Schema.Struct({
  kind: Connection.fields.kind,
  config: Connection.fields.config,
  secrets: Schema.optionalKey(Secrets)
}).annotate({ identifier: "TriedConnection" })

export const ConnectionTest = Schema.Struct({
  ok: Schema.Boolean,
  /** What is wrong, in a word: settings, package, address, denied, missing, throttled, unreachable … */
  fault: Schema.NullOr(Schema.String),
  message: Schema.NullOr(Schema.String),
  tookMs: Schema.Finite
}).annotate({ identifier: "ConnectionTest" })

const params = { id: ConnectionId }
const error = [...projectErrors]

export class ConnectionsGroup extends HttpApiGroup.make("connections")
  .add(
    HttpApiEndpoint.post("create", "/", {
      payload: NewConnection,
      success: Connection.pipe(HttpApiSchema.status(201)),
      error
    }).annotate(OpenApi.Summary, "Fetch logs from a place on a schedule"),
    HttpApiEndpoint.post("tryOut", "/test", { payload: TriedConnection, success: ConnectionTest, error }).annotate(
      OpenApi.Summary,
      "Ask a place once, before it is saved"
    ),
    HttpApiEndpoint.get("list", "/", {
      query: { project },
      success: Schema.Array(Connection),
      error
    }).annotate(OpenApi.Summary, "List a project's connections, with where they are and what went wrong"),
    HttpApiEndpoint.get("get", "/:id", { params, success: Connection, error }).annotate(
      OpenApi.Summary,
      "One connection"
    ),
    HttpApiEndpoint.patch("change", "/:id", {
      params,
      payload: ChangedConnection,
      success: Connection,
      error
    }).annotate(OpenApi.Summary, "Change its name, settings or credentials"),
    HttpApiEndpoint.post("test", "/:id/test", { params, success: ConnectionTest, error }).annotate(
      OpenApi.Summary,
      "Ask its place once, now"
    ),
    HttpApiEndpoint.post("pause", "/:id/pause", { params, success: Connection, error }).annotate(
      OpenApi.Summary,
      "Stop fetching; where it was is kept"
    ),
    HttpApiEndpoint.post("resume", "/:id/resume", { params, success: Connection, error }).annotate(
      OpenApi.Summary,
      "Fetch again, from where it was"
    ),
    HttpApiEndpoint.delete("remove", "/:id", {
      params,
      success: HttpApiSchema.NoContent,
      error
    }).annotate(OpenApi.Summary, "Forget it with its credentials; the lines that were fetched stay")
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1/connections") {}
