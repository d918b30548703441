/** What `detect_anomalies` has found in a project. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Anomaly, AnomalyKind } from "../../domain/Anomaly.ts"
import { Invalid } from "../Errors.ts"
import { Auth } from "./auth.ts"
import { Decoding, limit, project, projectErrors } from "./common.ts"

export const AnomalyList = Schema.Struct({
  from: Schema.String,
  to: Schema.String,
  anomalies: Schema.Array(Anomaly)
}).annotate({ identifier: "AnomalyList" })

export class AnomaliesGroup extends HttpApiGroup.make("anomalies")
  .add(
    HttpApiEndpoint.get("list", "/anomalies", {
      query: {
        /** ISO 8601 or epoch ms; findings that ended before it are left out. Without it: seven days before `to`. */
        from: Schema.optionalKey(Schema.String),
        /** ISO 8601 or epoch ms; findings that began at or after it are left out. Without it: now. */
        to: Schema.optionalKey(Schema.String),
        kind: Schema.optionalKey(AnomalyKind),
        project,
        limit: limit(1_000)
      },
      success: AnomalyList,
      error: [...projectErrors, Invalid]
    }).annotate(OpenApi.Summary, "List what came unlike it usually comes, the latest first")
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1") {}
