/** Looking around in stored lines: their volume over time, names and values of fields, the lines around one, export. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Level } from "../../domain/Level.ts"
import { StoredEvent } from "../../domain/LogEvent.ts"
import { Invalid } from "../Errors.ts"
import { Auth } from "./auth.ts"
import { Decoding, limit, project, projectErrors } from "./common.ts"
import { narrowing } from "./logs.ts"

export const Histogram = Schema.Struct({
  from: Schema.String,
  to: Schema.String,
  bucketMs: Schema.Int,
  /** By event time, oldest first; empty ones are there too. */
  buckets: Schema.Array(
    Schema.Struct({ at: Schema.String, total: Schema.Natural, byLevel: Schema.Record(Level, Schema.Natural) })
  ),
  /** False where the time was over: buckets before `scannedTo` count less than there is. */
  complete: Schema.Boolean,
  scannedTo: Schema.NullOr(Schema.String)
}).annotate({ identifier: "LogHistogram" })

export const Field = Schema.Struct({
  name: Schema.String,
  types: Schema.Array(Schema.Literals(["string", "number", "boolean", "object", "array"])),
  /** A value that it had once. */
  example: Schema.String
}).annotate({ identifier: "LogField" })

export const Values = Schema.Struct({
  /** The most frequent first. */
  values: Schema.Array(Schema.Struct({ value: Schema.String, lines: Schema.Natural })),
  /** Lines looked at: the newest that have the field. */
  sampled: Schema.Natural
}).annotate({ identifier: "LogFieldValues" })

export const Context = Schema.Struct({
  /** In the order of arrival. */
  before: Schema.Array(StoredEvent),
  line: StoredEvent,
  after: Schema.Array(StoredEvent)
}).annotate({ identifier: "LogContext" })

const count = Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 500 })))

export class ExploreGroup extends HttpApiGroup.make("explore")
  .add(
    HttpApiEndpoint.get("histogram", "/logs/histogram", {
      query: {
        ...narrowing,
        /** At most so many buckets; their width is the next round one, where there is one. */
        buckets: limit(2_000),
        /** The width itself, ms. */
        interval: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 31_536_000_000 })))
      },
      success: Histogram,
      error: [...projectErrors, Invalid]
    })
      .annotate(OpenApi.Summary, "Lines over event time, by level")
      .annotate(
        OpenApi.Description,
        "In whole buckets: `from` is rounded down and `to` up. Of the last hour, where they are not given."
      ),
    HttpApiEndpoint.get("fields", "/logs/fields", {
      query: { prefix: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))), limit: limit(1_000), project },
      success: Schema.Array(Field),
      error: [...projectErrors, Invalid]
    }).annotate(OpenApi.Summary, "Names of fields that begin with a prefix"),
    HttpApiEndpoint.get("values", "/logs/fields/:name/values", {
      params: { name: Schema.String.check(Schema.isMaxLength(400)) },
      query: { prefix: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))), limit: limit(1_000), project },
      success: Values,
      error: [...projectErrors, Invalid]
    }).annotate(OpenApi.Summary, "Values of a field in the newest lines that have it"),
    HttpApiEndpoint.get("context", "/logs/:id/context", {
      params: { id: Schema.String.check(Schema.isPattern(/^\d{1,18}$/u)) },
      query: {
        before: count,
        after: count,
        /** What the lines around must share with the line: service, host, file, trace (commas between) or all. */
        same: Schema.optionalKey(Schema.String),
        project
      },
      success: Context,
      error: [...projectErrors, Invalid]
    }).annotate(OpenApi.Summary, "A line and those that arrived around it"),
    HttpApiEndpoint.get("export", "/logs/export", {
      query: {
        ...narrowing,
        order: Schema.optionalKey(Schema.Literals(["newest", "oldest"])),
        /** `time,id` of the last line that was read: goes on after it. */
        after: Schema.optionalKey(Schema.String),
        /** Lines at most; all where it is not given. */
        limit: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)))
      },
      success: HttpApiSchema.StreamUint8Array({ contentType: "application/x-ndjson" }),
      error: [...projectErrors, Invalid]
    })
      .annotate(OpenApi.Summary, "Lines as NDJSON, as many as there are")
      .annotate(
        OpenApi.Description,
        "One stored line per line, read in pages as fast as the client takes them. A transfer that broke off goes on with " +
          "`after`, made of the `time` and the `id` of its last whole line, in the same order."
      )
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1") {}
