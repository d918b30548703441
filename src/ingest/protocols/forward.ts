/**
 * Fluent's forward protocol, version 1: the four modes of messages with their events, acknowledgement and the handshake with a
 * shared key. Pure: bytes in, events or answers out. Promises that a message which is none is refused with what was expected,
 * and that neither a packed nor a compressed one can grow beyond `unpackedMax`.
 */
import { decode, encode, ExtensionCodec } from "@msgpack/msgpack"
import { createHash, timingSafeEqual } from "node:crypto"
import { gunzipSync } from "node:zlib"
import type { SentEvent } from "../../domain/SentEvent.ts"
import { BadFrame, badFrame, MsgpackFrames } from "./MsgpackFrames.ts"

/** Bytes of one message as it is sent. */
export const messageMax = 16 * 1_024 * 1_024
/** Bytes of a compressed message's events. */
export const unpackedMax = 64 * 1_024 * 1_024
/** Events of one message. */
export const eventsMax = 200_000

/** A message in the wire's own terms. */
export interface Forwarded {
  readonly events: ReadonlyArray<SentEvent>
  /** What the sender wants to be told once the events are kept. */
  readonly chunk: string | undefined
}

/** EventTime: seconds and nanoseconds; the wire's extension 0. */
class EventTime {
  readonly ms: number
  constructor(ms: number) {
    this.ms = ms
  }
}

const extensionCodec = new ExtensionCodec()
extensionCodec.register({
  type: 0,
  encode: () => null,
  decode: (data) => {
    if (data.length !== 8) throw badFrame(`expected an EventTime of 8 bytes, got ${data.length}`)
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    return new EventTime(view.getUint32(0) * 1_000 + view.getUint32(4) / 1_000_000)
  }
})
const options = {
  extensionCodec,
  mapKeyConverter: (key: unknown) => {
    const name = key instanceof Uint8Array ? Buffer.from(key).toString("utf8") : String(key)
    return name === "__proto__" ? "_proto_" : name
  }
}

/** Reads one value; BadFrame where it is none. */
export const read = (bytes: Uint8Array): unknown => {
  try {
    return decode(bytes, options)
  } catch (error) {
    throw error instanceof BadFrame ? error : badFrame(error instanceof Error ? error.message : String(error))
  }
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** As JSON can say it: texts that came as bytes are texts, times are ISO. */
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8")
  if (value instanceof EventTime) return new Date(value.ms).toISOString()
  if (typeof value === "bigint") return String(value)
  if (Array.isArray(value)) return value.map(plain)
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
  return typeof value === "object" && value !== null && !(value instanceof Date) ? String(value) : value
}

/** Names of Docker's log driver and of Kubernetes' metadata, as OpenTelemetry has them. */
const renamed: Readonly<Record<string, string>> = {
  container_id: "container.id",
  container_name: "container.name",
  source: "log.iostream",
  stream: "log.iostream"
}
const kubernetes: Readonly<Record<string, string>> = {
  pod_name: "k8s.pod.name",
  namespace_name: "k8s.namespace.name",
  container_name: "k8s.container.name",
  host: "k8s.node.name"
}

const attributesOf = (record: Record<string, unknown>): Record<string, unknown> => {
  const attributes: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(record)) {
    if (key === "kubernetes" && isMap(value)) {
      for (const [name, one] of Object.entries(value)) attributes[kubernetes[name] ?? `kubernetes.${name}`] = one
    } else attributes[renamed[key] ?? key] = value
  }
  return attributes
}

/** Fields by which a record names its service itself. */
const ownService = [
  "service",
  "service.name",
  "service_name",
  "serviceName",
  "app",
  "application",
  "logger",
  "name",
  "program",
  "ident"
]

const timeOf = (value: unknown): number | undefined => {
  // Fluent Bit: [time, metadata].
  const time: unknown = Array.isArray(value) ? value[0] : value
  if (time instanceof EventTime) return time.ms
  return typeof time === "number" && time > 0 ? time * 1_000 : undefined
}

const eventOf = (tag: string, time: unknown, value: unknown): SentEvent => {
  const record = plain(value)
  if (!isMap(record))
    throw badFrame(`expected a record that is a map, got ${Array.isArray(record) ? "an array" : typeof record}`)
  const at = timeOf(time)
  const base = at === undefined ? {} : { time: at }
  const { log, ...rest } = record
  if (typeof log !== "string") {
    const service = ownService.some((name) => name in record) || tag === "" ? {} : { service: tag }
    return { ...base, ...service, line: JSON.stringify(record), attributes: { "fluent.tag": tag } }
  }
  const attributes: Record<string, unknown> = { ...attributesOf(rest), "fluent.tag": tag }
  const pod = attributes["k8s.container.name"]
  // A line that is JSON or syslog names its service itself.
  const service = typeof pod === "string" ? pod : /^\s*[{<]/u.test(log) ? "" : tag
  // A line has the time of what it tells of; the wire's is when the shipper read it.
  const seen = at === undefined ? {} : { seenAt: at }
  return { ...seen, ...(service === "" ? {} : { service }), line: log.replace(/\r?\n$/u, ""), attributes }
}

const packed = (tag: string, bytes: Uint8Array): Array<SentEvent> => {
  const frames = new MsgpackFrames({ bytesMax: messageMax })
  const entries = frames.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  if (frames.held > 0) throw badFrame("expected whole entries in a packed message, got one cut short")
  if (entries.length > eventsMax) throw tooMany(entries.length)
  return entries.map((entry) => pair(tag, read(entry)))
}

const pair = (tag: string, entry: unknown): SentEvent => {
  if (!Array.isArray(entry) || entry.length < 2) throw badFrame("expected entries of time and record, got others")
  return eventOf(tag, entry[0], entry[1])
}

const tooMany = (count: number): BadFrame => badFrame(`expected at most ${eventsMax} events in a message, got ${count}`)

const inflate = (bytes: Uint8Array): Uint8Array => {
  try {
    return gunzipSync(bytes, { maxOutputLength: unpackedMax })
  } catch (error) {
    throw badFrame(
      `expected gzip of at most ${unpackedMax} bytes: ${error instanceof Error ? error.message : String(error)}`
    )
  }
}

/** The events of one message; undefined for nil, which some senders say to keep the connection. Throws BadFrame. */
export const readMessage = (message: unknown): Forwarded | undefined => {
  if (message === null) return undefined
  if (!Array.isArray(message) || message.length < 2) throw badFrame("expected a message that is an array, got another")
  const tag = plain(message[0])
  if (typeof tag !== "string") throw badFrame(`expected a tag, got ${typeof tag}`)
  const [, body] = message as ReadonlyArray<unknown>
  const asList = Array.isArray(body) && !(body[0] instanceof EventTime && isMap(body[1]))
  const asPack = body instanceof Uint8Array || typeof body === "string"
  const option: unknown = message[asList || asPack ? 2 : 3]
  const said = isMap(option) ? option : {}
  const chunk = plain(said["chunk"])
  if (asList && body.length > eventsMax) throw tooMany(body.length)
  const events = asPack
    ? packed(tag, said["compressed"] === "gzip" ? inflate(bytesOf(body)) : bytesOf(body))
    : asList
      ? body.map((entry) => pair(tag, entry))
      : [eventOf(tag, body, message[2])]
  return { events, chunk: typeof chunk === "string" && chunk.length <= 256 ? chunk : undefined }
}

const bytesOf = (body: Uint8Array | string): Uint8Array => (typeof body === "string" ? Buffer.from(body, "utf8") : body)

/** What is answered once the events of a chunk are kept. */
export const ack = (chunk: string): Uint8Array => encode({ ack: chunk })

/** The server's first word to a sender that must know the shared key. */
export const helo = (nonce: Uint8Array): Uint8Array => encode(["HELO", { nonce, auth: "", keepalive: true }])

/** Answers a PING: whether the sender knows the key, and the PONG to send. */
export const pong = (
  message: unknown,
  known: { readonly sharedKey: string; readonly nonce: Uint8Array; readonly hostname: string }
): { readonly ok: boolean; readonly answer: Uint8Array } => {
  const [kind, hostname, salt, digest] = Array.isArray(message) ? (message as ReadonlyArray<unknown>) : []
  const salted = (name: unknown): Buffer => {
    const hash = createHash("sha512")
    for (const part of [salt, name, known.nonce, known.sharedKey]) {
      hash.update(part instanceof Uint8Array ? part : String(part ?? ""))
    }
    return Buffer.from(hash.digest("hex"))
  }
  const wanted = salted(plain(hostname))
  const got = Buffer.from(String(plain(digest) ?? ""))
  const ok = kind === "PING" && got.length === wanted.length && timingSafeEqual(got, wanted)
  const why = ok ? "" : "expected a PING with the digest of the shared key, got another"
  return { ok, answer: encode(["PONG", ok, why, known.hostname, ok ? salted(known.hostname).toString() : ""]) }
}
