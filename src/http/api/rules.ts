/** Rules as a whole: tried on stored lines before they are kept, how they stand, and as a file beside one's code. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { NewRule } from "../../domain/Rule.ts"
import { RuleId } from "../../domain/Ids.ts"
import { Invalid } from "../Errors.ts"
import { Auth } from "./auth.ts"
import { Decoding, project, projectErrors } from "./common.ts"

const TryRule = Schema.Struct({
  rule: NewRule,
  /** Event time, ISO 8601 or epoch ms; the rule begins here. A day before `to` without it. */
  from: Schema.optionalKey(Schema.String),
  /** Now without it. */
  to: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "TryRule" })

export const RuleTrial = Schema.Struct({
  /** "would have fired 3 ×: …" */
  summary: Schema.String,
  /** How many alerts would have fired. */
  fired: Schema.Natural,
  /** The first of them. */
  alerts: Schema.Array(
    Schema.Struct({
      startedAt: Schema.String,
      firedAt: Schema.String,
      /** Null where it would still fire at the end. */
      resolvedAt: Schema.NullOr(Schema.String),
      group: Schema.Record(Schema.String, Schema.String),
      /** The largest that was measured at its changes. */
      value: Schema.Finite,
      reason: Schema.String,
      samples: Schema.Array(Schema.String)
    })
  ),
  /** How often the condition began to hold and ended before `for` had passed. */
  endedTooSoon: Schema.Natural,
  /** Groups or values for which there was no room. */
  dropped: Schema.Natural,
  /** Lines that the rule saw. */
  lines: Schema.Natural,
  from: Schema.String,
  to: Schema.String,
  /** False where there were too many lines, or it took too long: what is said holds up to `scannedTo`. */
  complete: Schema.Boolean,
  scannedTo: Schema.String
}).annotate({ identifier: "RuleTrial" })

export const RuleStatus = Schema.Struct({
  ruleId: RuleId,
  name: Schema.String,
  /** `no_data`: no line at all of the rule's source for `noDataAfter`; `off`: it is not enabled. */
  state: Schema.Literals(["ok", "pending", "firing", "no_data", "off"]),
  /** When it was looked at last; null before the first line. */
  evaluatedAt: Schema.NullOr(Schema.String),
  groups: Schema.Natural,
  firing: Schema.Natural,
  /** Groups or values for which there was no room. */
  dropped: Schema.Natural,
  /** Lines that were too old to count. */
  ignored: Schema.Natural,
  lastError: Schema.NullOr(Schema.String)
}).annotate({ identifier: "RuleStatus" })

export const RulesImported = Schema.Struct({
  dryRun: Schema.Boolean,
  /** Names. */
  created: Schema.Array(Schema.String),
  changed: Schema.Array(Schema.String),
  unchanged: Schema.Array(Schema.String),
  removed: Schema.Array(Schema.String)
}).annotate({ identifier: "RulesImported" })

const flag = Schema.optionalKey(Schema.Literals(["true", "false"]))
const text = (contentType: string) => Schema.String.pipe(HttpApiSchema.asText({ contentType }))

export class RulesGroup extends HttpApiGroup.make("rules")
  .add(
    HttpApiEndpoint.post("try", "/rules/try", {
      payload: TryRule,
      success: RuleTrial,
      error: [...projectErrors, Invalid]
    })
      .annotate(OpenApi.Summary, "Try a rule on stored lines: when it would have fired; keeps nothing")
      .annotate(
        OpenApi.Description,
        "As if the rule had been made at `from` and each line had come at its own time. At most 200,000 lines that the " +
          "rule looks at, or 20 seconds."
      ),
    HttpApiEndpoint.get("status", "/rules/status", {
      query: { project },
      success: Schema.Array(RuleStatus),
      error: [...projectErrors, Invalid]
    }).annotate(OpenApi.Summary, "How each rule stands, and whether lines come that it could judge"),
    HttpApiEndpoint.get("export", "/rules/export", {
      query: { project },
      success: text("application/yaml"),
      error: [...projectErrors, Invalid]
    }).annotate(OpenApi.Summary, "A project's rules as YAML"),
    HttpApiEndpoint.post("import", "/rules/import", {
      query: {
        project,
        /** Says what would be done, and does nothing. */
        dryRun: flag,
        /** Removes rules that the file does not name. */
        prune: flag
      },
      payload: [text("application/yaml"), text("application/x-yaml"), text("text/yaml"), text("text/plain")],
      success: RulesImported,
      error: [...projectErrors, Invalid]
    })
      .annotate(OpenApi.Summary, "Make a project's rules those of a YAML file, all of them or none")
      .annotate(
        OpenApi.Description,
        "A rule is known by its name. What the file says like the rule that is there changes nothing, so alerts go on."
      )
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1") {}
