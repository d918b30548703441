/** Ids of jobs that a project asked for: they name the project, so that a project key can be held to its own. */
import { randomBytes } from "node:crypto"
import type { ApiKey } from "../../domain/Project.ts"

/** A fresh id for a job of a project; the engine puts the letter of its queue in front. */
export const projectTaskId = (project: string): string => `p:${project}:${randomBytes(9).toString("base64url")}`

/** Whether a key may ask for a job: an admin key for any, a project key for those of its project. */
export const mayAsk = (key: ApiKey, taskId: string): boolean =>
  key.role === "admin" || new RegExp(`^[a-z]-p:${key.project}:`, "u").test(taskId)
