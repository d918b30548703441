/** Figures of a project's lines over time, from roll-ups; and what changed most around an alert. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { AlertId } from "../../domain/Ids.ts"
import { Level } from "../../domain/Level.ts"
import { Invalid } from "../Errors.ts"
import { Auth } from "./auth.ts"
import { Decoding, limit, project, projectErrors } from "./common.ts"

const span = {
  /** ISO 8601 or epoch ms; event time, rounded down to a whole step. Without it: a day before `to`. */
  from: Schema.optionalKey(Schema.String),
  /** ISO 8601 or epoch ms; event time, rounded up to a whole step. Without it: now. */
  to: Schema.optionalKey(Schema.String),
  /** Width of a point: `1h`, `6h`, `1d`, `7d`; of the volume also `1m` to `30m`. At most 2,000 points. Without it: about 200. */
  step: Schema.optionalKey(Schema.String),
  project
}
const around = { from: Schema.String, to: Schema.String, stepMs: Schema.Int }

const Latency = Schema.Struct({
  /** Lines that told a duration. */
  count: Schema.Natural,
  /** ms, within 2 %. */
  p50: Schema.Finite,
  p90: Schema.Finite,
  p95: Schema.Finite,
  p99: Schema.Finite,
  max: Schema.Finite,
  mean: Schema.Finite
}).annotate({ identifier: "Latency" })

const ByLevel = Schema.Record(Level, Schema.Natural)

const service = {
  service: Schema.String,
  lines: Schema.Natural,
  /** Of all lines, 0 to 1. */
  share: Schema.Finite,
  warnings: Schema.Natural,
  errors: Schema.Natural,
  errorRate: Schema.Finite,
  /** Lines of the span of the same length before. */
  before: Schema.NullOr(Schema.Natural),
  latency: Schema.NullOr(Latency)
}
const Silent = Schema.Array(Schema.Struct({ service: Schema.String, before: Schema.Natural }))

const TemplateChange = Schema.Struct({
  id: Schema.String,
  text: Schema.String,
  lines: Schema.Natural,
  warnings: Schema.Natural,
  errors: Schema.Natural,
  /** Lines of the span of the same length before. */
  before: Schema.Natural,
  firstSeen: Schema.String,
  lastSeen: Schema.String
}).annotate({ identifier: "TemplateChange" })
const Templates = Schema.Array(TemplateChange)

const Host = Schema.Struct({ host: Schema.String, lines: Schema.Natural, share: Schema.Finite })

export const Overview = Schema.Struct({
  ...around,
  lines: Schema.Natural,
  /** Lines of the span of the same length before, and how much `lines` differs (0.5: half as many more). */
  before: Schema.Natural,
  change: Schema.NullOr(Schema.Finite),
  byLevel: ByLevel,
  errorRate: Schema.Finite,
  errorRateBefore: Schema.Finite,
  latency: Schema.NullOr(Latency),
  services: Schema.Array(Schema.Struct(service)),
  servicesTotal: Schema.Natural,
  /** Services that had lines before and have none now. */
  silent: Silent,
  hosts: Schema.Array(Host),
  templates: Templates,
  newTemplates: Schema.Struct({ total: Schema.Natural, first: Templates }),
  vanishedTemplates: Schema.Struct({ total: Schema.Natural, first: Templates }),
  /** Up to when services, hosts and durations are counted; volumes are of this moment. */
  rolledUpTo: Schema.NullOr(Schema.String)
}).annotate({ identifier: "AnalyticsOverview" })

export const Volume = Schema.Struct({
  ...around,
  /** Oldest first; empty ones are there too. */
  points: Schema.Array(
    Schema.Struct({ at: Schema.String, total: Schema.Natural, byLevel: ByLevel, errorRate: Schema.Finite })
  )
}).annotate({ identifier: "AnalyticsVolume" })

export const Services = Schema.Struct({
  ...around,
  total: Schema.Natural,
  /** Those with the most lines; without points that have none. */
  services: Schema.Array(
    Schema.Struct({
      ...service,
      points: Schema.Array(Schema.Struct({ at: Schema.String, lines: Schema.Natural, errors: Schema.Natural }))
    })
  ),
  silent: Silent
}).annotate({ identifier: "AnalyticsServices" })

export const LatencySeries = Schema.Struct({
  ...around,
  total: Schema.NullOr(Latency),
  points: Schema.Array(Schema.Struct({ at: Schema.String, ...Latency.fields })),
  /** Those that took the most time in all come first. */
  endpoints: Schema.Array(
    Schema.Struct({ service: Schema.String, endpoint: Schema.String, errors: Schema.Natural, latency: Latency })
  )
}).annotate({ identifier: "AnalyticsLatency" })

export const TemplateChanges = Schema.Struct({
  ...around,
  top: Templates,
  new: Schema.Struct({ total: Schema.Natural, templates: Templates }),
  vanished: Schema.Struct({ total: Schema.Natural, templates: Templates })
}).annotate({ identifier: "AnalyticsTemplates" })

export const Hosts = Schema.Struct({ ...around, total: Schema.Natural, hosts: Schema.Array(Host) }).annotate({
  identifier: "AnalyticsHosts"
})

export const Causes = Schema.Struct({
  /** The window that was looked at, as far as its lines were read. */
  from: Schema.String,
  to: Schema.String,
  /** From here to `from` is what it was compared with. */
  comparedFrom: Schema.String,
  lines: Schema.Natural,
  linesBefore: Schema.Natural,
  /** The most likely one first. */
  causes: Schema.Array(
    Schema.Struct({
      kind: Schema.Literals(["template", "service", "level", "anomaly"]),
      key: Schema.String,
      text: Schema.String,
      change: Schema.Literals(["new", "more", "fewer", "gone"]),
      lines: Schema.Natural,
      /** Of these, error and fatal. */
      errors: Schema.Natural,
      expected: Schema.Finite,
      ratio: Schema.NullOr(Schema.Finite),
      score: Schema.Finite,
      /** What was counted, what was to be expected, and what the score means. */
      explanation: Schema.String,
      /** Finds the lines: a query and its time range. */
      query: Schema.String,
      from: Schema.String,
      to: Schema.String
    })
  )
}).annotate({ identifier: "Causes" })

const errors = [...projectErrors, Invalid] as const

export class AnalyticsGroup extends HttpApiGroup.make("analytics")
  .add(
    HttpApiEndpoint.get("overview", "/analytics/overview", { query: span, success: Overview, error: errors }).annotate(
      OpenApi.Summary,
      "The figures of a span, against the one before"
    ),
    HttpApiEndpoint.get("volume", "/analytics/volume", { query: span, success: Volume, error: errors }).annotate(
      OpenApi.Summary,
      "Lines by level and error rate over time"
    ),
    HttpApiEndpoint.get("services", "/analytics/services", {
      query: { ...span, limit: limit(100) },
      success: Services,
      error: errors
    }).annotate(OpenApi.Summary, "Services by their lines, and those that fell silent"),
    HttpApiEndpoint.get("latency", "/analytics/latency", {
      query: { ...span, limit: limit(100), service: Schema.optionalKey(Schema.String) },
      success: LatencySeries,
      error: errors
    }).annotate(OpenApi.Summary, "Durations that lines tell, over time and by endpoint"),
    HttpApiEndpoint.get("templates", "/analytics/templates", {
      query: { ...span, limit: limit(1_000) },
      success: TemplateChanges,
      error: errors
    }).annotate(OpenApi.Summary, "Patterns with the most lines, new and vanished ones"),
    HttpApiEndpoint.get("hosts", "/analytics/hosts", {
      query: { ...span, limit: limit(100) },
      success: Hosts,
      error: errors
    }).annotate(OpenApi.Summary, "Hosts by their lines"),
    HttpApiEndpoint.get("causes", "/analytics/causes", {
      query: {
        from: Schema.String,
        to: Schema.optionalKey(Schema.String),
        /** Only lines of this service. */
        service: Schema.optionalKey(Schema.String),
        project
      },
      success: Causes,
      error: errors
    }).annotate(OpenApi.Summary, "What changed most in a window against the hours before it"),
    HttpApiEndpoint.get("alertCauses", "/alerts/:id/causes", {
      params: { id: AlertId },
      query: { service: Schema.optionalKey(Schema.String), project },
      success: Causes,
      error: errors
    }).annotate(OpenApi.Summary, "What changed most around an alert: its likely causes, ranked")
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1") {}
