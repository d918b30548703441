/**
 * Lines of JSON whose shape says who wrote them: each is turned into fields of the usual names, which Fields.ts then
 * reads. A shape only renames and lifts; what it does not know stays as it is.
 */
import type { Fields } from "./Fields.ts"
import { levelOfSyslog } from "./Fields.ts"
import { levelOfStatus, putTarget } from "./Http.ts"
import { putEndpoint } from "./Scan.ts"

type Out = Record<string, unknown>
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

const without = (fields: Fields, ...keys: ReadonlyArray<string>): Out => {
  const rest: Out = { ...fields }
  for (const key of keys) delete rest[key]
  return rest
}
const put = (out: Out, name: string, value: unknown): void => {
  if (value !== undefined && value !== null && value !== "") out[name] = value
}
const client = (out: Out, value: unknown): void => {
  if (typeof value === "string" && value !== "") putEndpoint(out, "client", value)
}

/** GELF: syslog's levels, seconds with a fraction, and extra fields behind an underscore. */
const gelf = (fields: Fields): Fields => {
  const out: Out = {}
  for (const [key, value] of Object.entries(fields)) {
    if (key === "short_message" || key === "full_message" || key === "version") continue
    out[key.startsWith("_") && key.length > 1 ? key.slice(1) : key] = value
  }
  const [short, full] = [String(fields["short_message"]), text(fields["full_message"])]
  // The full text mostly opens with the short one.
  out["message"] = full !== undefined && full.startsWith(short) ? full : short
  if (full !== undefined && !full.startsWith(short)) out["full_message"] = full
  const level = fields["level"]
  if (typeof level === "number") out["level"] = levelOfSyslog(level) ?? level
  return out
}

const journalNames: Readonly<Record<string, string>> = {
  _HOSTNAME: "host.name",
  _PID: "process.pid",
  _EXE: "process.executable.path",
  _CMDLINE: "process.command_line",
  _UID: "user.id",
  _SYSTEMD_UNIT: "systemd.unit",
  CODE_FILE: "code.file.path",
  CODE_LINE: "code.line.number",
  CODE_FUNC: "code.function.name"
}
/** Fields that say how the journal keeps the line, not what it says. */
const journalOwn = new Set("__CURSOR __MONOTONIC_TIMESTAMP _BOOT_ID _MACHINE_ID _SOURCE_REALTIME_TIMESTAMP".split(" "))

/** `journalctl -o json`: microseconds, priorities, and messages as bytes where they are not UTF-8. */
const journal = (fields: Fields): Fields => {
  const out: Out = {}
  for (const [key, value] of Object.entries(fields)) {
    if (key === "MESSAGE" || key === "PRIORITY" || key === "__REALTIME_TIMESTAMP" || journalOwn.has(key)) continue
    const known = Object.hasOwn(journalNames, key) ? journalNames[key]! : key
    out[known] = known === "process.pid" && /^\d{1,10}$/u.test(String(value)) ? Number(value) : value
  }
  out["time"] = fields["__REALTIME_TIMESTAMP"] ?? fields["_SOURCE_REALTIME_TIMESTAMP"]
  put(out, "level", levelOfSyslog(Number(fields["PRIORITY"])))
  const message = fields["MESSAGE"]
  out["message"] = Array.isArray(message)
    ? Buffer.from(message.filter((byte): byte is number => typeof byte === "number"))
        .toString("utf8")
        .replaceAll("\0", "")
    : message
  const unit = text(fields["_SYSTEMD_UNIT"])?.replace(/\.service$/u, "")
  put(out, "service", text(fields["SYSLOG_IDENTIFIER"]) ?? text(fields["_COMM"]) ?? unit)
  delete out["SYSLOG_IDENTIFIER"]
  return out
}

const cloudTrail = (fields: Fields): Fields => {
  const out = without(
    fields,
    "eventTime",
    "eventName",
    "eventSource",
    "sourceIPAddress",
    "awsRegion",
    "recipientAccountId"
  )
  const [name, source, error] = [text(fields["eventName"]), text(fields["eventSource"]), text(fields["errorCode"])]
  const failure = text(fields["errorMessage"])
  out["time"] = fields["eventTime"]
  out["level"] = error === undefined && failure === undefined ? "info" : "warn"
  out["service"] = source
  const detail = error === undefined ? (failure === undefined ? "" : `: ${failure}`) : ` ${error}: ${failure ?? ""}`
  out["message"] = `${source} ${name}${detail}`.trimEnd()
  put(out, "event.name", name)
  put(out, "cloud.region", fields["awsRegion"])
  put(out, "cloud.account.id", fields["recipientAccountId"])
  client(out, fields["sourceIPAddress"])
  if (isObject(fields["userIdentity"])) put(out, "user.name", fields["userIdentity"]["userName"])
  return out
}

const duration = /^(\d{1,9}(?:\.\d{1,9})?)s$/u
const gcpRequest = (out: Out, request: Fields): void => {
  put(out, "http.request.method", request["requestMethod"])
  const url = text(request["requestUrl"])
  if (url !== undefined) putTarget(out, url)
  const status = Number(request["status"])
  if (status > 0) out["http.response.status_code"] = status
  client(out, request["remoteIp"])
  put(out, "user_agent.original", request["userAgent"])
  put(out, "http.request.header.referer", request["referer"])
  const [asked, sent] = [Number(request["requestSize"]), Number(request["responseSize"])]
  if (asked > 0) out["http.request.size"] = asked
  if (sent > 0) out["http.response.size"] = sent
  const taken = duration.exec(String(request["latency"] ?? ""))
  if (taken !== null) out["duration_ms"] = Math.round(Number(taken[1]) * 1e6) / 1e3
}

const gcpLabels: Readonly<Record<string, string>> = {
  project_id: "cloud.account.id",
  location: "cloud.region",
  region: "cloud.region",
  zone: "cloud.availability_zone",
  cluster_name: "k8s.cluster.name",
  namespace_name: "k8s.namespace.name",
  pod_name: "k8s.pod.name",
  container_name: "k8s.container.name",
  instance_id: "host.id"
}

/** Google's LogEntry. */
const gcp = (fields: Fields): Fields => {
  const payload = isObject(fields["jsonPayload"]) ? fields["jsonPayload"] : {}
  const out: Out = {
    ...payload,
    ...without(fields, "jsonPayload", "textPayload", "httpRequest", "resource", "receiveTimestamp")
  }
  out["time"] = fields["timestamp"] ?? fields["receiveTimestamp"]
  delete out["timestamp"]
  put(out, "message", text(fields["textPayload"]) ?? text(payload["message"]) ?? text(payload["msg"]))
  if (isObject(fields["httpRequest"])) gcpRequest(out, fields["httpRequest"])
  const resource = isObject(fields["resource"]) ? fields["resource"] : {}
  put(out, "gcp.resource.type", resource["type"])
  const labels = isObject(resource["labels"]) ? resource["labels"] : {}
  for (const [key, value] of Object.entries(labels)) put(out, gcpLabels[key] ?? `gcp.resource.labels.${key}`, value)
  const names = ["service_name", "function_name", "container_name", "module_id", "job_name"]
  const service = text(payload["service"]) ?? names.map((name) => text(labels[name])).find((name) => name !== undefined)
  put(out, "service", service)
  return out
}

/** Azure's resource logs. */
const azure = (fields: Fields): Fields => {
  const out = without(fields, "callerIpAddress", "resourceId", "location", "durationMs", "operationName")
  const properties = isObject(fields["properties"]) ? fields["properties"] : {}
  const resource = text(fields["resourceId"])
  put(out, "cloud.resource_id", resource)
  put(out, "cloud.region", fields["location"])
  put(out, "event.name", fields["operationName"])
  if (Number(fields["durationMs"]) >= 0 && fields["durationMs"] !== "")
    out["duration_ms"] = Number(fields["durationMs"])
  client(out, fields["callerIpAddress"] ?? properties["clientIP"] ?? properties["clientIp"])
  out["service"] = resource?.slice(resource.lastIndexOf("/") + 1) || text(fields["category"])
  const said =
    text(properties["message"]) ??
    text(properties["log"]) ??
    text(properties["Message"]) ??
    text(fields["resultDescription"])
  const operation = text(fields["operationName"])
  put(
    out,
    "message",
    said ?? `${operation ?? String(fields["category"])} ${text(fields["resultType"]) ?? ""}`.trimEnd()
  )
  return out
}

/** What AWS Lambda itself reports in its JSON format. */
const lambda = (fields: Fields): Fields => {
  const record = isObject(fields["record"]) ? fields["record"] : {}
  const out = without(fields, "record", "type")
  for (const [key, value] of Object.entries(record)) out[key === "requestId" ? "faas.invocation_id" : key] = value
  if (isObject(record["metrics"]) && typeof record["metrics"]["durationMs"] === "number") {
    out["duration_ms"] = record["metrics"]["durationMs"]
  }
  const status = text(record["status"])
  out["level"] = status === undefined || status === "success" ? "info" : "error"
  out["message"] = `${String(fields["type"])}${status === undefined ? "" : ` ${status}`}`
  out["event.name"] = fields["type"]
  return out
}

const mongo = (fields: Fields): Fields => {
  const attr = isObject(fields["attr"]) ? fields["attr"] : {}
  const out: Out = { ...without(fields, "attr", "ctx", "id", "remote") }
  put(out, "thread.name", fields["ctx"])
  put(out, "event.id", fields["id"])
  client(out, attr["remote"] ?? attr["client"])
  if (typeof attr["durationMillis"] === "number") out["duration_ms"] = attr["durationMillis"]
  if (Object.keys(attr).length > 0) out["attr"] = attr
  return out
}

const caddy = (fields: Fields): Fields => {
  const request = fields["request"] as Fields
  const out = without(fields, "request", "status", "size", "duration")
  client(out, request["client_ip"] ?? request["remote_ip"])
  const port = Number(request["remote_port"])
  if (port > 0) out["client.port"] = port
  put(out, "http.request.method", request["method"])
  put(out, "server.address", request["host"])
  if (typeof request["uri"] === "string") putTarget(out, request["uri"])
  const headers = isObject(request["headers"]) ? request["headers"] : {}
  const agent = headers["User-Agent"]
  put(out, "user_agent.original", Array.isArray(agent) ? agent[0] : agent)
  const [protocol, version] = (text(request["proto"]) ?? "").split("/")
  put(out, "network.protocol.name", protocol?.toLowerCase())
  put(out, "network.protocol.version", version)
  put(out, "http.response.status_code", fields["status"])
  put(out, "http.response.body.size", fields["size"])
  if (typeof fields["duration"] === "number") out["duration_ms"] = Math.round(fields["duration"] * 1e6) / 1e3
  return out
}

const traefik = (fields: Fields): Fields => {
  const out = without(
    fields,
    "ClientHost",
    "ClientAddr",
    "RequestMethod",
    "RequestPath",
    "DownstreamStatus",
    "Duration",
    "StartUTC",
    "StartLocal"
  )
  put(out, "time", fields["StartUTC"] ?? fields["time"])
  client(out, fields["ClientAddr"] ?? fields["ClientHost"])
  put(out, "http.request.method", fields["RequestMethod"])
  putTarget(out, String(fields["RequestPath"]))
  put(out, "http.response.status_code", fields["DownstreamStatus"])
  if (typeof fields["Duration"] === "number") out["duration_ms"] = fields["Duration"] / 1e6
  return out
}

const suricata = (fields: Fields): Fields => {
  const out = without(fields, "src_ip", "src_port", "dest_ip", "dest_port", "proto")
  put(out, "source.address", fields["src_ip"])
  put(out, "source.port", fields["src_port"])
  put(out, "destination.address", fields["dest_ip"])
  put(out, "destination.port", fields["dest_port"])
  put(out, "network.transport", text(fields["proto"])?.toLowerCase())
  return out
}

/** Audits of Kubernetes' API server. */
const kubernetesAudit = (fields: Fields): Fields => {
  const out = without(fields, "level", "requestReceivedTimestamp", "sourceIPs", "userAgent")
  const [user, object, response] = [fields["user"], fields["objectRef"], fields["responseStatus"]].map((part) =>
    isObject(part) ? part : {}
  ) as [Fields, Fields, Fields]
  out["time"] = fields["requestReceivedTimestamp"] ?? fields["stageTimestamp"]
  out["service"] = "kube-apiserver"
  put(out, "audit.level", fields["level"])
  put(out, "user.name", user["username"])
  if (Array.isArray(fields["sourceIPs"])) client(out, fields["sourceIPs"][0])
  put(out, "user_agent.original", fields["userAgent"])
  put(out, "k8s.namespace.name", object["namespace"])
  const status = Number(response["code"])
  if (status >= 100) out["http.response.status_code"] = status
  out["level"] = status >= 100 ? levelOfStatus(status) : "info"
  if (typeof fields["requestURI"] === "string") putTarget(out, fields["requestURI"])
  const named = [object["resource"], object["name"]].map(text).filter((part) => part !== undefined)
  out["message"] =
    `${text(user["username"]) ?? "somebody"} ${String(fields["verb"])} ${named.join("/")}${status >= 100 ? ` ${status}` : ""}`
  return out
}

/** Datadog's own: the level is the status. */
const datadog = (fields: Fields): Fields =>
  typeof fields["status"] === "string" && fields["level"] === undefined
    ? { ...without(fields, "status"), level: fields["status"] }
    : fields

const ecsClient = (fields: Fields): Fields => {
  const side = isObject(fields["client"]) ? fields["client"] : fields["source"]
  if (!isObject(side) || typeof side["ip"] !== "string") return fields
  const out: Out = { ...fields }
  client(out, side["ip"])
  return out
}

const kubernetesNames: Readonly<Record<string, string>> = {
  pod_name: "k8s.pod.name",
  namespace_name: "k8s.namespace.name",
  container_name: "k8s.container.name",
  host: "k8s.node.name",
  docker_id: "container.id"
}
/** The metadata that Fluent Bit and Fluentd add, flat; labels and annotations stay as they are. */
export const kubernetesOf = (metadata: Fields): Out => {
  const out: Out = {}
  for (const [key, value] of Object.entries(metadata)) put(out, kubernetesNames[key] ?? `kubernetes.${key}`, value)
  return out
}

/** The fields of a line of JSON, with those of a known writer under the usual names. */
export const shaped = (fields: Fields): Fields => {
  if (fields["short_message"] !== undefined) return gelf(fields)
  if (fields["__REALTIME_TIMESTAMP"] !== undefined) return journal(fields)
  if (fields["eventSource"] !== undefined && fields["eventName"] !== undefined) return cloudTrail(fields)
  if (fields["insertId"] !== undefined || fields["textPayload"] !== undefined || isObject(fields["jsonPayload"]))
    return gcp(fields)
  if (fields["auditID"] !== undefined && fields["stage"] !== undefined) return kubernetesAudit(fields)
  if (fields["category"] !== undefined && fields["resourceId"] !== undefined) return azure(fields)
  if (typeof fields["type"] === "string" && fields["type"].startsWith("platform.") && isObject(fields["record"]))
    return lambda(fields)
  if (isObject(fields["t"]) && fields["s"] !== undefined) return mongo(fields)
  if (fields["RequestMethod"] !== undefined && typeof fields["RequestPath"] === "string") return traefik(fields)
  if (isObject(fields["request"]) && fields["request"]["uri"] !== undefined && fields["status"] !== undefined)
    return caddy(fields)
  if (fields["src_ip"] !== undefined && fields["event_type"] !== undefined) return suricata(fields)
  if (fields["ddsource"] !== undefined) return datadog(fields)
  if (isObject(fields["client"]) || isObject(fields["source"])) return ecsClient(fields)
  return fields
}
