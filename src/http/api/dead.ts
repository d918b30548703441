/** Jobs that gave up: looked at, mended, put back, thrown away (admin keys only). */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Conflict, Invalid } from "../Errors.ts"
import { Auth } from "./auth.ts"
import { Decoding, limit, projectErrors } from "./common.ts"

const Failed = Schema.Struct({
  attempt: Schema.Int,
  at: Schema.String,
  tag: Schema.String,
  message: Schema.String
}).annotate({ identifier: "FailedAttempt" })

export const DeadLetterRow = Schema.Struct({
  id: Schema.String,
  task: Schema.String,
  queue: Schema.String,
  payload: Schema.Json,
  error: Schema.Json,
  /** The same for failures that differ only in numbers, ids and quoted words. */
  fingerprint: Schema.String,
  attempts: Schema.Int,
  enqueuedAt: Schema.NullOr(Schema.String),
  firstFailedAt: Schema.String,
  diedAt: Schema.String,
  edited: Schema.Boolean,
  history: Schema.Array(Failed)
}).annotate({ identifier: "DeadLetter" })

export const DeadGroup = Schema.Struct({
  fingerprint: Schema.String,
  task: Schema.String,
  error: Schema.Json,
  count: Schema.Int,
  firstAt: Schema.String,
  lastAt: Schema.String,
  /** Id of the newest. */
  sample: Schema.String
}).annotate({ identifier: "DeadGroup" })

/** What many letters have in common; all of it must fit. */
const filter = {
  queue: Schema.optionalKey(Schema.Literals(["high-priority", "default", "low-priority"])),
  task: Schema.optionalKey(Schema.String),
  fingerprint: Schema.optionalKey(Schema.String),
  /** Died at this time or later, ISO 8601. */
  since: Schema.optionalKey(Schema.String),
  /** Found in id, payload or error, whatever the case. */
  text: Schema.optionalKey(Schema.String)
}

const Done = Schema.Struct({
  done: Schema.Int,
  /** Done by another before, or kept from it by an unfinished job with the same unique key. */
  skipped: Schema.Int
}).annotate({ identifier: "DeadDone" })

/** Has to be said where nothing else narrows it down. */
const all = Schema.optionalKey(Schema.Boolean)
const most = Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 300_000 })))
const params = { id: Schema.String }
const errors = [...projectErrors, Invalid] as const

export class DeadGroupApi extends HttpApiGroup.make("dead")
  .add(
    HttpApiEndpoint.get("list", "/dead", {
      query: { ...filter, limit: limit(500), cursor: Schema.optionalKey(Schema.String) },
      success: Schema.Struct({ letters: Schema.Array(DeadLetterRow), cursor: Schema.NullOr(Schema.String) }),
      error: errors
    }).annotate(OpenApi.Summary, "Dead jobs, newest first"),
    HttpApiEndpoint.get("groups", "/dead/groups", {
      query: filter,
      success: Schema.Array(DeadGroup),
      error: errors
    }).annotate(OpenApi.Summary, "Dead jobs by fingerprint, the largest group first"),
    HttpApiEndpoint.get("show", "/dead/jobs/:id", { params, success: DeadLetterRow, error: errors }).annotate(
      OpenApi.Summary,
      "One dead job"
    ),
    HttpApiEndpoint.put("edit", "/dead/jobs/:id", {
      params,
      payload: Schema.Struct({ payload: Schema.Json }),
      success: DeadLetterRow,
      error: errors
    }).annotate(OpenApi.Summary, "Give a dead job another payload"),
    HttpApiEndpoint.post("replayOne", "/dead/jobs/:id/replay", {
      params,
      payload: Schema.Struct({ payload: Schema.optionalKey(Schema.Json) }),
      success: Schema.Struct({ id: Schema.String }),
      error: [...errors, Conflict]
    }).annotate(OpenApi.Summary, "Put a dead job back into its queue"),
    HttpApiEndpoint.delete("discardOne", "/dead/jobs/:id", {
      params,
      success: HttpApiSchema.NoContent,
      error: errors
    }).annotate(OpenApi.Summary, "Throw a dead job away"),
    HttpApiEndpoint.post("replay", "/dead/replay", {
      payload: Schema.Struct({
        ...filter,
        all,
        limit: most,
        /** "50/s", "600/m" or "100/h"; without it all at once. */
        rate: Schema.optionalKey(Schema.String)
      }),
      success: Done,
      error: errors
    }).annotate(OpenApi.Summary, "Put all back that match, the oldest first"),
    HttpApiEndpoint.post("discard", "/dead/discard", {
      payload: Schema.Struct({ ...filter, all, limit: most }),
      success: Done,
      error: errors
    }).annotate(OpenApi.Summary, "Throw all away that match")
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1") {}
