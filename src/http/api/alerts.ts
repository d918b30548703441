/** Rules, the alerts that came of them, and the notifications that told people. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Alert, AlertRule, AlertState, Notification, ThresholdSpec } from "../../domain/Alert.ts"
import { NotificationId, RuleId } from "../../domain/Ids.ts"
import { Name } from "../../domain/Name.ts"
import { Auth } from "./auth.ts"
import { Decoding, limit, project, projectErrors } from "./common.ts"

export const NewRule = Schema.Struct({
  name: Name,
  ...ThresholdSpec.fields,
  // As a union, although of one: with a single literal the decoder would tell the whole struct apart by it, and a wrong
  // type would hide every other fault.
  type: Schema.Literals(["threshold"])
}).annotate({ identifier: "NewRule" })

export class AlertsGroup extends HttpApiGroup.make("alerts")
  .add(
    HttpApiEndpoint.post("createRule", "/rules", {
      payload: NewRule,
      success: AlertRule.pipe(HttpApiSchema.status(201)),
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "Make a rule; it judges every line accepted from now on"),
    HttpApiEndpoint.get("listRules", "/rules", {
      query: { project },
      success: Schema.Array(AlertRule),
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "List a project's rules"),
    HttpApiEndpoint.delete("removeRule", "/rules/:id", {
      params: { id: RuleId },
      success: HttpApiSchema.NoContent,
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "Remove a rule"),
    HttpApiEndpoint.get("listAlerts", "/alerts", {
      query: { state: Schema.optionalKey(AlertState), limit: limit(1_000), project },
      success: Schema.Array(Alert),
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "List a project's alerts, newest first"),
    HttpApiEndpoint.get("listNotifications", "/notifications", {
      query: { limit: limit(1_000), project },
      success: Schema.Array(Notification),
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "List a project's notifications, newest first"),
    HttpApiEndpoint.post("readNotification", "/notifications/:id/read", {
      params: { id: NotificationId },
      success: HttpApiSchema.NoContent,
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "Mark a notification as read")
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1") {}
