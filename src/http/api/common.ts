/** What all groups of the API share: the errors any of them may answer with, and small query parameters. */
import { Schema } from "effect"
import { HttpApiMiddleware } from "effect/http-api"
import { Forbidden, Invalid, NotFound, Unavailable } from "../Errors.ts"

/** Turns decoding errors into 422 with the path of each fault. */
export class Decoding extends HttpApiMiddleware.Service<Decoding>()("loglytics/http/Decoding", { error: Invalid }) {}

/** What any endpoint of a project may answer. */
export const projectErrors = [Forbidden, NotFound, Unavailable] as const

export const limit = (maximum: number) =>
  Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))).annotate({
    description: `1 to ${maximum}`
  })

/** The one project a list is about; the header X-Loglytics-Project does the same. */
export const project = Schema.optionalKey(Schema.String)
