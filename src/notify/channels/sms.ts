/**
 * Short messages by Twilio, one call per recipient. Who has it is noted before anybody else is called, so a retry doubles nobody.
 * Twilio knows no idempotency key: a call that ended without an answer is looked for by recipient, text and time among the
 * messages of the account before it is made again; where the key may not read those, it is made again (at least once).
 */
import { Effect, Schema } from "effect"
import type { Outgoing } from "../../domain/Outgoing.ts"
import { cut } from "../../domain/Text.ts"
import { type Channel, ChannelError, scrubbed, type Sending } from "../Channel.ts"
import { accepted, type Answer, call, jsonOf, type Statuses, urlText } from "../Http.ts"
import { each, type Reached } from "../Recipients.ts"
import { fit, segmentsOf } from "../Sms.ts"

const Phone = Schema.String.check(
  Schema.isPattern(/^\+[1-9]\d{6,14}$/u, { message: "expected a number in the form of E.164: +4915112345678" })
)

const Settings = Schema.Struct({
  accountSid: Schema.String.check(
    Schema.isPattern(/^AC[0-9a-f]{32}$/u, { message: "expected Twilio's Account SID: AC and 32 digits of hex" })
  ),
  /** With an API key instead of the account's token. */
  apiKeySid: Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/^SK[0-9a-f]{32}$/u, { message: "expected the SID of an API key: SK and 32 digits of hex" })
    )
  ),
  /** A number of Twilio's, or a name where the country allows one. */
  from: Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/^(?:\+[1-9]\d{6,14}|[A-Za-z0-9 ]{1,11}|\d{3,8})$/u, {
        message: "expected a number (+15005550006), a short code or a name of at most 11 letters"
      })
    )
  ),
  messagingServiceSid: Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/^MG[0-9a-f]{32}$/u, { message: "expected a Messaging Service SID: MG and 32 digits of hex" })
    )
  ),
  to: Schema.Array(Phone).check(Schema.isMinLength(1), Schema.isMaxLength(20)),
  /** How long a message may be, in segments, each of which is paid for. Default 2. */
  segments: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10 }))),
  /** Default https://api.twilio.com */
  apiUrl: Schema.optionalKey(urlText(300))
}).check(
  Schema.makeFilter(({ from, messagingServiceSid }) =>
    (from === undefined) === (messagingServiceSid === undefined)
      ? "expected either from or messagingServiceSid, got both or neither"
      : undefined
  )
)
type Settings = typeof Settings.Type

const segmentsDefault = 2
const concurrency = 4

/** What Twilio's codes mean. `recipient`: only this one can't be reached; `retry`: passes by itself; `no`: a person has to look. */
const codes: Readonly<Record<number, readonly ["recipient" | "retry" | "no", string]>> = {
  20003: ["no", "refused the credentials"],
  20404: ["no", "knows no such account"],
  20429: ["retry", "wants fewer messages"],
  20500: ["retry", "has a fault of its own"],
  20503: ["retry", "is not available"],
  21211: ["recipient", "not a valid number"],
  21212: ["no", "finds the sender's number not valid"],
  21217: ["recipient", "not a number that can be reached"],
  21264: ["recipient", "not a number for this kind of message"],
  21265: ["recipient", "not a number that takes short messages"],
  21408: ["recipient", "the account may not send to this country"],
  21601: ["no", "does not let this number send short messages"],
  21603: ["no", "expects a sender"],
  21604: ["recipient", "no number at all"],
  21606: ["no", "does not let this number send short messages"],
  21608: ["recipient", "not verified, which a trial account asks for"],
  21610: ["recipient", "unsubscribed (STOP)"],
  21611: ["retry", "has too many messages of this sender waiting"],
  21612: ["recipient", "can't be reached from this sender"],
  21614: ["recipient", "not a mobile number"],
  21617: ["no", "finds the text too long"],
  21635: ["recipient", "a landline"],
  21701: ["no", "knows no such messaging service"],
  21703: ["no", "finds no number in the messaging service"],
  30001: ["retry", "has too many messages waiting"],
  30002: ["no", "has suspended the account"],
  30003: ["recipient", "switched off or out of reach"],
  30004: ["recipient", "blocks messages"],
  30005: ["recipient", "unknown or no longer in use"],
  30006: ["recipient", "a landline, or a carrier that can't be reached"],
  30007: ["recipient", "filtered by the carrier as unwanted"],
  30008: ["retry", "failed for an unknown reason"],
  30034: ["no", "asks for the sender to be registered (A2P 10DLC)"]
}

const statuses: Statuses = { 400: ["refused the message", false], 409: ["is busy with this account", true] }

const failed = (reason: string, retryable: boolean): ChannelError =>
  new ChannelError({ channel: "sms", reason, retryable })

/** What an answer to a message says. */
const read = (answer: Answer, now: number): Effect.Effect<Reached, ChannelError> =>
  Effect.gen(function* () {
    const body = jsonOf(answer) as Readonly<Record<string, unknown>> | undefined
    const good = answer.status >= 200 && answer.status < 300
    const code = Number(good ? (body?.["error_code"] ?? 0) : (body?.["code"] ?? 0))
    const known = codes[code]
    if (known?.[0] === "recipient") return { refused: `${known[1]} (${code})` }
    const retryable = known?.[0] === "retry"
    if (good && known !== undefined) return yield* failed(`Twilio ${known[1]} (${code})`, retryable)
    const said = known === undefined ? body?.["message"] : `code ${code}`
    yield* accepted("sms", answer, {
      now,
      statuses: known === undefined ? statuses : { ...statuses, [answer.status]: [known[1], retryable] },
      detail: () => (typeof said === "string" ? cut(said, 150) : undefined)
    })
    const sid = body?.["sid"]
    if (typeof sid === "string") return { reference: sid }
    return yield* new ChannelError({
      channel: "sms",
      reason: "expected the sid of the message, got an answer without one",
      retryable: true,
      unsure: true
    })
  })

interface Listed {
  readonly sid?: unknown
  readonly body?: unknown
  readonly date_created?: unknown
}

/** Clocks here and there may differ by so much, ms. */
const skewMs = 60_000

const deliver = (sending: Sending<Settings>, authorization: string, text: string) => {
  const { now, settings } = sending
  const base = settings.apiUrl ?? "https://api.twilio.com"
  const url = `${base.replace(/\/+$/u, "")}/2010-04-01/Accounts/${settings.accountSid}/Messages.json`

  /** The message that an earlier call made without saying so. */
  const find = Effect.fnUntraced(function* (to: string, since: number) {
    const from = new Date(since - skewMs).toISOString()
    const query = new URLSearchParams({ To: to, "DateSent>": from.slice(0, 10), PageSize: "100" })
    const answer = yield* call({
      channel: "sms",
      method: "GET",
      url: `${url}?${query.toString()}`,
      headers: { authorization }
    })
    // A key that may send but not read.
    if (answer.status === 401 || answer.status === 403) return undefined
    yield* accepted("sms", answer, { now, statuses })
    const list = (jsonOf(answer) as { readonly messages?: unknown } | undefined)?.messages
    const messages = (Array.isArray(list) ? list : []) as ReadonlyArray<Listed>
    const found = messages.find(
      ({ body, date_created }) => body === text && Date.parse(String(date_created)) >= since - skewMs
    )
    return typeof found?.sid === "string" ? found.sid : undefined
  })

  return Effect.fnUntraced(function* (to: string, since: number | undefined) {
    const before = since === undefined ? undefined : yield* find(to, since)
    if (before !== undefined) return { reference: before }
    const form = new URLSearchParams({
      To: to,
      Body: text,
      ...(settings.from === undefined
        ? { MessagingServiceSid: settings.messagingServiceSid ?? "" }
        : { From: settings.from })
    })
    const answer = yield* call({
      channel: "sms",
      method: "POST",
      url,
      headers: { authorization, "content-type": "application/x-www-form-urlencoded" },
      body: form.toString()
    })
    return yield* read(answer, now)
  })
}

const textOf = (message: Outgoing, segments: number | undefined): string =>
  fit(message.title, message.text, message.url, segments ?? segmentsDefault)

const isPhone = Schema.is(Phone)

export const sms: Channel<Settings> = {
  kind: "sms",
  about: "Short messages by Twilio; each recipient once",
  settings: Settings,
  secrets: [
    { name: "authToken", about: "the account's token" },
    { name: "apiKeySecret", about: "with the setting apiKeySid: the secret of that API key" }
  ],
  perSecond: 1,
  preview: (message, settings) => {
    const text = textOf(message, settings?.segments)
    return { to: [...(message.to ?? settings?.to ?? [])], text, segments: segmentsOf(text) }
  },
  send: Effect.fnUntraced(function* (sending) {
    const { message, secrets, settings } = sending
    const [user, password] =
      settings.apiKeySid === undefined
        ? [settings.accountSid, secrets["authToken"]]
        : [settings.apiKeySid, secrets["apiKeySecret"]]
    if (password === undefined) {
      return yield* failed(
        "expected the secret authToken, or the setting apiKeySid with the secret apiKeySecret, got neither",
        false
      )
    }
    const to = [...new Set(message.to ?? settings.to)]
    const strange = to.find((one) => !isPhone(one))
    if (strange !== undefined) {
      return yield* failed(`expected recipients in the form of E.164, got ${JSON.stringify(cut(strange, 40))}`, false)
    }
    const basic = Buffer.from(`${user}:${password}`).toString("base64")
    const one = deliver(sending, `Basic ${basic}`, textOf(message, settings.segments))
    return yield* each("sms", sending, to, { concurrency, noteBefore: true }, one).pipe(
      Effect.mapError((error) => scrubbed(error, { ...secrets, basic }))
    )
  })
}
