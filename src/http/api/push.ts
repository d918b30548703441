/** Browsers and devices that get a project's push messages; they are sent by its channel of the kind `push`. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { BrowserSubscription, DeviceToken, PushSubscription } from "../../domain/Push.ts"
import { Auth } from "./auth.ts"
import { Decoding, project, projectErrors } from "./common.ts"

/** Whose it is, in words: messages that are meant for some only go by it. */
const person = Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(200)))

export const NewPushSubscription = Schema.Union([
  Schema.Struct({
    endpoint: BrowserSubscription.fields.endpoint,
    keys: BrowserSubscription.fields.keys,
    expirationTime: Schema.optionalKey(Schema.NullOr(Schema.Finite)),
    person
  }),
  Schema.Struct({ token: DeviceToken, person })
]).annotate({ identifier: "NewPushSubscription" })

export const PushKey = Schema.Struct({ publicKey: Schema.String }).annotate({ identifier: "PushKey" })

const error = [...projectErrors]

export class PushGroup extends HttpApiGroup.make("push")
  .add(
    HttpApiEndpoint.get("key", "/key", { success: PushKey, error }).annotate(
      OpenApi.Summary,
      "The key of this server (VAPID) that a browser subscribes with: applicationServerKey"
    ),
    HttpApiEndpoint.post("subscribe", "/subscriptions", {
      payload: NewPushSubscription,
      success: PushSubscription.pipe(HttpApiSchema.status(201)),
      error
    }).annotate(
      OpenApi.Summary,
      "Subscribe a browser (what PushManager.subscribe gives) or a device (a token of Firebase)"
    ),
    HttpApiEndpoint.get("subscriptions", "/subscriptions", {
      query: { project },
      success: Schema.Array(PushSubscription),
      error
    }).annotate(OpenApi.Summary, "Who has subscribed"),
    HttpApiEndpoint.delete("unsubscribe", "/subscriptions", {
      query: {
        project,
        id: Schema.optionalKey(Schema.String),
        /** A browser's endpoint or a device's token. */
        address: Schema.optionalKey(Schema.String)
      },
      success: HttpApiSchema.NoContent,
      error
    }).annotate(OpenApi.Summary, "Forget a subscription, by its id or its address")
  )
  .middleware(Auth)
  .middleware(Decoding)
  .prefix("/v1/push") {}
