/** Whether the service can do its work, for load balancers and people. No key needed. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"

export const Check = Schema.Struct({
  name: Schema.String,
  ok: Schema.Boolean,
  /** What was seen, in words. */
  detail: Schema.String
}).annotate({ identifier: "HealthCheck" })

export const HealthReport = Schema.Struct({
  status: Schema.Literals(["ok", "unhealthy"]),
  checks: Schema.Array(Check)
}).annotate({ identifier: "Health" })

/** The same report, when something that is needed does not answer. */
export class Unhealthy extends Schema.TaggedError<Unhealthy>()("Unhealthy", HealthReport.fields, {
  httpApiStatus: 503
}) {}

export class HealthGroup extends HttpApiGroup.make("health").add(
  HttpApiEndpoint.get("health", "/health", {
    success: HealthReport.pipe(HttpApiSchema.status(200)),
    error: Unhealthy
  }).annotate(OpenApi.Summary, "200 while Redis and Postgres answer, else 503")
) {}
