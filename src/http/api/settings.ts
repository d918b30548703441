/** What a project decides for itself, and a look at what its masks do to lines before they are kept. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { ProjectId } from "../../domain/Ids.ts"
import { ProjectSettings, ProjectSettingsChange } from "../../domain/ProjectSettings.ts"
import { Level } from "../../domain/Level.ts"
import { Auth } from "./auth.ts"
import { Invalid } from "../Errors.ts"
import { Decoding, project, projectErrors } from "./common.ts"

const Hit = Schema.Struct({
  /** The rule's name: a built-in one or the project's own. */
  rule: Schema.String,
  /** Where in the line it masks: first character and the one behind the last, in UTF-16 units from 0. */
  from: Schema.Natural,
  to: Schema.Natural
})

const Preview = Schema.Struct({
  /** The line, masked. */
  line: Schema.String,
  hits: Schema.Array(Hit),
  /** What would be kept of it: names of attributes can mask what no rule sees in the line. */
  event: Schema.Struct({
    level: Level,
    service: Schema.String,
    message: Schema.String,
    attributes: Schema.Record(Schema.String, Schema.Json)
  })
}).annotate({ identifier: "RedactionPreview" })

export const PreviewRequest = Schema.Struct({
  lines: Schema.Array(Schema.String.check(Schema.isMaxLength(16_384))).check(
    Schema.isMinLength(1),
    Schema.isMaxLength(100)
  ),
  /** Tried on top of the project's settings, and not kept; admin keys only. */
  settings: Schema.optionalKey(ProjectSettingsChange)
}).annotate({ identifier: "RedactionPreviewRequest" })

export class SettingsGroup extends HttpApiGroup.make("settings")
  .add(
    HttpApiEndpoint.get("get", "/projects/:id/settings", {
      params: { id: ProjectId },
      success: ProjectSettings,
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "A project's settings, with the defaults where it has said nothing"),
    HttpApiEndpoint.patch("change", "/projects/:id/settings", {
      params: { id: ProjectId },
      payload: ProjectSettingsChange,
      success: ProjectSettings,
      error: [...projectErrors, Invalid]
    }).annotate(OpenApi.Summary, "Change a project's settings, for the lines that follow (admin keys only)"),
    HttpApiEndpoint.post("preview", "/redaction/preview", {
      query: { project },
      payload: PreviewRequest,
      success: Schema.Array(Preview),
      error: [...projectErrors, Invalid]
    }).annotate(OpenApi.Summary, "What redaction makes of lines, and which rule masks what; nothing is kept")
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1") {}
