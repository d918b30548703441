/** Lines of JSON that clouds write, turned into fields of the usual names; JsonShapes.ts tells which are whose. */
import type { Fields } from "./Fields.ts"
import { levelOfStatus, putTarget } from "./Http.ts"
import { type Out, client, isObject, put, text, without } from "./Shape.ts"

/** AWS CloudTrail. */
export const cloudTrail = (fields: Fields): Fields => {
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
export const gcp = (fields: Fields): Fields => {
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
export const azure = (fields: Fields): Fields => {
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
export const lambda = (fields: Fields): Fields => {
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

/** Audits of Kubernetes' API server. */
export const kubernetesAudit = (fields: Fields): Fields => {
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
export const datadog = (fields: Fields): Fields =>
  typeof fields["status"] === "string" && fields["level"] === undefined
    ? { ...without(fields, "status"), level: fields["status"] }
    : fields
