/** What was found worth knowing about a project's lines. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { InsightRun } from "../../domain/Insight.ts"
import { Auth } from "./auth.ts"
import { Decoding, limit, project, projectErrors } from "./common.ts"

export class InsightsGroup extends HttpApiGroup.make("insights")
  .add(
    HttpApiEndpoint.get("list", "/insights", {
      query: { limit: limit(100), project },
      success: Schema.Array(InsightRun),
      error: [...projectErrors]
    })
      .annotate(OpenApi.Summary, "Insights, run by run, the newest first")
      .annotate(
        OpenApi.Description,
        "The task generate_insights makes a run. Only the newest, where `limit` is not given."
      )
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1") {}
