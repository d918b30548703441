/** Ways in which a project's people hear of something (e-mail, Slack, Jira …), and what became of each message. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Channel, ChannelId, ChannelKind, Delivery } from "../../domain/Channel.ts"
import { Outgoing } from "../../domain/Outgoing.ts"
import { Name } from "../../domain/Name.ts"
import { Auth } from "./auth.ts"
import { Decoding, limit, project, projectErrors } from "./common.ts"

/** Sealed when they are kept, never given back. */
const Secrets = Schema.Record(Schema.String, Schema.String.check(Schema.isMaxLength(16_000)))

export const NewChannel = Schema.Struct({
  name: Name,
  kind: ChannelKind,
  /** What each kind takes: docs/alerts/channels.md. */
  settings: Channel.fields.settings,
  secrets: Schema.optionalKey(Secrets)
}).annotate({ identifier: "NewChannel" })

export const ChangedChannel = Schema.Struct({
  name: Schema.optionalKey(Name),
  enabled: Schema.optionalKey(Schema.Boolean),
  /** All of the settings. */
  settings: Schema.optionalKey(Channel.fields.settings),
  /** Laid over those that are kept; an empty text removes one. */
  secrets: Schema.optionalKey(Secrets)
}).annotate({ identifier: "ChangedChannel" })

export const ChannelTest = Schema.Struct({
  ok: Schema.Boolean,
  message: Schema.NullOr(Schema.String),
  /** Whether trying again may help. */
  retryable: Schema.Boolean,
  tookMs: Schema.Finite
}).annotate({ identifier: "ChannelTest" })

export const KindOfChannel = Schema.Struct({
  kind: ChannelKind,
  about: Schema.String,
  secrets: Schema.Array(Schema.Struct({ name: Schema.String, about: Schema.String }))
}).annotate({ identifier: "KindOfChannel" })

export const PreviewOf = Schema.Struct({
  kind: ChannelKind,
  /** As for a channel; without them what depends on them is left out. */
  settings: Schema.optionalKey(Channel.fields.settings),
  /** Instead of the one in the settings. */
  template: Schema.optionalKey(
    Schema.Struct({ title: Schema.optionalKey(Schema.String), text: Schema.optionalKey(Schema.String) })
  ),
  /** Without it that of an alert which fires. */
  message: Schema.optionalKey(Outgoing)
}).annotate({ identifier: "PreviewOf" })

export const Preview = Schema.Struct({ kind: ChannelKind, sent: Schema.Json }).annotate({ identifier: "Preview" })

const params = { id: ChannelId }
const error = [...projectErrors]

export class ChannelsGroup extends HttpApiGroup.make("channels")
  .add(
    HttpApiEndpoint.get("kinds", "/channels/kinds", { success: Schema.Array(KindOfChannel), error }).annotate(
      OpenApi.Summary,
      "The kinds of channels there are"
    ),
    HttpApiEndpoint.post("create", "/channels", {
      payload: NewChannel,
      success: Channel.pipe(HttpApiSchema.status(201)),
      error
    }).annotate(OpenApi.Summary, "Make a channel; alerts are told by it from now on"),
    HttpApiEndpoint.post("preview", "/channels/preview", { payload: PreviewOf, success: Preview, error }).annotate(
      OpenApi.Summary,
      "What would be sent by a channel of this kind; sends nothing"
    ),
    HttpApiEndpoint.get("list", "/channels", { query: { project }, success: Schema.Array(Channel), error }).annotate(
      OpenApi.Summary,
      "List a project's channels, with what went wrong"
    ),
    HttpApiEndpoint.patch("change", "/channels/:id", {
      params,
      payload: ChangedChannel,
      success: Channel,
      error
    }).annotate(OpenApi.Summary, "Change its name, settings or secrets, or switch it on or off"),
    HttpApiEndpoint.delete("remove", "/channels/:id", { params, success: HttpApiSchema.NoContent, error }).annotate(
      OpenApi.Summary,
      "Remove a channel"
    ),
    HttpApiEndpoint.post("test", "/channels/:id/test", { params, success: ChannelTest, error }).annotate(
      OpenApi.Summary,
      "Send a test message by it, now"
    ),
    HttpApiEndpoint.get("deliveries", "/deliveries", {
      query: {
        project,
        channel: Schema.optionalKey(ChannelId),
        incident: Schema.optionalKey(Schema.String),
        limit: limit(1_000)
      },
      success: Schema.Array(Delivery),
      error
    }).annotate(OpenApi.Summary, "What became of messages, newest first")
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1") {}
