/**
 * What OpenTelemetry's log records mean, whichever way they were written: from a record and where it comes from (resource
 * and scope) to an event. Attributes of the record win over the scope's, and these over the resource's.
 */
import { fromName, fromSeverity, type Level } from "../../domain/Level.ts"
import type { SentEvent } from "../../domain/SentEvent.ts"
import { Attributes, bounded, isObject, type Json } from "./Values.ts"

/** A log record with its values already plain. */
export interface OtlpRecord {
  /** Epoch ms; undefined when not known. */
  readonly time: number | undefined
  readonly severityNumber: number
  readonly severityText: string
  readonly body: unknown
  readonly attributes: Json
  readonly traceId: string | undefined
  readonly spanId: string | undefined
  readonly eventName: string
}

/** What the records of one scope share. */
export interface Origin {
  readonly service: string | undefined
  readonly attributes: Json
}

/** What a resource and one of its scopes say. */
export const originOf = (
  resource: Json,
  scope: { readonly name: string; readonly version: string; readonly attributes: Json }
): Origin => {
  const all = new Attributes()
  for (const name of Object.keys(resource)) if (name !== "service.name") all.put(name, resource[name])
  if (scope.name !== "") all.put("otel.scope.name", scope.name)
  if (scope.version !== "") all.put("otel.scope.version", scope.version)
  for (const name of Object.keys(scope.attributes)) all.put(name, scope.attributes[name])
  const service = resource["service.name"]
  return {
    service: typeof service === "string" && service !== "" ? service : undefined,
    attributes: bounded(all.end())
  }
}

const levelOf = (number: number, text: string): Level | undefined => {
  if (number >= 1 && number <= 24) return fromSeverity(number)
  return text === "" || text.length > 32 ? undefined : fromName(text.trim())
}

/**
 * The event of a record. A body of text is the message; where the record says nothing else about itself (a collector that
 * reads files, Fluent Bit) it is a raw line, and the formats are asked. A body of fields is read as a line of JSON.
 */
export const eventOf = (record: OtlpRecord, origin: Origin): SentEvent => {
  const { body, severityNumber, severityText } = record
  const level = levelOf(severityNumber, severityText)
  const attributes = new Attributes()
  for (const name of Object.keys(origin.attributes)) attributes.put(name, origin.attributes[name])
  for (const name of Object.keys(record.attributes)) attributes.put(name, record.attributes[name])
  if (record.eventName !== "") attributes.put("event.name", record.eventName)
  const service = attributes.values["service.name"]
  if (typeof service === "string") delete attributes.values["service.name"]
  const bare = level === undefined && record.eventName === "" && typeof body === "string"
  const text = typeof body === "string" ? body : body === undefined ? record.eventName : JSON.stringify(body)
  return {
    time: record.time,
    level,
    service: typeof service === "string" && service !== "" ? service : origin.service,
    ...(bare || isObject(body) ? { line: text } : { message: text }),
    attributes: attributes.end(),
    traceId: record.traceId,
    spanId: record.spanId
  }
}
