/** Datadog's logs intake: a JSON array of logs, or one of them. Tags become attributes, a message is raw text. */
import type { SentEvent } from "../../domain/SentEvent.ts"
import {
  type Door,
  eventsMax,
  jsonReply,
  type Protocol,
  type Refusal,
  type Reply,
  type Sent,
  statusOf,
  tooMany
} from "../Protocol.ts"
import { Rejections } from "./Rejections.ts"
import { Attributes, isObject, type Json, levelOf, msOfEpoch, shown, textOf } from "./Values.ts"

const refuse = ({ message, reason }: Refusal): Reply =>
  jsonReply(statusOf[reason], { errors: [{ status: String(statusOf[reason]), title: reason, detail: message }] })

const names: Readonly<Record<string, string>> = {
  hostname: "host.name",
  host: "host.name",
  env: "deployment.environment.name",
  version: "service.version"
}
const keep = (into: Attributes, name: string, value: unknown): void =>
  into.put(Object.hasOwn(names, name) ? names[name]! : name, value)

/** Fields that are understood, and no attributes. */
const understood = new Set(["message", "ddtags", "service", "status", "timestamp", "date"])

const eventOf = (log: Json): SentEvent => {
  const attributes = new Attributes()
  for (const tag of textOf(log["ddtags"]).slice(0, 16_384).split(",")) {
    const colon = tag.indexOf(":")
    if (colon > 0) keep(attributes, tag.slice(0, colon).trim(), tag.slice(colon + 1).trim())
  }
  for (const name of Object.keys(log)) if (!understood.has(name)) keep(attributes, name, log[name])
  const time = log["timestamp"] ?? log["date"]
  const iso = typeof time === "string" ? Date.parse(time) : Number.NaN
  return {
    time: Number.isNaN(iso) ? msOfEpoch(time) : iso,
    level: levelOf(log["status"]),
    service: textOf(log["service"]) || undefined,
    line: textOf(log["message"]),
    attributes: attributes.end()
  }
}

const read = (bytes: Buffer): Sent | Refusal => {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString("utf8"))
  } catch (error) {
    return { reason: "malformed", message: `expected JSON, got: ${(error as Error).message}` }
  }
  const logs: ReadonlyArray<unknown> = Array.isArray(value) ? value : [value]
  if (logs.length > eventsMax) return tooMany()
  const rejections = new Rejections()
  const events = function* (): Generator<SentEvent | undefined> {
    for (const [i, log] of logs.entries()) {
      if (!isObject(log)) rejections.add(i + 1, `expected a log, got ${shown(log)}`)
      yield isObject(log) ? eventOf(log) : undefined
    }
  }
  return {
    events: events(),
    accept: () => {
      const [first] = rejections.list
      if (first === undefined) return jsonReply(202, {})
      const message = `${rejections.total} logs were rejected, all others taken: log ${first.line}: ${first.reason}`
      return refuse({ reason: "malformed", message })
    }
  }
}

const door: Protocol["door"] = ({ method, path }): Door | undefined => {
  if (method === "GET" && path === "/api/v1/validate") return { refuse, reply: jsonReply(200, { valid: true }) }
  return method === "POST" && (path === "/api/v2/logs" || path === "/v1/input")
    ? { refuse, read: ({ bytes }) => read(bytes) }
    : undefined
}

export const datadog: Protocol = { name: "datadog", door }
