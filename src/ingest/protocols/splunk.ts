/**
 * Splunk's HTTP Event Collector: events as JSON objects one after the other, or raw lines. Answers with the codes that its
 * documentation gives. An event that is none is told by its number after all others were taken.
 */
import type { SentEvent } from "../../domain/SentEvent.ts"
import {
  type Asked,
  type Door,
  eventsMax,
  jsonReply,
  type Protocol,
  type Reason,
  type Refusal,
  type Reply,
  type Sent,
  tooMany
} from "../Protocol.ts"
import { JsonSplitter } from "./JsonSplitter.ts"
import { eachLine } from "./Lines.ts"
import { lineMax } from "./ndjson.ts"
import { Rejections } from "./Rejections.ts"
import { Attributes, isObject, type Json, levelOf, msOfEpoch, textOf } from "./Values.ts"

interface Code {
  readonly status: number
  readonly code: number
  readonly text: string
}

const codes: Readonly<Record<Reason, Code>> = {
  "no key": { status: 401, code: 2, text: "Token is required" },
  "wrong key": { status: 403, code: 4, text: "Invalid token" },
  forbidden: { status: 403, code: 4, text: "Invalid token" },
  "no project": { status: 400, code: 7, text: "Incorrect index" },
  malformed: { status: 400, code: 6, text: "Invalid data format" },
  unsupported: { status: 415, code: 6, text: "Invalid data format" },
  "too large": { status: 413, code: 27, text: "Request entity too large" },
  busy: { status: 503, code: 9, text: "Server is busy" },
  unavailable: { status: 503, code: 8, text: "Internal server error" }
}
const noData: Code = { status: 400, code: 5, text: "No data" }
const noEvent: Code = { status: 400, code: 12, text: "Event field is required" }
const blankEvent: Code = { status: 400, code: 13, text: "Event field cannot be blank" }

const answer = ({ code, status, text }: Code, more: Json = {}): Reply => jsonReply(status, { text, code, ...more })
const success = answer({ status: 200, code: 0, text: "Success" })

const refuse = ({ at, message, reason }: Refusal): Reply =>
  answer(codes[reason], { ...(at === undefined ? {} : { "invalid-event-number": at }), detail: message })

/** What an envelope (or the query of raw lines) says of all its events. */
const aboutOf = (fields: Json): Pick<SentEvent, "time" | "level" | "service" | "attributes"> => {
  const attributes = new Attributes()
  const extra = isObject(fields["fields"]) ? fields["fields"] : {}
  for (const name of Object.keys(extra)) attributes.put(name, extra[name])
  for (const [name, key] of [
    ["host.name", "host"],
    ["source", "source"],
    ["sourcetype", "sourcetype"],
    ["index", "index"]
  ] as const) {
    if (fields[key] !== undefined && fields[key] !== null && fields[key] !== "")
      attributes.put(name, textOf(fields[key]))
  }
  const said = (...names: ReadonlyArray<string>) =>
    names.map((name) => attributes.values[name]).find((value) => typeof value === "string" && value !== "")
  const service = said("service.name", "service") as string | undefined
  const level = levelOf(said("severity", "level", "log_level"))
  return { time: msOfEpoch(fields["time"]), level, service, attributes: attributes.end() }
}

const eventOf = (envelope: Json): SentEvent | Code => {
  const { event } = envelope
  if (event === undefined || event === null) return noEvent
  if (event === "") return blankEvent
  return { ...aboutOf(envelope), line: textOf(event) }
}

const readEvents = (bytes: Buffer): Sent | Refusal => {
  const rejections = new Rejections()
  const splitter = new JsonSplitter(rejections, lineMax)
  let fault: { readonly code: Code; readonly at: number } | undefined
  let seen = 0
  const events = function* (): Generator<SentEvent | undefined> {
    for (const text of pieces(splitter, bytes)) {
      if (seen >= eventsMax) {
        fault = { code: codes["too large"], at: seen }
        return
      }
      const envelope = objectOf(text)
      const event = envelope === undefined ? codes.malformed : eventOf(envelope)
      const wrong = "code" in event
      if (wrong) fault ??= { code: event, at: seen }
      yield wrong ? undefined : event
      seen++
    }
  }
  if (bytes.length === 0) return { events: [], accept: () => answer(noData) }
  return {
    events: events(),
    accept: () => {
      const first = rejections.list[0]
      if (fault !== undefined) return answer(fault.code, { "invalid-event-number": fault.at })
      if (first !== undefined) {
        return answer(codes.malformed, { "invalid-event-number": first.line - 1, detail: first.reason })
      }
      return seen === 0 ? answer(noData) : success
    }
  }
}

const objectOf = (text: string): Json | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Bytes that are split at a time. */
const step = 64 * 1024

const pieces = function* (splitter: JsonSplitter, bytes: Buffer): Generator<string> {
  for (let at = 0; at < bytes.length; at += step) yield* splitter.push(bytes.subarray(at, at + step))
  yield* splitter.end()
}

const readRaw = (bytes: Buffer, query: URLSearchParams): Sent | Refusal => {
  let count = 0
  for (const _ of eachLine(bytes)) if (++count > eventsMax) return tooMany()
  const about = aboutOf(
    Object.fromEntries(["time", "host", "source", "sourcetype", "index"].map((k) => [k, query.get(k)]))
  )
  const events = function* (): Generator<SentEvent> {
    for (const [start, end] of eachLine(bytes)) yield { ...about, line: bytes.toString("utf8", start, end) }
  }
  return { events: events(), accept: () => (count === 0 ? answer(noData) : success) }
}

const door = ({ method, path, query }: Asked): Door | undefined => {
  const found = /^\/services\/collector(?:\/(event|raw|health))?(?:\/1\.0)?$/u.exec(path)
  if (found === null) return undefined
  if (found[1] === "health") {
    return { open: true, refuse, reply: answer({ status: 200, code: 17, text: "HEC is healthy" }) }
  }
  if (method !== "POST") return undefined
  return { refuse, read: ({ bytes }) => (found[1] === "raw" ? readRaw(bytes, query) : readEvents(bytes)) }
}

export const splunk: Protocol = { name: "splunk", door }
