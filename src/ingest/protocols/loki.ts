/**
 * Loki's push: JSON, or protobuf in snappy's block format. Labels become service, level and attributes; a line is raw text
 * that the formats read. Entries that are none are told in a 400 after all others were taken, as Loki does.
 */
import type { SentEvent } from "../../domain/SentEvent.ts"
import {
  type Door,
  eventsMax,
  mediaType,
  type Protocol,
  type Refusal,
  type Reply,
  type Sent,
  statusOf,
  tooMany
} from "../Protocol.ts"
import { fromLabels, readLabels } from "./Labels.ts"
import { countEntries, type Entry, readEntries } from "./LokiWire.ts"
import { Rejections } from "./Rejections.ts"
import { unpackSnappy } from "./Snappy.ts"
import { isObject, type Json, msOfNanos, shown, textOf } from "./Values.ts"

const plain = (status: number, body: string): Reply => ({
  status,
  headers: { "content-type": "text/plain; charset=utf-8" },
  body
})

const refuse = ({ message, reason }: Refusal): Reply => plain(statusOf[reason], `${message}\n`)

const accept = ({ list, total }: Rejections): Reply => {
  if (total === 0) return { status: 204, headers: {}, body: "" }
  const faults = list.slice(0, 3).map(({ line, reason }) => `entry ${line}: ${reason}`)
  return plain(400, `${total} entries were rejected, all others taken: ${faults.join("; ")}\n`)
}

/** An event of an entry; what its metadata says wins over its stream's labels. */
const eventOf = (shared: ReturnType<typeof fromLabels>, time: number | undefined, line: string, metadata: Json) => {
  const event: SentEvent = { ...shared, time, line }
  const names = Object.keys(metadata)
  if (names.length === 0) return event
  const own = fromLabels(metadata)
  return {
    ...event,
    level: own.level ?? shared.level,
    service: own.service ?? shared.service,
    traceId: own.traceId ?? shared.traceId,
    spanId: own.spanId ?? shared.spanId,
    attributes: { ...shared.attributes, ...own.attributes }
  }
}

const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** A stream of labels and values, or of labels and entries as the first version of the protocol had them. */
const partsOf = (stream: unknown) => {
  if (!isObject(stream)) return undefined
  const labels = stream["stream"] ?? stream["labels"]
  return {
    labels: () => fromLabels(typeof labels === "string" ? readLabels(labels) : isObject(labels) ? labels : {}),
    values: Array.isArray(stream["values"]) ? stream["values"] : list(stream["entries"])
  }
}

const readJsonEntries = function* (
  streams: ReadonlyArray<unknown>,
  rejections: Rejections
): Generator<SentEvent | undefined> {
  let number = 0
  for (const stream of streams) {
    const parts = partsOf(stream)
    let shared: ReturnType<typeof fromLabels> | undefined
    for (const value of parts?.values ?? []) {
      number++
      const fields = isObject(value) ? [value["ts"] ?? value["timestamp"], value["line"]] : value
      if (!Array.isArray(fields) || fields.length < 2) {
        rejections.add(number, `expected [time, line], got ${shown(value)}`)
        yield undefined
        continue
      }
      const [at, line, metadata] = fields as ReadonlyArray<unknown>
      const time = typeof at === "string" && at.includes("-") ? Date.parse(at) : msOfNanos(at)
      if (Number.isNaN(time)) {
        rejections.add(number, `expected nanoseconds since 1970, got ${shown(at)}`)
        yield undefined
        continue
      }
      shared ??= parts?.labels() ?? {}
      yield eventOf(shared, time, textOf(line), isObject(metadata) ? metadata : {})
    }
  }
}

const readJson = (bytes: Buffer): Sent | Refusal => {
  let request: unknown
  try {
    request = JSON.parse(bytes.toString("utf8"))
  } catch (error) {
    return { reason: "malformed", message: `expected a push request in JSON, got: ${(error as Error).message}` }
  }
  const streams = isObject(request) ? request["streams"] : undefined
  if (!Array.isArray(streams)) return { reason: "malformed", message: "streams: expected an array, got none" }
  if (streams.reduce((sum: number, one) => sum + (partsOf(one)?.values.length ?? 0), 0) > eventsMax) return tooMany()
  const rejections = new Rejections()
  return { events: readJsonEntries(streams, rejections), accept: () => accept(rejections) }
}

const eventsOfWire = function* (entries: Iterable<Entry | undefined>): Generator<SentEvent | undefined> {
  let labels: string | undefined
  let shared: ReturnType<typeof fromLabels> = {}
  for (const entry of entries) {
    if (entry === undefined) {
      yield undefined
      continue
    }
    if (entry.labels !== labels) {
      labels = entry.labels
      shared = fromLabels(readLabels(labels))
    }
    yield eventOf(shared, entry.time, entry.line, entry.metadata)
  }
}

const readProtobuf = (packed: Buffer, max: number): Sent | Refusal => {
  const bytes = unpackSnappy(packed, max)
  if (!Buffer.isBuffer(bytes)) return bytes
  const count = countEntries(bytes)
  if (typeof count !== "number") return count
  const rejections = new Rejections()
  return { events: eventsOfWire(readEntries(bytes, rejections)), accept: () => accept(rejections) }
}

const door: Protocol["door"] = (asked): Door | undefined => {
  if (asked.path === "/ready" && (asked.method === "GET" || asked.method === "HEAD")) {
    return { open: true, refuse, reply: plain(200, "ready\n") }
  }
  if (asked.method !== "POST" || (asked.path !== "/loki/api/v1/push" && asked.path !== "/api/prom/push"))
    return undefined
  const json = mediaType(asked) === "application/json"
  return {
    refuse,
    project: asked.headers["x-scope-orgid"],
    packings: ["snappy"],
    read: ({ bytes, max }) => (json ? readJson(bytes) : readProtobuf(bytes, max))
  }
}

export const loki: Protocol = { name: "loki", door }
