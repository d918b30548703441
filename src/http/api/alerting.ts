/** Who is told of alerts and who is not: routes, silences, inhibitions, and a preview of what they do to an alert. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Severity } from "../../domain/Outgoing.ts"
import { Route, RouteId, RouteSpec } from "../../domain/Route.ts"
import { Inhibition, InhibitionId, InhibitionSpec, Silence, SilenceId, SilenceSpec } from "../../domain/Silence.ts"
import { Auth } from "./auth.ts"
import { Decoding, project, projectErrors } from "./common.ts"

const Window = Schema.Struct({ from: Schema.String, to: Schema.NullOr(Schema.String) })

/** A silence with when it is in force. */
export const SilenceView = Schema.Struct({
  ...Silence.fields,
  active: Schema.Boolean,
  /** The window that is in force, else the next; null where it is over. */
  next: Schema.NullOr(Window)
}).annotate({ identifier: "SilenceView" })

/** A route and its place in the order. */
const PlacedRoute = Schema.Struct({
  ...RouteSpec.fields,
  /** Before the route that is there now; without it, at the end, or where it was. */
  position: Schema.optionalKey(Schema.Natural)
}).annotate({ identifier: "PlacedRoute" })

const Labels = Schema.Record(Schema.String, Schema.String)

/** An alert that somebody imagines. */
const Imagined = Schema.Struct({
  rule: Schema.optionalKey(Schema.String),
  severity: Schema.optionalKey(Severity),
  labels: Schema.optionalKey(Labels),
  group: Schema.optionalKey(Labels),
  /** When, ISO 8601 or epoch ms; now without it. */
  at: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "ImaginedAlert" })

const MuteView = Schema.NullOr(
  Schema.Struct({ id: Schema.String, reason: Schema.String, until: Schema.NullOr(Schema.String) })
)

export const Preview = Schema.Struct({
  silence: MuteView,
  inhibition: MuteView,
  routes: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      name: Schema.String,
      /** Those that are there and enabled. */
      channels: Schema.Array(Schema.String),
      group: Labels,
      groupWaitMs: Schema.Finite,
      escalate: Schema.Array(Schema.Struct({ afterMs: Schema.Finite, channels: Schema.Array(Schema.String) }))
    })
  ),
  /** What each stage said. */
  findings: Schema.Array(Schema.Struct({ stage: Schema.String, reason: Schema.String }))
}).annotate({ identifier: "AlertingPreview" })

const error = [...projectErrors]
const silence = { id: SilenceId }
const route = { id: RouteId }
const inhibition = { id: InhibitionId }

export class AlertingGroup extends HttpApiGroup.make("alerting")
  .add(
    HttpApiEndpoint.get("listSilences", "/silences", {
      query: { project, over: Schema.optionalKey(Schema.Literals(["true", "false"])) },
      success: Schema.Array(SilenceView),
      error
    }).annotate(OpenApi.Summary, "Silences, newest first; with over=true also those that are over"),
    HttpApiEndpoint.post("createSilence", "/silences", {
      payload: SilenceSpec,
      success: SilenceView.pipe(HttpApiSchema.status(201)),
      error
    }).annotate(OpenApi.Summary, "Keep alerts from being told, for a time or at the same hours again and again"),
    HttpApiEndpoint.put("changeSilence", "/silences/:id", {
      params: silence,
      payload: SilenceSpec,
      success: SilenceView,
      error
    }).annotate(OpenApi.Summary, "Say it anew"),
    HttpApiEndpoint.delete("endSilence", "/silences/:id", {
      params: silence,
      success: HttpApiSchema.NoContent,
      error
    }).annotate(OpenApi.Summary, "End a silence: alerts that fire are told now"),
    HttpApiEndpoint.get("listInhibitions", "/inhibitions", {
      query: { project },
      success: Schema.Array(Inhibition),
      error
    }).annotate(OpenApi.Summary, "Which alerts keep which others from being told"),
    HttpApiEndpoint.post("createInhibition", "/inhibitions", {
      payload: InhibitionSpec,
      success: Inhibition.pipe(HttpApiSchema.status(201)),
      error
    }).annotate(OpenApi.Summary, "While an alert of one kind fires, do not tell those of another"),
    HttpApiEndpoint.put("changeInhibition", "/inhibitions/:id", {
      params: inhibition,
      payload: InhibitionSpec,
      success: Inhibition,
      error
    }).annotate(OpenApi.Summary, "Say it anew"),
    HttpApiEndpoint.delete("removeInhibition", "/inhibitions/:id", {
      params: inhibition,
      success: HttpApiSchema.NoContent,
      error
    }).annotate(OpenApi.Summary, "Remove an inhibition"),
    HttpApiEndpoint.get("listRoutes", "/routes", { query: { project }, success: Schema.Array(Route), error }).annotate(
      OpenApi.Summary,
      "Routes in the order in which they are asked"
    ),
    HttpApiEndpoint.post("createRoute", "/routes", {
      payload: PlacedRoute,
      success: Route.pipe(HttpApiSchema.status(201)),
      error
    }).annotate(OpenApi.Summary, "Say which alerts are told by which channels"),
    HttpApiEndpoint.put("changeRoute", "/routes/:id", {
      params: route,
      payload: PlacedRoute,
      success: Route,
      error
    }).annotate(OpenApi.Summary, "Say it anew, or move it"),
    HttpApiEndpoint.delete("removeRoute", "/routes/:id", {
      params: route,
      success: HttpApiSchema.NoContent,
      error
    }).annotate(OpenApi.Summary, "Remove a route"),
    HttpApiEndpoint.post("preview", "/alerting/preview", { payload: Imagined, success: Preview, error }).annotate(
      OpenApi.Summary,
      "What would become of such an alert: silence, inhibition, routes and channels"
    )
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1") {}
