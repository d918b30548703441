/** Projects and the keys that open them. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { ApiKey, Project } from "../../domain/Project.ts"
import { ProjectId } from "../../domain/Ids.ts"
import { Name } from "../../domain/Name.ts"
import { Auth } from "./auth.ts"
import { Conflict, Invalid } from "../Errors.ts"
import { Decoding, projectErrors } from "./common.ts"

export const NewProject = Schema.Struct({
  /** The slug; made from the name where it is left out. */
  id: Schema.optionalKey(ProjectId),
  name: Name
}).annotate({ identifier: "NewProject" })

export const CreatedProject = Schema.Struct({
  project: Project,
  /** A key for this project; its secret is told only here. */
  apiKey: Schema.Struct({ ...ApiKey.fields, secret: Schema.String })
}).annotate({ identifier: "CreatedProject" })

export class ProjectsGroup extends HttpApiGroup.make("projects")
  .add(
    HttpApiEndpoint.post("create", "/", {
      payload: NewProject,
      success: CreatedProject.pipe(HttpApiSchema.status(201)),
      error: [...projectErrors, Conflict, Invalid]
    }).annotate(OpenApi.Summary, "Make a project and its first key (admin keys only)"),
    HttpApiEndpoint.get("list", "/", { success: Schema.Array(Project), error: [...projectErrors] }).annotate(
      OpenApi.Summary,
      "List the projects that this key may see"
    )
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1/projects") {}
