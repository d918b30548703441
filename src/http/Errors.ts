/**
 * What the HTTP API answers when it does not do what was asked: one tagged error per status, each with a message that
 * says what was expected and what was got. Handlers map errors of the rooms below onto these; nothing else leaves.
 */
import { Schema, SchemaIssue } from "effect"

/** 401: no key, a wrong key, or one past its expiry. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()(
  "Unauthorized",
  { message: Schema.String },
  { httpApiStatus: 401 }
) {}

/** 403: the key is good, but not for this. */
export class Forbidden extends Schema.TaggedError<Forbidden>()(
  "Forbidden",
  { message: Schema.String },
  { httpApiStatus: 403 }
) {}

/** 404: no such thing in the projects that this key may see. */
export class NotFound extends Schema.TaggedError<NotFound>()(
  "NotFound",
  { message: Schema.String },
  { httpApiStatus: 404 }
) {}

/** 409: it exists already. */
export class Conflict extends Schema.TaggedError<Conflict>()(
  "Conflict",
  { message: Schema.String },
  { httpApiStatus: 409 }
) {}

/** 413: the body is larger than the door lets in. */
export class TooLarge extends Schema.TaggedError<TooLarge>()(
  "TooLarge",
  { message: Schema.String },
  { httpApiStatus: 413 }
) {}

/** 507: the disk is full; nothing of the upload was kept. */
export class NoSpace extends Schema.TaggedError<NoSpace>()(
  "NoSpace",
  { message: Schema.String },
  { httpApiStatus: 507 }
) {}

export const FieldIssue = Schema.Struct({
  /** Where in the request, in dots: "payload.window". "" is the whole body. */
  path: Schema.String,
  message: Schema.String
}).annotate({ identifier: "FieldIssue" })

/** 422: the request is understood and wrong; every fault with its path. */
export class Invalid extends Schema.TaggedError<Invalid>()(
  "Invalid",
  { message: Schema.String, issues: Schema.Array(FieldIssue) },
  { httpApiStatus: 422 }
) {}

/** 429: a queue or stream holds as much as it may. Retry-After says when to come again. */
export class TooBusy extends Schema.TaggedError<TooBusy>()(
  "TooBusy",
  { message: Schema.String, retryAfterMs: Schema.Natural },
  { httpApiStatus: 429 }
) {}

/** 503: Redis or Postgres does not answer; nothing was accepted. */
export class Unavailable extends Schema.TaggedError<Unavailable>()(
  "Unavailable",
  { message: Schema.String },
  { httpApiStatus: 503 }
) {}

const standard = SchemaIssue.makeFormatterStandardSchemaV1({
  // What a key holds that should not be there may be a secret under a misspelt name.
  leafHook: (issue) => (issue._tag === "UnexpectedKey" ? "Unexpected key" : SchemaIssue.defaultLeafHook(issue))
})
/** Characters of what was got that a message repeats. */
const gotMax = 200

/** `message` without the objects and arrays that were got, which may be large and hold secrets. */
const told = (message: string, secret: boolean): string => {
  const at = message.indexOf(", got ")
  if (at === -1) return message
  const got = message.slice(at + 6)
  if (secret) return message.slice(0, at)
  if (/^[[{]/u.test(got)) return `${message.slice(0, at)}, got ${got.startsWith("[") ? "an array" : "an object"}`
  return got.length > gotMax ? `${message.slice(0, at)}, got ${got.slice(0, gotMax)}…` : message
}

/** The faults of a failed decoding, each with its path; what stands under `secrets` is not repeated. */
export const issuesOf = (issue: SchemaIssue.Issue): ReadonlyArray<typeof FieldIssue.Type> =>
  standard(issue).issues.map(({ message, path }) => {
    const steps = (path ?? []).map((step) => String(typeof step === "object" ? step.key : step))
    return { path: steps.join("."), message: told(message, steps.includes("secrets")) }
  })

/** An `Invalid` for one fault. */
export const invalid = (path: string, message: string): Invalid =>
  new Invalid({ message: `${path}: ${message}`, issues: [{ path, message }] })
