/**
 * Any HTTPS endpoint, by Standard Webhooks (standardwebhooks.com): `webhook-id` is made of the message's key and stays the same
 * when it is sent again, so a receiver that keeps ids has each message once; `webhook-signature` proves with a shared secret
 * that it comes from here and when. The body is told by `Payload`.
 */
import { Effect, Schema } from "effect"
import { createHash, createHmac } from "node:crypto"
import { Incident, type Outgoing, Severity } from "../../domain/Outgoing.ts"
import { cut, tidyAll } from "../../domain/Text.ts"
import { type Channel, scrubbed, type Secrets, type Sent } from "../Channel.ts"
import { accepted, call, type Statuses, urlText } from "../Http.ts"

const Settings = Schema.Struct({ url: urlText(2_000) })

/** What a receiver gets: `type`, `timestamp` and `data`, as Standard Webhooks wants them. */
export const Payload = Schema.Struct({
  /** `alert.firing`, `alert.resolved`, `alert.acknowledged`, `alert.updated`, `report`, `test` or `note`. */
  type: Schema.String,
  /** When the message was written, ISO 8601. */
  timestamp: Schema.String,
  data: Schema.Struct({
    key: Schema.String,
    title: Schema.String,
    text: Schema.String,
    severity: Severity,
    state: Schema.optionalKey(Schema.Literals(["firing", "resolved", "acknowledged", "updated"])),
    incident: Schema.optionalKey(Incident),
    url: Schema.optionalKey(Schema.String)
  })
}).annotate({ identifier: "WebhookPayload" })

/** A receiver that needs more than this can't be meant: bytes of a secret by the specification. */
const keyMin = 24
const keyMax = 64

const secretsOf = (text: string | undefined): ReadonlyArray<string> =>
  (text ?? "").split(/[\s,]+/u).filter((part) => part !== "")

const keyOf = (secret: string): Buffer => Buffer.from(secret.replace(/^whsec_/u, ""), "base64")

/** The value of `webhook-signature`: one signature per secret, so that secrets can be changed without a gap. */
export const signatureOf = (secrets: ReadonlyArray<string>, id: string, seconds: number, body: string): string =>
  secrets
    .map((secret) => `v1,${createHmac("sha256", keyOf(secret)).update(`${id}.${seconds}.${body}`).digest("base64")}`)
    .join(" ")

const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}):[ \t]*([\x20-\x7e]{0,4000})$/u
/** What this channel says itself, or what the connection is made of. */
const ownHeaders = /^(?:webhook-.*|host|content-length|content-type|transfer-encoding|connection|upgrade|te|trailer)$/iu
const linesOf = (text: string | undefined): ReadonlyArray<string> =>
  (text ?? "").split(/\r?\n/u).filter((line) => line.trim() !== "")

const headersOf = (text: string | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    linesOf(text).flatMap((line) => {
      const [, name, value] = headerLine.exec(line) ?? []
      return name === undefined || value === undefined || ownHeaders.test(name)
        ? []
        : [[name.toLowerCase(), value.trim()]]
    })
  )

const secretsFault = ({ headers, signingSecret }: Secrets): string | undefined => {
  for (const secret of secretsOf(signingSecret)) {
    const bytes = keyOf(secret).length
    if (!/^whsec_[A-Za-z0-9+/]+={0,2}$/u.test(secret) || bytes < keyMin || bytes > keyMax) {
      return `signingSecret: expected whsec_ and ${keyMin} to ${keyMax} bytes as base64, got something else (whsec_$(openssl rand -base64 32) makes one)`
    }
  }
  const strange = linesOf(headers).findIndex((line) => {
    const name = headerLine.exec(line)?.[1]
    return name === undefined || ownHeaders.test(name)
  })
  return strange === -1
    ? undefined
    : `headers: expected lines like "X-Api-Key: abc" with none of the channel's own headers, got something else in line ${strange + 1}`
}

const typeOf = ({ kind, state }: Outgoing): string => (kind === "alert" ? `alert.${state ?? "updated"}` : kind)

export const payloadOf = ({ at, incident, key, severity, state, text, title, url, ...message }: Outgoing) =>
  tidyAll({
    type: typeOf({ at, key, severity, text, title, ...message, ...(state === undefined ? {} : { state }) }),
    timestamp: at,
    data: {
      key,
      title,
      text,
      severity,
      ...(state === undefined ? {} : { state }),
      ...(incident === undefined ? {} : { incident }),
      ...(url === undefined ? {} : { url })
    }
  })

const idOf = (key: string): string => `msg_${createHash("sha256").update(key).digest("base64url").slice(0, 32)}`

const statuses: Statuses = {
  404: ["knows no such address", false],
  409: ["is busy with this message", true],
  410: ["says that this endpoint is gone for good: remove the channel", false]
}

export const webhook: Channel<typeof Settings.Type> = {
  kind: "webhook",
  about: "Your own endpoint, by Standard Webhooks: signed JSON whose id stays the same when it comes again",
  settings: Settings,
  secrets: [
    { name: "signingSecret", about: "whsec_…; several with spaces between while they are changed: each signs" },
    { name: "headers", about: "further headers, one a line: Authorization: Bearer …" }
  ],
  perSecond: 20,
  secretsFault,
  preview: (message, settings) => ({
    method: "POST",
    url: settings?.url ?? "https://example.com/hooks",
    headers: { "webhook-id": idOf(message.key), "content-type": "application/json" },
    body: payloadOf(message) as unknown as Schema.Json
  }),
  send: Effect.fnUntraced(function* ({ message, now, secrets, settings }) {
    const id = idOf(message.key)
    const seconds = Math.floor(now / 1_000)
    const body = JSON.stringify(payloadOf(message))
    const signing = secretsOf(secrets["signingSecret"])
    const extra = headersOf(secrets["headers"])
    // Each secret and each value of a header by itself, since a server may repeat any of them.
    const known = Object.fromEntries(
      [...signing, ...Object.values(extra), ...Object.values(extra).flatMap((value) => value.split(" "))].entries()
    )
    const answer = yield* call({
      channel: "webhook",
      method: "POST",
      url: settings.url,
      headers: {
        ...extra,
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": String(seconds),
        ...(signing.length === 0 ? {} : { "webhook-signature": signatureOf(signing, id, seconds, body) })
      },
      body
    }).pipe(Effect.mapError((error) => scrubbed(error, known)))
    yield* accepted("webhook", answer, {
      now,
      statuses,
      detail: ({ text }) => (text.trim() === "" ? undefined : cut(text.trim(), 200))
    }).pipe(Effect.mapError((error) => scrubbed(error, known)))
    return { reference: { id } } satisfies Sent
  })
}
