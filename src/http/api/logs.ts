/** Logs in and out. The body of POST /v1/logs is streamed, so its handler reads the request itself. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Level } from "../../domain/Level.ts"
import { StoredEvent } from "../../domain/LogEvent.ts"
import { Auth } from "./auth.ts"
import { Invalid, TooBusy, TooLarge } from "../Errors.ts"
import { Decoding, limit, project, projectErrors } from "./common.ts"

export const Accepted = Schema.Struct({
  /** Lines that are in the log stream now. */
  accepted: Schema.Natural,
  /** Lines that are not, with the reason; the first hundred of them. */
  rejected: Schema.Array(
    Schema.Struct({
      /** 1-based number of the line (of the element, in a JSON array). */
      line: Schema.Int,
      reason: Schema.String
    })
  ),
  /** How many lines were rejected in all. */
  rejectedTotal: Schema.Natural
}).annotate({ identifier: "Accepted" })

/** What narrows a question about lines. */
export const narrowing = {
  /** Words, "phrases", level:>=warn, service:api, any.attribute:value, duration_ms:>500, status:[400 TO 499], service:(a OR b), template:ID, -not, OR, ( ). */
  q: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(4_096))),
  /** One level, or several with commas. */
  level: Schema.optionalKey(Schema.String),
  service: Schema.optionalKey(Schema.String),
  /** ISO 8601 or epoch ms; event time, inclusive. */
  from: Schema.optionalKey(Schema.String),
  /** ISO 8601 or epoch ms; event time, exclusive. */
  to: Schema.optionalKey(Schema.String),
  project
}

export const Search = {
  ...narrowing,
  /** Which lines come first, by event time; newest where it is not given. */
  order: Schema.optionalKey(Schema.Literals(["newest", "oldest"])),
  limit: limit(1_000),
  /** The `next` of the page before. */
  cursor: Schema.optionalKey(Schema.String)
}

export const Page = Schema.Struct({
  /** Newest first, unless asked otherwise. */
  events: Schema.Array(StoredEvent),
  /** Cursor of the next page; null on the last. */
  next: Schema.NullOr(Schema.String),
  /** False where the time was over before the page was full: `next` goes on behind `scannedTo`. */
  complete: Schema.Boolean,
  /** Event time up to which everything was looked at; null on a complete page. */
  scannedTo: Schema.NullOr(Schema.String)
}).annotate({ identifier: "LogPage" })

export const Stats = Schema.Struct({
  project: Schema.String,
  lastHour: Schema.Struct({
    total: Schema.Natural,
    byLevel: Schema.Record(Level, Schema.Natural),
    /** One per minute of arrival, oldest first. */
    buckets: Schema.Array(Schema.Struct({ at: Schema.String, total: Schema.Natural, errors: Schema.Natural }))
  })
}).annotate({ identifier: "LogStats" })

export class LogsGroup extends HttpApiGroup.make("logs")
  .add(
    HttpApiEndpoint.post("ingest", "/logs", {
      query: { multiline: Schema.optionalKey(Schema.Literals(["on", "off"])) },
      success: Accepted.pipe(HttpApiSchema.status(202)),
      error: [...projectErrors, Invalid, TooLarge, TooBusy]
    })
      .annotate(OpenApi.Summary, "Send log lines")
      .annotate(
        OpenApi.Description,
        "Body: one line per log line (application/x-ndjson: each a JSON object; text/plain or any other type: JSON, " +
          "logfmt, syslog, access log or plain text, told apart line by line) or a JSON array (application/json). " +
          "Content-Encoding gzip, deflate, br and zstd are read. Lines of a stack trace in a text become one event, unless " +
          "multiline=off. With an Idempotency-Key a repeated request adds nothing."
      ),
    HttpApiEndpoint.get("search", "/logs", {
      query: Search,
      success: Page,
      error: [...projectErrors, Invalid]
    }).annotate(OpenApi.Summary, "Search stored log lines, newest first"),
    HttpApiEndpoint.get("stats", "/stats", { query: { project }, success: Stats, error: [...projectErrors] }).annotate(
      OpenApi.Summary,
      "Log volume of the last hour, by minute and level"
    )
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1") {}
