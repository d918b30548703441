/**
 * Slack, by a bot's token (one message per incident, edited as it goes on, what is new as replies in its thread) or by an
 * incoming webhook (a message each time: a webhook can't edit). Exactly once with a token: what a crash left open is looked for
 * by the key in the message's metadata. With a webhook at least once: Slack answers only after it has posted.
 */
import { Effect, Redacted, Schema } from "effect"
import type { Outgoing } from "../../domain/Outgoing.ts"
import { cut } from "../../domain/Text.ts"
import { type Channel, ChannelError, Defaults, scrubbed, type Sending, type Sent } from "../Channel.ts"
import { accepted, type Answer, call, jsonOf, retryAfterMs, type Statuses, urlText } from "../Http.ts"
import { alertsOf, labelsOf, samplesOf } from "../Words.ts"

const Settings = Schema.Struct({
  /** With a bot's token: the id of the Slack channel (its name would do for posting, but not for editing). */
  channel: Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/^[CGD][A-Z0-9]{2,30}$/u, { message: "expected the id of a Slack channel, such as C024BE91L" })
    )
  ),
  /** Who is called when an alert fires: `<!here>`, `<@U012AB3CD>`, `<!subteam^S012AB3CD>`. */
  mention: Schema.optionalKey(
    Schema.String.check(Schema.isPattern(/^<(?:!here|!channel|@[A-Z0-9]{3,20}|!subteam\^[A-Z0-9]{3,20})>$/u))
  ),
  /** Default https://slack.com/api */
  apiUrl: Schema.optionalKey(urlText(300))
})
type Settings = typeof Settings.Type

/** What is remembered of an incident's message. */
interface Reference {
  readonly channel: string
  readonly ts: string
}

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
const colors = { info: "#2f80ed", warning: "#f2a600", critical: "#d7263d" } as const
/** Escaped and cut, without half of an escaped sign at its end. */
const written = (text: string, max: number): string => cut(escape(text), max).replace(/&[a-z]{0,3}…$/u, "…")

/** A URL that ends where it should. */
const linkOf = (url: string): string =>
  url.replace(/[<>|\s]/gu, (sign) => encodeURIComponent(sign)).replaceAll("&", "&amp;")

const headMax = 300
const labelsMax = 500
const alertsMax = 10
const sectionMax = 2_900
const samplesMax = 5

/** The message as Slack's blocks, with a plain text for notifications. */
export const blocksOf = (message: Outgoing, mention: string | undefined) => {
  const first = message.incident?.alerts.length === 1 ? message.incident.alerts[0] : undefined
  const labels = first === undefined ? "" : cut(labelsOf(first), labelsMax)
  const samples = samplesOf(message, samplesMax)
  const summons = mention !== undefined && message.state === "firing" ? `${mention} ` : ""
  const blocks: Array<unknown> = []
  // Slack refuses a section without text.
  if (message.text.trim() !== "") {
    blocks.push({ type: "section", text: { type: "mrkdwn", text: written(message.text, sectionMax) } })
  }
  const alerts = alertsOf(message, alertsMax)
  if (alerts.length > 0) {
    const list = written(alerts.map((line) => `• ${line}`).join("\n"), sectionMax)
    blocks.push({ type: "section", text: { type: "mrkdwn", text: list } })
  }
  if (samples.length > 0) {
    const code = written(samples.join("\n").replaceAll("```", "'''"), sectionMax - 8)
    blocks.push({ type: "section", text: { type: "mrkdwn", text: `\`\`\`\n${code}\n\`\`\`` } })
  }
  const notes = [
    message.severity,
    labels,
    message.url === undefined ? "" : `<${linkOf(message.url)}|Open in Loglytics>`
  ]
  const note = notes.filter((part) => part !== "").map((part) => (part.startsWith("<http") ? part : escape(part)))
  blocks.push({ type: "context", elements: [{ type: "mrkdwn", text: cut(note.join("  ·  "), sectionMax) }] })
  const color = message.state === "resolved" ? "#2eb67d" : colors[message.severity]
  // Slack shows the text above the attachment and in notifications: the title stands there, once.
  return {
    text: `${summons}*${written(message.title.replace(/\s+/gu, " ").trim(), headMax)}*`,
    attachments: [{ color, blocks }]
  }
}

const webhookStatuses: Statuses = {
  400: ["can't read the message", false],
  403: ["does not allow this webhook here", false],
  404: ["has removed this webhook or its channel", false],
  410: ["has archived the channel", false]
}

/** Errors of the Web API that pass by themselves. */
const passing = new Set([
  "ratelimited",
  "rate_limited",
  "internal_error",
  "fatal_error",
  "service_unavailable",
  "request_timeout",
  "team_added_to_org",
  "org_login_required"
])

const failed = (reason: string, retryable: boolean, retryAfter?: number): ChannelError =>
  new ChannelError({
    channel: "slack",
    reason,
    retryable,
    ...(retryAfter === undefined ? {} : { retryAfterMs: retryAfter })
  })

/** The words of a refusal by the Web API. */
const refusal = (method: string, answer: Answer, now: number): ChannelError => {
  const body = jsonOf(answer) as { readonly error?: unknown } | undefined
  const error = typeof body?.error === "string" ? body.error : "an answer that is no JSON of Slack's"
  return failed(
    `${method}: ${cut(error, 100)}`,
    typeof body?.error !== "string" || passing.has(error),
    retryAfterMs(answer, now)
  )
}

/** Methods that read take forms only. */
const reads = new Set(["conversations.history", "conversations.replies"])
const formOf = (body: Readonly<Record<string, unknown>>): string =>
  new URLSearchParams(Object.entries(body).map(([name, value]) => [name, String(value)])).toString()

type Api = (
  method: string,
  body: Readonly<Record<string, unknown>>
) => Effect.Effect<Record<string, unknown>, ChannelError>

const apiOf = (settings: Settings, token: string, now: number): Api =>
  Effect.fnUntraced(function* (method, body) {
    const answer = yield* call({
      channel: "slack",
      method: "POST",
      url: `${settings.apiUrl ?? "https://slack.com/api"}/${method}`,
      headers: {
        "content-type": reads.has(method) ? "application/x-www-form-urlencoded" : "application/json; charset=utf-8",
        authorization: `Bearer ${token}`
      },
      body: reads.has(method) ? formOf(body) : JSON.stringify(body)
    })
    yield* accepted("slack", answer, { now })
    const result = jsonOf(answer) as Record<string, unknown> | undefined
    if (result?.["ok"] !== true) return yield* refusal(method, answer, now)
    return result
  })

const isReference = (value: unknown): value is Reference =>
  typeof value === "object" && value !== null && "ts" in value && "channel" in value

interface Posted {
  readonly ts?: string
  readonly metadata?: { readonly event_payload?: { readonly key?: string } }
}

/** Pages of messages that are looked through, and how much the clocks may differ, ms. */
const pagesMax = 20
const skewMs = 300_000

/** The message with this key in the channel, or in a thread of it, since it was written. */
const find = Effect.fnUntraced(function* (api: Api, channel: string, message: Outgoing, thread?: string) {
  const method = thread === undefined ? "conversations.history" : "conversations.replies"
  let cursor = ""
  for (let page = 0; page < pagesMax; page++) {
    const found = yield* api(method, {
      channel,
      oldest: String((Date.parse(message.at) - skewMs) / 1_000),
      limit: 200,
      include_all_metadata: true,
      ...(thread === undefined ? {} : { ts: thread }),
      ...(cursor === "" ? {} : { cursor })
    })
    const messages = (Array.isArray(found["messages"]) ? found["messages"] : []) as ReadonlyArray<Posted>
    const posted = messages.find(({ metadata }) => metadata?.event_payload?.key === message.key)
    if (posted?.ts !== undefined) return posted.ts
    const next = (found["response_metadata"] as { readonly next_cursor?: unknown } | undefined)?.next_cursor
    if (typeof next !== "string" || next === "") return undefined
    cursor = next
  }
  return undefined
})

/** As `find`; where the bot may not read, told once too often is better than not at all. */
const findIfAllowed = (api: Api, channel: string, message: Outgoing, thread?: string) =>
  find(api, channel, message, thread).pipe(
    Effect.catchIf(
      ({ retryable }) => !retryable,
      () => Effect.succeed(undefined)
    )
  )

/** The first message of an incident. */
const begin = Effect.fnUntraced(function* (api: Api, channel: string, { message, settings }: Sending<Settings>) {
  const posted = yield* api("chat.postMessage", {
    channel,
    ...blocksOf(message, settings.mention),
    metadata: { event_type: "loglytics", event_payload: { key: message.key } },
    unfurl_links: false
  })
  const at = { channel: String(posted["channel"] ?? channel), ts: String(posted["ts"] ?? "") }
  return { reference: at.ts === "" ? null : at }
})

/** Edits the incident's message; false where somebody has removed it. One that may not be edited any more stays as it was. */
const edit = (api: Api, { channel, ts }: Reference, { message, settings }: Sending<Settings>) =>
  api("chat.update", { channel, ts, ...blocksOf(message, settings.mention) }).pipe(
    Effect.as(true),
    Effect.catchIf(
      ({ reason }) => /: (?:message_not_found|edit_window_closed|cant_update_message)\b/u.test(reason),
      ({ reason }) => Effect.succeed(!reason.includes("message_not_found"))
    )
  )

const byToken = Effect.fnUntraced(function* (sending: Sending<Settings>, token: string) {
  const { message, now, previous, repeated, settings } = sending
  const api = apiOf(settings, token, now)
  if (isReference(previous) && (yield* edit(api, previous, sending))) {
    const { channel, ts } = previous
    const told = repeated ? yield* findIfAllowed(api, channel, message, ts) : undefined
    if (told === undefined) {
      const text = `*${written(message.title, headMax)}*\n${written(message.text, sectionMax - headMax)}`
      const metadata = { event_type: "loglytics", event_payload: { key: message.key } }
      yield* api("chat.postMessage", { channel, thread_ts: ts, text, metadata, unfurl_links: false })
    }
    return { reference: { channel, ts } }
  }
  const channel = settings.channel
  if (channel === undefined) return yield* failed("expected the setting channel beside a bot's token, got none", false)
  const before = repeated ? yield* findIfAllowed(api, channel, message) : undefined
  return before === undefined ? yield* begin(api, channel, sending) : { reference: { channel, ts: before } }
})

const byWebhook = Effect.fnUntraced(function* ({ message, now, settings }: Sending<Settings>, url: string) {
  const answer = yield* call({
    channel: "slack",
    method: "POST",
    url,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(blocksOf(message, settings.mention))
  })
  yield* accepted("slack", answer, { now, statuses: webhookStatuses, detail: ({ text }) => cut(text, 100) })
  return { reference: null } satisfies Sent
})

export const slack: Channel<Settings> = {
  kind: "slack",
  about: "Slack: a bot's token (edits its message, threads) or an incoming webhook; by default SLACK_WEBHOOK_URL",
  settings: Settings,
  secrets: [
    { name: "botToken", about: "xoxb-…, with chat:write (and channels:history, to look after a crash)" },
    { name: "webhookUrl", about: "https://hooks.slack.com/services/…" }
  ],
  perSecond: 1,
  preview: (message, settings) => blocksOf(message, settings?.mention) as Schema.Json,
  send: Effect.fnUntraced(function* (sending) {
    const { secrets } = sending
    const token = secrets["botToken"]
    const fallback = (yield* Defaults).slackWebhookUrl
    const webhook = secrets["webhookUrl"] ?? (fallback === undefined ? undefined : Redacted.value(fallback))
    if (token === undefined && webhook === undefined) {
      return yield* failed("expected a bot's token, a webhook or SLACK_WEBHOOK_URL, got none of them", false)
    }
    const known = { ...secrets, ...(webhook === undefined ? {} : { webhook }) }
    return yield* (token === undefined ? byWebhook(sending, webhook ?? "") : byToken(sending, token)).pipe(
      Effect.mapError((error) => scrubbed(error, known))
    )
  })
}
