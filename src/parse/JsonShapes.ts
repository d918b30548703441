/**
 * Lines of JSON whose shape says who wrote them: each is turned into fields of the usual names, which Fields.ts then
 * reads. A shape only renames and lifts; what it does not know stays as it is.
 */
import { azure, cloudTrail, datadog, gcp, kubernetesAudit, lambda } from "./CloudShapes.ts"
import { type Fields, levelOfSyslog } from "./Fields.ts"
import { putTarget } from "./Http.ts"
import { type Out, client, isObject, put, text, without } from "./Shape.ts"

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

const ecsClient = (fields: Fields): Fields => {
  const side = isObject(fields["client"]) ? fields["client"] : fields["source"]
  const ip = isObject(side) ? (side["ip"] ?? side["ipAddress"]) : undefined
  if (typeof ip !== "string") return fields
  const out: Out = { ...fields }
  client(out, ip)
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
