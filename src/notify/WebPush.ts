/**
 * Web Push (RFC 8030, 8188, 8291, 8292): one encrypted message to one browser. The package web-push encrypts and signs; the call
 * is made by Http.ts, so that addresses inside and long calls are refused here as everywhere. 404 and 410 mean that the
 * browser is gone.
 */
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { createRequire } from "node:module"
import type { BrowserSubscription } from "../domain/Push.ts"
import { ChannelError } from "./Channel.ts"
import { accepted, call, type Statuses } from "./Http.ts"

/** What is used of the package, which comes without types. */
interface Library {
  readonly generateRequestDetails: (
    subscription: BrowserSubscription,
    payload: string,
    options: {
      readonly vapidDetails: { readonly subject: string; readonly publicKey: string; readonly privateKey: string }
      readonly TTL: number
      readonly urgency: "normal" | "high"
      readonly topic: string
    }
  ) => {
    readonly endpoint: string
    readonly headers: Readonly<Record<string, string | number>>
    readonly body: Uint8Array
  }
}
const library = createRequire(import.meta.url)("web-push") as Library

/** How long a push service keeps a message for a browser that is off, s. */
const ttlSeconds = 12 * 3_600

const statuses: Statuses = {
  400: ["can't read the message", false],
  401: ["refused the key of this server", false],
  403: ["refused the key of this server: the browser has to subscribe anew", false],
  413: ["finds the message too large", false]
}

export interface Vapid {
  readonly publicKey: string
  readonly privateKey: string
  /** `mailto:` or https: whom the push service can ask. */
  readonly contact: string
}

/** What replaces an older message of the same name that was not shown yet: 32 characters of base64url. */
export const topicOf = (name: string): string => createHash("sha256").update(name).digest("base64url").slice(0, 32)

/** Sends; `gone` where the browser has withdrawn its subscription. */
export const toBrowser = (
  to: BrowserSubscription,
  payload: string,
  options: { readonly vapid: Vapid; readonly urgent: boolean; readonly topic: string; readonly now: number }
): Effect.Effect<"taken" | "gone", ChannelError> =>
  Effect.gen(function* () {
    const { contact, privateKey, publicKey } = options.vapid
    const { body, endpoint, headers } = yield* Effect.try({
      try: () =>
        library.generateRequestDetails(to, payload, {
          vapidDetails: { subject: contact, publicKey, privateKey },
          TTL: ttlSeconds,
          urgency: options.urgent ? "high" : "normal",
          topic: options.topic
        }),
      catch: (error) =>
        new ChannelError({
          channel: "push",
          reason: `expected a subscription that can be encrypted for, got one that can't: ${error instanceof Error ? error.message : "unknown"}`,
          retryable: false
        })
    })
    const answer = yield* call({
      channel: "push",
      method: "POST",
      url: endpoint,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)])),
      body
    })
    if (answer.status === 404 || answer.status === 410) return "gone"
    yield* accepted("push", answer, { now: options.now, statuses })
    return "taken"
  })
