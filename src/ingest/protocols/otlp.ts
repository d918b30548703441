/**
 * OpenTelemetry's logs over HTTP: protobuf and JSON, answered in the type of the request. Records that can't be read are
 * rejected one by one and told as a partial success, all others are taken.
 */
import { BinaryWriter } from "@bufbuild/protobuf/wire"
import {
  type Asked,
  type Door,
  eventsMax,
  jsonReply,
  mediaType,
  type Protocol,
  type Reason,
  type Refusal,
  type Reply,
  type Sent,
  statusOf,
  tooMany
} from "../Protocol.ts"
import * as OtlpJson from "./OtlpJson.ts"
import * as OtlpWire from "./OtlpWire.ts"
import { Rejections } from "./Rejections.ts"

type Writing = "json" | "protobuf"

/** Codes of google.rpc.Status. */
const codes: Readonly<Record<Reason, number>> = {
  "no key": 16,
  "wrong key": 16,
  forbidden: 7,
  "no project": 5,
  malformed: 3,
  unsupported: 3,
  "too large": 3,
  busy: 8,
  unavailable: 14
}

const protobufReply = (status: number, body: Uint8Array): Reply => ({
  status,
  headers: { "content-type": "application/x-protobuf" },
  body
})

const refuse =
  (writing: Writing) =>
  ({ message, reason }: Refusal): Reply =>
    writing === "json"
      ? jsonReply(statusOf[reason], { code: codes[reason], message })
      : protobufReply(
          statusOf[reason],
          new BinaryWriter().uint32(8).int32(codes[reason]).uint32(18).string(message).finish()
        )

/** ExportLogsServiceResponse; `partial_success` only where something was rejected. */
const accept = (writing: Writing, { list, total }: Rejections): Reply => {
  const message = list
    .slice(0, 3)
    .map(({ line, reason }) => `record ${line}: ${reason}`)
    .join("; ")
  if (writing === "json") {
    return jsonReply(
      200,
      total === 0 ? {} : { partialSuccess: { rejectedLogRecords: String(total), errorMessage: message } }
    )
  }
  const answer = new BinaryWriter()
  if (total > 0) answer.uint32(10).fork().uint32(8).int64(total).uint32(18).string(message).join()
  return protobufReply(200, answer.finish())
}

const readWire = (bytes: Buffer): Sent | Refusal => {
  const fault = OtlpWire.faultOf(bytes)
  if (fault !== undefined) return fault
  const rejections = new Rejections()
  return { events: OtlpWire.readRecords(bytes, rejections), accept: () => accept("protobuf", rejections) }
}

const readJson = (bytes: Buffer): Sent | Refusal => {
  const request = OtlpJson.parseRequest(bytes.toString("utf8"))
  if (typeof request === "string") return { reason: "malformed", message: request }
  if (OtlpJson.countRecords(request) > eventsMax) return tooMany()
  const rejections = new Rejections()
  return { events: OtlpJson.readRecords(request, rejections), accept: () => accept("json", rejections) }
}

const writingOf = (asked: Asked): Writing | undefined => {
  const type = mediaType(asked)
  if (type === "application/x-protobuf" || type === "application/protobuf") return "protobuf"
  return type === "application/json" ? "json" : undefined
}

/** Where the exporter's base URL is `…/v1/otlp`, or where it sends signals of its own accord. */
const paths = new Set(["/v1/otlp/v1/logs", "/otlp/v1/logs"])

/**
 * /v1/logs is Loglytics' own door. Protobuf can only be OTLP there; JSON is when an OpenTelemetry SDK or collector says that
 * it is the sender.
 */
const meantForOtlp = (asked: Asked, writing: Writing | undefined): boolean =>
  asked.path === "/v1/logs" &&
  (writing === "protobuf" ||
    (writing === "json" && /^(?:otel|opentelemetry)/iu.test(asked.headers["user-agent"] ?? "")))

const door = (asked: Asked): Door | undefined => {
  if (asked.method !== "POST") return undefined
  const writing = writingOf(asked)
  if (!paths.has(asked.path) && !meantForOtlp(asked, writing)) return undefined
  if (writing === undefined) {
    const got = asked.headers["content-type"] ?? "none"
    const message = `Content-Type: expected application/x-protobuf or application/json, got ${got.slice(0, 100)}`
    const refused = refuse("json")
    return { refuse: refused, read: () => ({ reason: "unsupported", message }) }
  }
  return { refuse: refuse(writing), read: ({ bytes }) => (writing === "json" ? readJson(bytes) : readWire(bytes)) }
}

export const otlp: Protocol = { name: "otlp", door }
