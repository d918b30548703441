/** Who gets push messages of a project: a browser by Web Push, or a device by Firebase Cloud Messaging. */
import { Schema } from "effect"
import { ProjectId } from "./Ids.ts"

const Key = (bytes: number) =>
  Schema.String.check(
    Schema.isPattern(/^[A-Za-z0-9_-]{16,200}={0,2}$/u),
    Schema.makeFilter((text: string) =>
      Buffer.from(text, "base64url").length === bytes ? undefined : `expected ${bytes} bytes as base64url`
    )
  )

/** What `PushManager.subscribe()` gives a page. */
export const BrowserSubscription = Schema.Struct({
  endpoint: Schema.String.check(
    Schema.isPattern(/^https?:\/\/\S{1,2000}$/u, { message: "expected the https:// URL of a push service" })
  ),
  keys: Schema.Struct({ p256dh: Key(65), auth: Key(16) })
}).annotate({ identifier: "BrowserSubscription" })
export type BrowserSubscription = typeof BrowserSubscription.Type

/** A registration token of Firebase Cloud Messaging. */
export const DeviceToken = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9_:.-]{20,500}$/u, { message: "expected a registration token of Firebase" })
)

export const PushSubscription = Schema.Struct({
  id: Schema.String,
  project: ProjectId,
  kind: Schema.Literals(["web", "fcm"]),
  /** Whose it is, in words; messages with `to` go to these only. */
  person: Schema.NullOr(Schema.String),
  /** Host of the push service. */
  service: Schema.String,
  createdAt: Schema.String
}).annotate({ identifier: "PushSubscription" })
export type PushSubscription = typeof PushSubscription.Type

/** A subscription with what is needed to reach it. */
export type PushTarget = {
  readonly id: string
  readonly person: string | null
  readonly to: { readonly browser: BrowserSubscription } | { readonly token: string }
}
