/** How an entry of Google Cloud Logging reads in our words. Pure, takes whatever stands there, never throws. */
import type { Level } from "../../domain/Level.ts"
import type { SentEvent } from "../../domain/SentEvent.ts"

type Json = Readonly<Record<string, unknown>>

/** As entries.list writes it (v2, JSON). */
export interface Entry {
  readonly logName?: string
  readonly insertId?: string
  readonly timestamp?: string
  readonly receiveTimestamp?: string
  readonly severity?: string | number
  readonly textPayload?: string
  readonly jsonPayload?: Json
  readonly protoPayload?: Json
  readonly resource?: { readonly type?: string; readonly labels?: Readonly<Record<string, string>> }
  readonly labels?: Readonly<Record<string, string>>
  readonly httpRequest?: Json
  readonly trace?: string
  readonly spanId?: string
  readonly sourceLocation?: Json
  readonly operation?: Json
}

/** An RFC 3339 time as epoch ms with a fraction; undefined where it is none. */
export const millisOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const whole = Date.parse(text)
  if (!Number.isFinite(whole)) return undefined
  const below = /\.\d{3}(\d{1,6})/u.exec(text)?.[1] ?? ""
  return whole + (below === "" ? 0 : Number(`0.${below}`))
}

const levels: Readonly<Record<string, Level>> = {
  DEBUG: "debug",
  INFO: "info",
  NOTICE: "info",
  WARNING: "warn",
  ERROR: "error",
  CRITICAL: "fatal",
  ALERT: "fatal",
  EMERGENCY: "fatal"
}
const byNumber = ["", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"]

const levelOf = (severity: string | number | undefined): Level | undefined =>
  levels[typeof severity === "number" ? (byNumber[severity / 100] ?? "") : (severity ?? "")]

/** Label of a resource → attribute. */
const resourceNames: Readonly<Record<string, string>> = {
  project_id: "cloud.account.id",
  location: "cloud.region",
  region: "cloud.region",
  zone: "cloud.availability_zone",
  instance_id: "host.id",
  cluster_name: "k8s.cluster.name",
  namespace_name: "k8s.namespace.name",
  pod_name: "k8s.pod.name",
  container_name: "k8s.container.name",
  version_id: "service.version",
  revision_name: "service.version"
}
/** The labels that name what runs, best first. */
const serviceLabels = ["service_name", "function_name", "module_id", "job_name", "container_name"]

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

/** "0.25s" in ms. */
const durationOf = (value: unknown): number | undefined => {
  const seconds = typeof value === "string" && value.endsWith("s") ? Number(value.slice(0, -1)) : Number.NaN
  return Number.isFinite(seconds) ? seconds * 1_000 : undefined
}
const numberOf = (value: unknown): number | undefined => {
  const number = typeof value === "string" && value !== "" ? Number(value) : value
  return typeof number === "number" && Number.isFinite(number) ? number : undefined
}

const requestOf = (request: Json): Json => {
  const [protocol, version] = (text(request["protocol"]) ?? "").split("/")
  return {
    "http.request.method": text(request["requestMethod"]),
    "url.full": text(request["requestUrl"]),
    "http.request.size": numberOf(request["requestSize"]),
    "http.response.status_code": numberOf(request["status"]),
    "http.response.body.size": numberOf(request["responseSize"]),
    "user_agent.original": text(request["userAgent"]),
    "client.address": text(request["remoteIp"]),
    "server.address": text(request["serverIp"]),
    "http.request.header.referer": text(request["referer"]),
    "network.protocol.name": text(protocol?.toLowerCase()),
    "network.protocol.version": text(version),
    duration_ms: durationOf(request["latency"])
  }
}

const sourceOf = (source: Json): Json => ({
  "code.file.path": text(source["file"]),
  "code.line.number": numberOf(source["line"]),
  "code.function.name": text(source["function"])
})

const hex = (value: string | undefined, length: number): string | undefined => {
  const last = value?.split("/").at(-1)?.toLowerCase()
  return last !== undefined && last.length === length && /^[0-9a-f]+$/u.test(last) ? last : undefined
}

const statusOf = (proto: Json): Json | undefined => {
  const status = proto["status"]
  return typeof status === "object" && status !== null ? (status as Json) : undefined
}

/** What the entry says, and what else it holds. */
const payloadOf = (entry: Entry): { readonly said: Pick<SentEvent, "line" | "message">; readonly rest: Json } => {
  if (entry.textPayload !== undefined) return { said: { line: entry.textPayload.replace(/\r?\n$/u, "") }, rest: {} }
  const { jsonPayload: json, protoPayload: proto } = entry
  if (json !== undefined) {
    const key = ["message", "msg", "textPayload", "log"].find((name) => text(json[name]) !== undefined)
    if (key === undefined) return { said: { message: JSON.stringify(json) }, rest: json }
    const { [key]: message, ...rest } = json
    return { said: { message: String(message) }, rest }
  }
  if (proto !== undefined) {
    const parts = [
      text(proto["serviceName"]),
      text(proto["methodName"]),
      text(proto["resourceName"]),
      text(statusOf(proto)?.["message"])
    ]
    const message = parts.filter((part) => part !== undefined).join(" ")
    return { said: { message: message === "" ? JSON.stringify(proto) : message }, rest: { protoPayload: proto } }
  }
  const { requestMethod = "", requestUrl = "", status = "" } = entry.httpRequest ?? {}
  return { said: { message: `${String(requestMethod)} ${String(requestUrl)} ${String(status)}`.trim() }, rest: {} }
}

const resourceOf = (labels: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [
      Object.hasOwn(resourceNames, name) ? resourceNames[name]! : `gcp.resource.labels.${name}`,
      value
    ])
  )

const without = (attributes: Json): Json =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined))

export const toEvent = (entry: Entry): SentEvent => {
  const { rest, said } = payloadOf(entry)
  const labels = entry.resource?.labels ?? {}
  const proto = entry.protoPayload
  const service =
    serviceLabels.map((name) => text(labels[name])).find((name) => name !== undefined) ?? text(proto?.["serviceName"])
  const time = millisOf(entry.timestamp) ?? millisOf(entry.receiveTimestamp)
  const level = levelOf(entry.severity)
  const traceId = hex(entry.trace, 32)
  const spanId = hex(entry.spanId, 16)
  return {
    ...said,
    ...(time === undefined ? {} : { time }),
    ...(level === undefined ? {} : { level }),
    ...(service === undefined ? {} : { service }),
    ...(traceId === undefined ? {} : { traceId }),
    ...(spanId === undefined ? {} : { spanId }),
    attributes: without({
      ...rest,
      ...resourceOf(labels),
      ...requestOf(entry.httpRequest ?? {}),
      ...sourceOf(entry.sourceLocation ?? {}),
      labels: entry.labels,
      "cloud.provider": "gcp",
      "gcp.log_name": entry.logName,
      "gcp.resource.type": entry.resource?.type,
      "gcp.insert_id": entry.insertId,
      "gcp.operation.id": entry.operation?.["id"]
    })
  }
}
