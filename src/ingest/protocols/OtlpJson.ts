/**
 * Reads an ExportLogsServiceRequest in JSON as OTLP writes it: camelCase (snake_case is read too), ids in hex of any case
 * (base64 too, as protobuf's own JSON has them), 64-bit numbers as text or number, unknown fields passed over. A record that
 * is none is rejected alone.
 */
import type { SentEvent } from "../../domain/SentEvent.ts"
import { cleanValue, depthMax } from "../../parse/Clean.ts"
import { eventOf, type Origin, originOf, type OtlpRecord } from "./OtlpRecord.ts"
import type { Rejections } from "./Rejections.ts"
import { Attributes, bounded, hexId, isObject, type Json, msOfNanos, shown, textOf } from "./Values.ts"
import { exact } from "./Wire.ts"

/** Elements of one array that are kept. */
const elementsMax = 1_000

/** A field by its camelCase name, or as its protobuf file spells it. */
const get = (object: Json, name: string): unknown => {
  const value = Object.hasOwn(object, name) ? object[name] : undefined
  if (value !== undefined) return value
  const snake = name.replace(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`)
  return Object.hasOwn(object, snake) ? object[snake] : undefined
}

const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])
const integer = (value: unknown): unknown =>
  (typeof value === "string" && /^-?\d{1,20}$/u.test(value)) || typeof value === "number" ? exact(value) : value

const anyValue = (value: unknown, depth: number): unknown => {
  // Not as the specification has it, yet senders do it: the plain value.
  if (!isObject(value)) return cleanValue(value)
  const text = get(value, "stringValue")
  if (text !== undefined) return textOf(text)
  const int = get(value, "intValue")
  if (int !== undefined) return cleanValue(integer(int))
  const array = get(value, "arrayValue")
  if (isObject(array)) {
    if (depth >= depthMax) return "[…]"
    return list(array["values"])
      .slice(0, elementsMax)
      .map((one) => anyValue(one, depth + 1) ?? null)
  }
  const fields = get(value, "kvlistValue")
  if (isObject(fields)) return depth >= depthMax ? "{…}" : keyValues(fields["values"], depth + 1)
  return cleanValue(get(value, "boolValue") ?? get(value, "doubleValue") ?? get(value, "bytesValue"))
}

const keyValues = (value: unknown, depth: number): Json => {
  const into = new Attributes()
  for (const one of list(value)) {
    if (isObject(one) && typeof one["key"] === "string") into.put(one["key"], anyValue(one["value"], depth) ?? "")
  }
  return into.end()
}

const severityNames = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]

/** The number of a severity, given as such or by its name in the protobuf file: SEVERITY_NUMBER_INFO2. */
const severityOf = (value: unknown): number => {
  if (typeof value === "number") return value
  const named = /^(?:SEVERITY_NUMBER_)?([A-Z]{4,5})([2-4]?)$/u.exec(typeof value === "string" ? value.slice(0, 32) : "")
  const index = severityNames.indexOf(named?.[1] ?? "")
  if (index >= 0) return index * 4 + Number(named?.[2] || 1)
  return typeof value === "string" && /^\d{1,2}$/u.test(value) ? Number(value) : 0
}

/** The record, or what is wrong with it. */
const readRecord = (record: unknown): OtlpRecord | string => {
  if (!isObject(record)) return `expected a log record, got ${shown(record)}`
  const time = msOfNanos(get(record, "timeUnixNano"))
  const observed = msOfNanos(get(record, "observedTimeUnixNano"))
  if (Number.isNaN(time) || Number.isNaN(observed)) {
    const wrong = get(record, Number.isNaN(time) ? "timeUnixNano" : "observedTimeUnixNano")
    return `timeUnixNano: expected nanoseconds since 1970, got ${shown(wrong)}`
  }
  return {
    time: time ?? observed,
    severityNumber: severityOf(get(record, "severityNumber")),
    severityText: textOf(get(record, "severityText")),
    body: anyValue(get(record, "body"), 0) ?? undefined,
    attributes: keyValues(record["attributes"], 1),
    traceId: hexId(get(record, "traceId"), 16),
    spanId: hexId(get(record, "spanId"), 8),
    eventName: textOf(get(record, "eventName"))
  }
}

/** Resources, scopes and records of a request, floor by floor. */
const scopesOf = function* (request: Json) {
  for (const resourceLogs of list(get(request, "resourceLogs"))) {
    if (!isObject(resourceLogs)) continue
    const resource = resourceLogs["resource"]
    let shared: Json | undefined
    for (const scopeLogs of list(get(resourceLogs, "scopeLogs"))) {
      if (!isObject(scopeLogs)) continue
      const records = list(get(scopeLogs, "logRecords"))
      const origin = (): Origin => {
        shared ??= bounded(isObject(resource) ? keyValues(resource["attributes"], 1) : {})
        const scope = isObject(scopeLogs["scope"]) ? scopeLogs["scope"] : {}
        return originOf(shared, {
          name: textOf(scope["name"]),
          version: textOf(scope["version"]),
          attributes: keyValues(scope["attributes"], 1)
        })
      }
      yield { records, origin }
    }
  }
}

/** The request that a text is, or what is wrong with it. */
export const parseRequest = (text: string): Json | string => {
  let request: unknown
  try {
    request = text.trim() === "" ? {} : JSON.parse(text)
  } catch (error) {
    return `expected an ExportLogsServiceRequest in JSON, got a text that is none: ${(error as Error).message}`
  }
  if (!isObject(request)) return "expected an ExportLogsServiceRequest in JSON, got a value that is no object"
  const resources = get(request, "resourceLogs")
  return resources === undefined || resources === null || Array.isArray(resources)
    ? request
    : "resourceLogs: expected an array, got something else"
}

export const countRecords = (request: Json): number => {
  let count = 0
  for (const { records } of scopesOf(request)) count += records.length
  return count
}

/** The events of a request. */
export const readRecords = function* (request: Json, rejections: Rejections): Generator<SentEvent | undefined> {
  let number = 0
  for (const { origin, records } of scopesOf(request)) {
    let from: Origin | undefined
    for (const one of records) {
      number++
      const record = readRecord(one)
      if (typeof record === "string") {
        rejections.add(number, record)
        yield undefined
      } else yield eventOf(record, (from ??= origin()))
    }
  }
}
