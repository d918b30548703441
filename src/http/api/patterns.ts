/** The patterns of a project's messages: which there are, how their lines come, and what is new. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { StoredEvent } from "../../domain/LogEvent.ts"
import { Pattern, patternSorts } from "../../domain/Pattern.ts"
import { Invalid } from "../Errors.ts"
import { Auth } from "./auth.ts"
import { Decoding, limit, project, projectErrors } from "./common.ts"

const window = {
  /** ISO 8601 or epoch ms; whole hours, inclusive. Without it: a day before `to`. */
  from: Schema.optionalKey(Schema.String),
  /** ISO 8601 or epoch ms; whole hours, exclusive. Without it: now. */
  to: Schema.optionalKey(Schema.String),
  project
}

export const PatternList = Schema.Struct({
  from: Schema.String,
  to: Schema.String,
  patterns: Schema.Array(Pattern)
}).annotate({ identifier: "PatternList" })

export const PatternDetail = Schema.Struct({
  ...Pattern.fields,
  /** Ids of the templates that it has taken in, and its own. */
  ids: Schema.Array(Schema.String),
  /** Its newest lines. */
  samples: Schema.Array(StoredEvent)
}).annotate({ identifier: "PatternDetail" })

export class PatternsGroup extends HttpApiGroup.make("patterns")
  .add(
    HttpApiEndpoint.get("list", "/patterns", {
      query: {
        ...window,
        /** Only patterns whose text contains this. */
        q: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(500))),
        /** count: most lines first (default); new: first seen last; trend: most more than in the window before. */
        sort: Schema.optionalKey(Schema.Literals(patternSorts)),
        limit: limit(1_000)
      },
      success: PatternList,
      error: [...projectErrors, Invalid]
    }).annotate(OpenApi.Summary, "List the patterns of a project's messages with counts and trend"),
    HttpApiEndpoint.get("get", "/patterns/:id", {
      params: { id: Schema.String.check(Schema.isPattern(/^\d{1,16}$/u)) },
      query: window,
      success: PatternDetail,
      error: [...projectErrors, Invalid]
    }).annotate(OpenApi.Summary, "One pattern with its newest lines, also by an id that it has taken in")
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1") {}
