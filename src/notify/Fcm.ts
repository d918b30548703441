/**
 * Firebase Cloud Messaging, HTTP v1: a service account's key signs a JWT (RS256), Google gives an access token for it, and each
 * device is sent one message. UNREGISTERED means that the device is gone.
 */
import { Effect, Schema } from "effect"
import { createSign } from "node:crypto"
import { cut } from "../domain/Text.ts"
import { ChannelError } from "./Channel.ts"
import { accepted, type Answer, call, jsonOf, type Statuses } from "./Http.ts"

const Account = Schema.Struct({
  project_id: Schema.String.check(Schema.isPattern(/^[a-z0-9.:-]{1,100}$/u)),
  client_email: Schema.String.check(Schema.isPattern(/^\S{3,320}$/u)),
  private_key: Schema.String.check(Schema.isPattern(/^-----BEGIN [A-Z ]*PRIVATE KEY-----/u)),
  token_uri: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^https?:\/\/\S{1,300}$/u)))
})
export type Account = typeof Account.Type

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Account))

/** A service account's JSON; undefined where it is none. */
export const accountOf = (text: string): Account | undefined => {
  const read = decode(text)
  return read._tag === "Some" ? read.value : undefined
}

const scope = "https://www.googleapis.com/auth/firebase.messaging"
const lifeSeconds = 3_600
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url")

/** The JWT by which an access token is asked for; throws where the key is none. */
const assertionOf = (account: Account, audience: string, now: number): string => {
  const issued = Math.floor(now / 1_000)
  const claims = { iss: account.client_email, scope, aud: audience, iat: issued, exp: issued + lifeSeconds }
  const signed = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`
  return `${signed}.${createSign("RSA-SHA256").update(signed).sign(account.private_key, "base64url")}`
}

const failed = (reason: string, retryable: boolean): ChannelError =>
  new ChannelError({ channel: "push", reason, retryable })

const detail = (answer: Answer): string | undefined => {
  const body = jsonOf(answer) as { readonly error?: unknown; readonly error_description?: unknown } | undefined
  const error = body?.error
  const words =
    typeof error === "object" && error !== null
      ? (error as { message?: unknown }).message
      : (body?.error_description ?? error)
  return typeof words === "string" ? cut(words, 150) : undefined
}

const tokenStatuses: Statuses = {
  400: ["refused the service account", false],
  401: ["refused the service account", false]
}

/** An access token, good for an hour. */
export const accessToken = Effect.fnUntraced(function* (account: Account, now: number) {
  const url = account.token_uri ?? "https://oauth2.googleapis.com/token"
  const assertion = yield* Effect.try({
    try: () => assertionOf(account, url, now),
    catch: () => failed("expected a private key in the service account, got something that can't sign", false)
  })
  const answer = yield* call({
    channel: "push",
    method: "POST",
    url,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion }).toString()
  })
  yield* accepted("push", answer, { now, statuses: tokenStatuses, detail })
  const token = (jsonOf(answer) as { readonly access_token?: unknown } | undefined)?.access_token
  return typeof token === "string" ? token : yield* failed("expected an access token of Google, got none", true)
})

/** FCM's own code of an error. */
const codeOf = (answer: Answer): string | undefined => {
  const error = (jsonOf(answer) as { error?: { status?: unknown; details?: unknown } } | undefined)?.error
  const details = (Array.isArray(error?.details) ? error.details : []) as ReadonlyArray<{ errorCode?: unknown } | null>
  const code = details.find((one) => typeof one?.errorCode === "string")?.errorCode ?? error?.status
  return typeof code === "string" ? code : undefined
}

const statuses: Statuses = {
  400: ["can't send this message to this device", false],
  401: ["refused the access token", true],
  403: ["does not allow this: the device belongs to another project of Firebase", false]
}

export interface Note {
  readonly title: string
  readonly body: string
  readonly url: string | undefined
  readonly tag: string
  readonly urgent: boolean
}

/** Sends; `gone` where the device has no such token any more. */
export const toDevice = Effect.fnUntraced(function* (
  base: string,
  account: Account,
  access: string,
  token: string,
  { body, tag, title, url, urgent }: Note,
  now: number
) {
  const answer = yield* call({
    channel: "push",
    method: "POST",
    url: `${base.replace(/\/+$/u, "")}/v1/projects/${encodeURIComponent(account.project_id)}/messages:send`,
    headers: { authorization: `Bearer ${access}`, "content-type": "application/json" },
    body: JSON.stringify({
      message: {
        token,
        notification: { title, body },
        data: { tag, ...(url === undefined ? {} : { url }) },
        // What is sent again takes the place of the first.
        android: { priority: urgent ? "HIGH" : "NORMAL", collapse_key: tag, notification: { tag } },
        apns: { headers: { "apns-collapse-id": tag, "apns-priority": urgent ? "10" : "5" } }
      }
    })
  })
  const code = codeOf(answer)
  if (answer.status === 404 || code === "UNREGISTERED") return "gone" as const
  yield* accepted("push", answer, {
    now,
    statuses,
    detail: () => (code === undefined ? undefined : cut([code, detail(answer) ?? ""].join(" "), 200))
  })
  return "taken" as const
})
