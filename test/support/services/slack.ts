/** Slack as its documentation tells it: chat.postMessage, chat.update, conversations.history and .replies, incoming webhooks. */
import { type Fake, type Reply, startFake, type Taken } from "./Fake.ts"

export interface SlackMessage {
  readonly ts: string
  readonly thread_ts?: string
  text: string
  attachments?: unknown
  edited: number
  readonly metadata?: unknown
}

export interface FakeSlack extends Fake {
  readonly token: string
  readonly webhook: string
  readonly channel: string
  readonly messages: Array<SlackMessage>
}

const fieldsOf = ({ body, headers }: Taken): Record<string, unknown> =>
  (headers["content-type"] ?? "").startsWith("application/json")
    ? (JSON.parse(body) as Record<string, unknown>)
    : Object.fromEntries(new URLSearchParams(body))

/** `heard` is told of each request after it was done and before it is answered. */
export const startSlack = async (heard: (request: Taken) => void = () => {}): Promise<FakeSlack> => {
  const token = "xoxb-test-token-1234"
  const channel = "C024BE91L"
  const messages: Array<SlackMessage> = []
  let clock = 1_700_000_000
  /** As many as are given at a time, whatever is asked for. */
  const pageSize = 2
  const page = (found: ReadonlyArray<SlackMessage>, fields: Record<string, unknown>): Reply => {
    const from = Number(fields["cursor"] ?? 0)
    const next = from + pageSize < found.length ? String(from + pageSize) : ""
    const shown = found.slice(from, from + pageSize)
    return {
      status: 200,
      body: { ok: true, messages: shown, has_more: next !== "", response_metadata: { next_cursor: next } }
    }
  }
  const no = (error: string): Reply => ({ status: 200, body: { ok: false, error } })
  const methods: Record<string, (fields: Record<string, unknown>) => Reply> = {
    "chat.postMessage": (fields) => {
      if (fields["channel"] !== channel) return no("channel_not_found")
      const ts = `${clock++}.000100`
      messages.push({
        ts,
        text: String(fields["text"]),
        attachments: fields["attachments"],
        edited: 0,
        metadata: fields["metadata"],
        ...(fields["thread_ts"] === undefined ? {} : { thread_ts: String(fields["thread_ts"]) })
      })
      return { status: 200, body: { ok: true, channel, ts } }
    },
    "chat.update": (fields) => {
      const found = messages.find(({ ts }) => ts === fields["ts"])
      if (fields["channel"] !== channel || found === undefined) return no("message_not_found")
      found.text = String(fields["text"])
      found.attachments = fields["attachments"]
      found.edited++
      return { status: 200, body: { ok: true, channel, ts: found.ts } }
    },
    "conversations.history": (fields) =>
      page(messages.filter((message) => message.thread_ts === undefined).toReversed(), fields),
    "conversations.replies": (fields) =>
      page(
        messages.filter(({ thread_ts, ts }) => [thread_ts, ts].includes(String(fields["ts"]))),
        fields
      )
  }
  const answer = (request: Taken): Reply => {
    if (request.path === "/services/T0/B0/secretpart") {
      const { text } = fieldsOf(request)
      if (typeof text !== "string") return { status: 400, body: "no_text" }
      messages.push({ ts: `${clock++}.000100`, text, edited: 0 })
      return { status: 200, body: "ok" }
    }
    if (request.headers.authorization !== `Bearer ${token}`) return no("invalid_auth")
    return methods[request.path.replace("/api/", "")]?.(fieldsOf(request)) ?? no("unknown_method")
  }
  const fake = await startFake((request) => {
    const reply = answer(request)
    heard(request)
    return reply
  })
  return { ...fake, token, channel, messages, webhook: `${fake.url}/services/T0/B0/secretpart` }
}
