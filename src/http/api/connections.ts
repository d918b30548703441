/** Places that logs are fetched from every 30 seconds (admin keys only: the server itself makes the requests). */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Connection } from "../../domain/Connection.ts"
import { ConnectionId } from "../../domain/Ids.ts"
import { Name } from "../../domain/Name.ts"
import { Auth } from "./auth.ts"
import { Decoding, project, projectErrors } from "./common.ts"

export const NewConnection = Schema.Struct({
  name: Name,
  kind: Connection.fields.kind,
  /** http_pull: `{ "url": "https://host/app.log" }`. */
  config: Connection.fields.config
}).annotate({ identifier: "NewConnection" })

export class ConnectionsGroup extends HttpApiGroup.make("connections")
  .add(
    HttpApiEndpoint.post("create", "/", {
      payload: NewConnection,
      success: Connection.pipe(HttpApiSchema.status(201)),
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "Fetch logs from a place on a schedule"),
    HttpApiEndpoint.get("list", "/", {
      query: { project },
      success: Schema.Array(Connection),
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "List a project's connections, with where they are and what went wrong"),
    HttpApiEndpoint.delete("deactivate", "/:id", {
      params: { id: ConnectionId },
      success: HttpApiSchema.NoContent,
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "Stop fetching; what was fetched stays")
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1/connections") {}
