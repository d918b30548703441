/**
 * E-mail, by SendGrid or by any SMTP server. A message has an id made of its key and follows its incident's first one, so that
 * mail programs keep an incident together and show a message that came twice once. At least once: both answer only after they
 * have taken the message, so a crash in between sends it again.
 */
import sendGridClient from "@sendgrid/client"
import sendGridMail from "@sendgrid/mail"
import { createHash } from "node:crypto"
import { Effect, Redacted, Schema } from "effect"
import { isIP } from "node:net"
import { createTransport } from "nodemailer"
import { cut } from "../../domain/Text.ts"
import { type Channel, ChannelError, Defaults, scrubbed, type Sending, type Sent } from "../Channel.ts"
import { addressOf, guardedLookup, PrivateAddress } from "../../outside/Addresses.ts"
import { pageOf, subjectOf, textOf } from "../Page.ts"
import { AllowPrivate, retryAfterMs, urlText } from "../Http.ts"

const Address = Schema.String.check(
  Schema.isPattern(/^(?:[^<>\r\n"]{1,100} )?<?[^\s<>@"]{1,64}@[^\s<>@"]{1,255}>?$/u, {
    message: "expected an e-mail address"
  })
)

const Settings = Schema.Struct({
  from: Address,
  to: Schema.Array(Address).check(Schema.isMinLength(1), Schema.isMaxLength(50)),
  replyTo: Schema.optionalKey(Address),
  /** By SMTP; without it by SendGrid. */
  smtp: Schema.optionalKey(
    Schema.Struct({
      host: Schema.NonEmptyString.check(Schema.isMaxLength(253)),
      port: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65_535 })),
      /** `tls`: from the first byte (465); `starttls` (default): asked for and required; `none`: never. */
      security: Schema.optionalKey(Schema.Literals(["tls", "starttls", "none"])),
      username: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(320)))
    })
  ),
  /** SendGrid's address, where it is another: https://api.eu.sendgrid.com */
  sendgridUrl: Schema.optionalKey(urlText(300))
})
type Settings = typeof Settings.Type

const timeoutMs = 15_000

// The library's own objects are shared by all: those of a channel are made of their classes, which its types do not export.
const Client = sendGridClient.constructor as new () => typeof sendGridClient
const MailService = sendGridMail.constructor as new () => typeof sendGridMail

const idOf = (key: string, from: string): string => {
  const domain = /@([^\s<>@]+?)>?$/u.exec(from)?.[1] ?? "loglytics.invalid"
  return `<${createHash("sha256").update(key).digest("hex").slice(0, 32)}@${domain}>`
}

/** What both ways send. */
const mailOf = ({ message, settings }: Sending<Settings>) => {
  const thread = message.incident === undefined ? undefined : idOf(message.incident.id, settings.from)
  const own = idOf(message.key, settings.from)
  return {
    from: settings.from,
    to: [...(message.to ?? settings.to)],
    ...(settings.replyTo === undefined ? {} : { replyTo: settings.replyTo }),
    subject: subjectOf(message),
    text: textOf(message),
    html: pageOf(message),
    messageId: own,
    headers: {
      "X-Loglytics-Key": message.key.replace(/[^\x21-\x7e]/gu, "-"),
      "Auto-Submitted": "auto-generated",
      ...(thread === undefined ? {} : { References: thread, "In-Reply-To": thread })
    }
  }
}

const failed = (reason: string, retryable: boolean, more: { unsure?: boolean; retryAfterMs?: number } = {}) =>
  new ChannelError({ channel: "email", reason, retryable, ...more })

/** The address of a server; fails where its name stands for one inside. A library opens these connections. */
const reachable = Effect.fnUntraced(function* (host: string) {
  const allowPrivate = yield* AllowPrivate
  return yield* Effect.tryPromise({
    try: () => addressOf(host.replace(/^\[|\]$/gu, ""), allowPrivate),
    catch: (error) =>
      error instanceof PrivateAddress
        ? failed(error.message, false)
        : failed(`no answer: ${(error as NodeJS.ErrnoException).code ?? "the name can't be looked up"}`, true)
  })
})

/** What SendGrid's client throws. */
interface SendGridFault {
  readonly code?: number | string
  readonly message?: string
  readonly response?: {
    readonly status?: number
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: { readonly errors?: ReadonlyArray<{ readonly message?: string; readonly field?: string | null }> }
  }
}

/** A fault of SendGrid's client: of the server where it has a status, else of the way there. */
const sendGridFault = (fault: SendGridFault, now: number): ChannelError => {
  const status = typeof fault.code === "number" ? fault.code : fault.response?.status
  if (status === undefined) {
    return failed(`SendGrid gave no answer: ${String(fault.code ?? fault.message)}`, true, { unsure: true })
  }
  const said = fault.response?.body?.errors
    ?.map(({ field, message }) => [field, message].filter((part) => part !== null && part !== undefined).join(": "))
    .join("; ")
  const words = {
    401: "refused the API key",
    403: "does not allow this sender",
    413: "finds the message too large",
    429: "wants fewer messages"
  }
  const meaning =
    words[status as keyof typeof words] ??
    (status >= 300 && status < 400
      ? "answers with a redirect, which is not followed"
      : status >= 500
        ? "has a fault of its own"
        : "refused the message")
  const headers = fault.response?.headers ?? {}
  const reset = Number(headers["x-ratelimit-reset"])
  const told = retryAfterMs({ status, headers, text: "" }, now)
  const after = told ?? (status === 429 && Number.isFinite(reset) ? Math.max(1_000, reset * 1_000 - now) : undefined)
  return failed(
    `expected status 202, got ${status}: SendGrid ${meaning}${said === undefined || said === "" ? "" : ` (${cut(said, 200)})`}`,
    status === 429 || status >= 500 || status === 408,
    after === undefined ? {} : { retryAfterMs: Math.min(after, 3_600_000) }
  )
}

const bySendGrid = Effect.fnUntraced(function* (sending: Sending<Settings>, apiKey: string) {
  const { headers, messageId, replyTo, ...mail } = mailOf(sending)
  const { message, settings } = sending
  const allowPrivate = yield* AllowPrivate
  if (settings.sendgridUrl !== undefined) yield* reachable(URL.parse(settings.sendgridUrl)?.hostname ?? "")
  yield* Effect.tryPromise({
    try: () => {
      const service = new MailService()
      const client = new Client()
      service.setClient(client)
      service.setApiKey(apiKey)
      service.setTimeout(timeoutMs)
      // Ours are meant for the library's HTTP client, which the types don't show.
      const outside = { maxRedirects: 0, lookup: guardedLookup(allowPrivate) }
      for (const [name, value] of Object.entries(outside)) client.setDefaultRequest(name as "url", value as never)
      if (settings.sendgridUrl !== undefined) client.setDefaultRequest("baseUrl", settings.sendgridUrl)
      return service.send({
        ...mail,
        ...(replyTo === undefined ? {} : { replyTo }),
        headers: { ...headers, "Message-ID": messageId },
        attachments: (message.attachments ?? []).map(({ base64, inline, name, type }) => ({
          content: base64,
          filename: name,
          type,
          ...(inline === undefined ? {} : { disposition: "inline", content_id: inline })
        })),
        // Links in alerts must lead where they say.
        trackingSettings: { clickTracking: { enable: false }, openTracking: { enable: false } }
      })
    },
    catch: (error) => sendGridFault(error as SendGridFault, sending.now)
  })
})

/** What nodemailer throws. */
interface SmtpFault {
  readonly code?: string
  readonly responseCode?: number
  readonly response?: string
  readonly command?: string
  readonly message?: string
}

const smtpFault = (fault: SmtpFault): ChannelError => {
  const { code, command, message, response, responseCode } = fault
  if (responseCode !== undefined && code !== "ETLS") {
    // 4xx passes by itself, 5xx does not (RFC 5321).
    return failed(
      `the SMTP server refused ${command ?? "the message"}: ${cut(response ?? String(responseCode), 200)}`,
      responseCode < 500
    )
  }
  const hopeless =
    code === "EAUTH" ||
    code === "EENVELOPE" ||
    code === "ETLS" ||
    code === "EMESSAGE" ||
    code === "ENOAUTH" ||
    // The library tells these as faults of the socket.
    /certificate|altnames/iu.test(message ?? "")
  return failed(`the SMTP server gave no good answer: ${cut(message ?? code ?? "unknown", 200)}`, !hopeless, {
    unsure: command === "DATA"
  })
}

const bySmtp = Effect.fnUntraced(function* (sending: Sending<Settings>, smtp: NonNullable<Settings["smtp"]>) {
  const address = yield* reachable(smtp.host)
  const security = smtp.security ?? "starttls"
  const password = sending.secrets["smtpPassword"]
  yield* Effect.acquireUseRelease(
    Effect.sync(() =>
      createTransport({
        // The name is for the certificate only: looked up once more, it could stand for something else.
        host: address,
        ...(isIP(smtp.host) === 0 ? { servername: smtp.host } : {}),
        port: smtp.port,
        secure: security === "tls",
        requireTLS: security === "starttls",
        ignoreTLS: security === "none",
        connectionTimeout: timeoutMs,
        greetingTimeout: timeoutMs,
        socketTimeout: timeoutMs,
        disableFileAccess: true,
        disableUrlAccess: true,
        ...(smtp.username === undefined || password === undefined
          ? {}
          : { auth: { user: smtp.username, pass: password } })
      })
    ),
    (transport) =>
      Effect.tryPromise({
        try: () =>
          transport.sendMail({
            ...mailOf(sending),
            attachments: (sending.message.attachments ?? []).map(({ base64, inline, name, type }) => ({
              content: base64,
              encoding: "base64",
              filename: name,
              contentType: type,
              ...(inline === undefined ? {} : { cid: inline })
            }))
          }),
        catch: (error) => smtpFault(error as SmtpFault)
      }),
    (transport) => Effect.sync(() => transport.close())
  )
})

export const email: Channel<Settings> = {
  kind: "email",
  about: "E-mail by SendGrid (SENDGRID_API_KEY) or SMTP",
  settings: Settings,
  secrets: [
    { name: "sendgridApiKey", about: "by default SENDGRID_API_KEY" },
    { name: "smtpPassword", about: "for the user name of the setting smtp" }
  ],
  perSecond: 10,
  preview: (message, settings) => ({
    from: settings?.from ?? "Loglytics <loglytics@example.com>",
    to: [...(message.to ?? settings?.to ?? [])],
    subject: subjectOf(message),
    text: textOf(message),
    html: pageOf(message)
  }),
  send: Effect.fnUntraced(function* (sending) {
    const { secrets, settings } = sending
    const fallback = (yield* Defaults).sendgridApiKey
    const apiKey = secrets["sendgridApiKey"] ?? (fallback === undefined ? undefined : Redacted.value(fallback))
    if (settings.smtp === undefined && apiKey === undefined) {
      return yield* failed(
        "expected the setting smtp, the secret sendgridApiKey or SENDGRID_API_KEY, got none of them",
        false
      )
    }
    const known = { ...secrets, ...(apiKey === undefined ? {} : { apiKey }) }
    yield* (settings.smtp === undefined ? bySendGrid(sending, apiKey ?? "") : bySmtp(sending, settings.smtp)).pipe(
      Effect.mapError((error) => scrubbed(error, known))
    )
    return { reference: null } satisfies Sent
  })
}
