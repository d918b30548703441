/** A project: the room that logs, rules, alerts and keys belong to. */
import { Schema } from "effect"
import { ApiKeyId, ProjectId } from "./Ids.ts"

export const Project = Schema.Struct({
  id: ProjectId,
  name: Schema.String,
  createdAt: Schema.String
}).annotate({ identifier: "Project" })
export type Project = typeof Project.Type

/** The project that exists from the start. */
export const defaultProject = ProjectId.make("default")
/** Where Loglytics keeps its own logs. */
export const ownProject = ProjectId.make("loglytics")

export const ApiKeyRole = Schema.Literals(["admin", "project"]).annotate({ identifier: "ApiKeyRole" })
export type ApiKeyRole = typeof ApiKeyRole.Type

/** An API key as it is kept: the secret itself only as a SHA-256 hash. `admin` keys see every project. */
export const ApiKey = Schema.Struct({
  id: ApiKeyId,
  name: Schema.String,
  role: ApiKeyRole,
  /** The one project a `project` key is for; null for admin keys. */
  project: Schema.NullOr(ProjectId),
  /** First characters of the secret, to tell keys apart. */
  prefix: Schema.String,
  createdAt: Schema.String,
  expiresAt: Schema.NullOr(Schema.String)
}).annotate({ identifier: "ApiKey" })
export type ApiKey = typeof ApiKey.Type
