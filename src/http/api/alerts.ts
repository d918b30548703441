/** Rules, the alerts that came of them, and the notifications that told people. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Alert, AlertState, Notification } from "../../domain/Alert.ts"
import { NotificationId, RuleId } from "../../domain/Ids.ts"
import { Severity } from "../../domain/Outgoing.ts"
import { AlertRule, NewRule } from "../../domain/Rule.ts"
import { Auth } from "./auth.ts"
import { Decoding, limit, project, projectErrors } from "./common.ts"

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
    HttpApiEndpoint.get("getRule", "/rules/:id", {
      params: { id: RuleId },
      success: AlertRule,
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "Read a rule"),
    HttpApiEndpoint.put("replaceRule", "/rules/:id", {
      params: { id: RuleId },
      payload: NewRule,
      success: AlertRule,
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "Make a rule say something else; it begins anew where it means something else"),
    HttpApiEndpoint.patch("enableRule", "/rules/:id", {
      params: { id: RuleId },
      payload: Schema.Struct({ enabled: Schema.Boolean }),
      success: AlertRule,
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "Enable or disable a rule"),
    HttpApiEndpoint.delete("removeRule", "/rules/:id", {
      params: { id: RuleId },
      success: HttpApiSchema.NoContent,
      error: [...projectErrors]
    }).annotate(OpenApi.Summary, "Remove a rule"),
    HttpApiEndpoint.get("listAlerts", "/alerts", {
      query: {
        state: Schema.optionalKey(AlertState),
        severity: Schema.optionalKey(Severity),
        /** A rule's id or name. */
        rule: Schema.optionalKey(Schema.String),
        /** `name=value`, of the alert's labels or its group. */
        label: Schema.optionalKey(
          Schema.String.check(Schema.isPattern(/^[^=]{1,100}=[\s\S]{0,500}$/u, { message: "expected name=value" }))
        ),
        acked: Schema.optionalKey(Schema.Literals(["true", "false"])),
        incident: Schema.optionalKey(Schema.String),
        /** Alerts that were there at some time between, ISO 8601 or epoch ms. */
        from: Schema.optionalKey(Schema.String),
        to: Schema.optionalKey(Schema.String),
        limit: limit(1_000),
        project
      },
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
