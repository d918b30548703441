/** The life of one alert after it fired: its story, who took it on and what they said, and the incidents it is told in. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Alert, AlertComment, AlertEvent } from "../../domain/Alert.ts"
import { Delivery } from "../../domain/Channel.ts"
import { AlertId } from "../../domain/Ids.ts"
import { Incident, IncidentId } from "../../domain/Incident.ts"
import { Auth } from "./auth.ts"
import { Decoding, limit, project, projectErrors } from "./common.ts"

/** All there is to know of an alert. */
export const AlertDetails = Schema.Struct({
  alert: Alert,
  /** pending, firing, told, acknowledged, resolved …, oldest first. */
  timeline: Schema.Array(AlertEvent),
  comments: Schema.Array(AlertComment),
  /** Why it was told or not, in words; null where nobody has looked yet. */
  decision: Schema.NullOr(Schema.String),
  incidents: Schema.Array(Incident),
  /** Messages of its incidents, newest first. */
  deliveries: Schema.Array(Delivery)
}).annotate({ identifier: "AlertDetails" })

const IncidentDetails = Schema.Struct({
  incident: Incident,
  alerts: Schema.Array(Alert),
  deliveries: Schema.Array(Delivery)
}).annotate({ identifier: "IncidentDetails" })

const text = (maximum: number) =>
  Schema.String.check(
    Schema.isPattern(/^[^\0]*\S[^\0]*$/u, { message: "expected a text" }),
    Schema.isMaxLength(maximum)
  )

const Acknowledging = Schema.Struct({ note: Schema.optionalKey(text(1_000)) })

const params = { id: AlertId }
const error = [...projectErrors]

export class IncidentsGroup extends HttpApiGroup.make("incidents")
  .add(
    HttpApiEndpoint.get("getAlert", "/alerts/:id", { params, success: AlertDetails, error }).annotate(
      OpenApi.Summary,
      "One alert with its timeline, comments, incidents and messages"
    ),
    HttpApiEndpoint.post("acknowledge", "/alerts/:id/acknowledge", {
      params,
      payload: Acknowledging,
      success: Alert,
      error
    }).annotate(
      OpenApi.Summary,
      "Take an alert on: no more reminders, no escalation; told once to whoever was told of it"
    ),
    HttpApiEndpoint.post("unacknowledge", "/alerts/:id/unacknowledge", { params, success: Alert, error }).annotate(
      OpenApi.Summary,
      "Give it back: reminders and escalation begin anew"
    ),
    HttpApiEndpoint.post("assign", "/alerts/:id/assign", {
      params,
      payload: Schema.Struct({ assignee: Schema.NullOr(text(200)) }),
      success: Alert,
      error
    }).annotate(OpenApi.Summary, "Say who takes care of it, or null for nobody"),
    HttpApiEndpoint.post("comment", "/alerts/:id/comments", {
      params,
      payload: Schema.Struct({ text: text(10_000) }),
      success: AlertComment.pipe(HttpApiSchema.status(201)),
      error
    }).annotate(OpenApi.Summary, "Say something about it, in the name of the key"),
    HttpApiEndpoint.get("list", "/incidents", {
      query: { project, state: Schema.optionalKey(Schema.Literals(["open", "resolved"])), limit: limit(1_000) },
      success: Schema.Array(Incident),
      error
    }).annotate(OpenApi.Summary, "Alerts that are told together; the one that changed last comes first"),
    HttpApiEndpoint.get("get", "/incidents/:id", {
      params: { id: IncidentId },
      success: IncidentDetails,
      error
    }).annotate(OpenApi.Summary, "One incident with its alerts and messages"),
    HttpApiEndpoint.post("acknowledgeAll", "/incidents/:id/acknowledge", {
      params: { id: IncidentId },
      payload: Acknowledging,
      success: Schema.Array(Alert),
      error
    }).annotate(OpenApi.Summary, "Take on all of its alerts that fire")
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1") {}
