/**
 * From named fields (a JSON object, logfmt pairs) to an event: knows the names that loggers give to time, level, message,
 * service and trace ids. A field that is understood becomes that part of the event; all others, and those whose value
 * cannot be what their name says, stay attributes under their own names.
 */
import { type Level, fromSeverity } from "../domain/Level.ts"
import type { LogEvent } from "../domain/LogEvent.ts"
import { droppedKey, keysMax } from "./Clean.ts"
import { levelOfLetter, levelOfMessage, levelOfWord } from "./LevelWords.ts"
import { embedded } from "./Embedded.ts"
import { ownName } from "./Names.ts"
import { type Found, event } from "./Parser.ts"
import { endpointOf } from "./Scan.ts"
import { fromEpoch, timeOfText } from "./Time.ts"

export type Fields = Readonly<Record<string, unknown>>
type Role = "time" | "level" | "message" | "service" | "trace" | "span" | "parent"

/** Names as written after `plain`: lower case, without `_ - @ . $`. Earlier names of a role win over later ones. */
const names: Readonly<Record<Role, string>> = {
  time:
    "time timestamp ts datetime date eventtime eventtimestamp logtime logtimestamp timelocal timeiso8601 asctime t " +
    "timeunixnano observedtimeunixnano timemillis unixtime epoch created createdat startlocal starttime when requestreceivedtimestamp instant requesttime " +
    "querytimestamp edgestarttimestamp published timecreated",
  level:
    "level severity errorseverity lvl loglevel levelname leveldisplayname severitytext logseverity l severitynumber priority syslogseverity s levelvalue",
  message:
    "message msg shortmessage log event text body m renderedmessage fullmessage mt logmessage messagetemplate error err " +
    "description",
  service:
    "servicename service app application appname applicationname program appid syslogidentifier logger loggername " +
    "component module container containername unit systemdunit job process sourcecontext source category c name",
  trace:
    "traceid tracecontexttraceid xtraceid oteltraceid loggingtrace logginggoogleapiscom/trace traceparent " +
    "xamzntraceid xraytraceid trace",
  span: "spanid otelspanid loggingspanid logginggoogleapiscom/spanid",
  /** Objects that hold such fields themselves: ECS, nested OpenTelemetry. */
  parent: "log service trace span event resource logger otel meta"
}

interface Meaning {
  readonly role: Role | undefined
  readonly rank: number
  readonly parent: boolean
  readonly key: string
}
const meanings = new Map<string, { role: Role; rank: number }>()
for (const role of ["time", "level", "message", "service", "trace", "span"] as const) {
  for (const [rank, name] of names[role].split(" ").entries()) meanings.set(name, { role, rank })
}
const parents = new Set(names.parent.split(" "))

/** Prefixes that say where a field is from, not what it is: `log.level`, `syslog.severity`, `resource.service.name`. */
const prefix = /^(?:log|otel|resource|attributes|fields|dd|logging|meta)[._]/u
const cache = new Map<string, Meaning>()
const cacheMax = 4096
/** Longer keys are nobody's habit but an attacker's: they are worked out each time, so that the cache stays small. */
const cacheKeyMax = 64

const meaningOf = (key: string): Meaning => {
  const cached = cache.get(key)
  if (cached !== undefined) return cached
  const lower = key.slice(0, 64).toLowerCase()
  const plain = (text: string) => text.replace(/[_\-@.$]/gu, "")
  const meaning = meanings.get(plain(lower)) ?? meanings.get(plain(lower.replace(prefix, "")))
  const made = { role: meaning?.role, rank: meaning?.rank ?? 0, parent: parents.has(lower), key: plain(lower) }
  if (key.length <= cacheKeyMax) {
    // Starting over rather than staying full: keys that came once must not keep out those in use.
    if (cache.size >= cacheMax) cache.clear()
    cache.set(key, made)
  }
  return made
}

const hex = (value: string, length: number): string | undefined => {
  if (value.length > length * 2) return undefined
  const text = value.length === length ? value : value.replaceAll("-", "")
  return text.length === length && /^[0-9a-f]+$/iu.test(text) && !/^0+$/u.test(text) ? text.toLowerCase() : undefined
}

/** The id within Google's `projects/p/traces/<id>` and Amazon's `Root=1-5833-24a8`, which has two dashes more. */
const hexOf = (value: string): string | undefined => {
  if (value.length > 512) return undefined
  const google = value.lastIndexOf("/traces/")
  if (google !== -1) return hex(value.slice(google + 8), 32)
  const amazon = /(?:^|Root=)1-([0-9a-f]{8})-([0-9a-f]{24})(?:;|$)/u.exec(value)
  return amazon === null ? undefined : amazon[1]! + amazon[2]!
}

/** Level of a number: pino and bunyan count in tens, OpenTelemetry to 24, syslog backwards from 7. */
const levelOfNumber = (key: string, value: number): Level | undefined => {
  if (!Number.isFinite(value)) return undefined
  if (key === "severitynumber") return value >= 1 && value <= 24 ? fromSeverity(value) : undefined
  if (value >= 10 && value <= 60 && value % 10 === 0) {
    return (["trace", "debug", "info", "warn", "error", "fatal"] as const)[value / 10 - 1]
  }
  if (key.startsWith("priority") || key.startsWith("syslog")) return levelOfSyslog(value)
  if (key === "severity" && value > 7 && value <= 24) return fromSeverity(value)
  // The JVM's and Python's thousands and fifties aside, small numbers mean different things to different loggers.
  return undefined
}

/** Syslog's severities, 0 (emergency) to 7 (debug). */
export const levelOfSyslog = (severity: number): Level | undefined =>
  (["fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug"] as const)[severity]

const asLevel = (key: string, value: unknown): Level | undefined => {
  if (typeof value === "number") return levelOfNumber(key, value)
  if (typeof value !== "string" || value.length === 0) return undefined
  if (/^\d{1,2}$/u.test(value)) return levelOfNumber(key, Number(value))
  // "s" and "l" are a level only as MongoDB's and Serilog's one letter or a whole word.
  if (value.length <= 2) return levelOfLetter(value[0]!.toUpperCase())
  return levelOfWord(value)
}

const asTime = (value: unknown, now: number): number | undefined => {
  let time = Number.NaN
  if (typeof value === "number") time = fromEpoch(value)
  else if (typeof value === "string") time = timeOfText(value, now)
  else if (typeof value === "object" && value !== null) {
    const { $date, seconds, nanos } = value as { $date?: unknown; seconds?: unknown; nanos?: unknown }
    if ($date !== undefined) return asTime(typeof $date === "object" ? undefined : $date, now)
    const { epochSecond = seconds, nanoOfSecond = nanos } = value as { epochSecond?: unknown; nanoOfSecond?: unknown }
    if (typeof epochSecond === "number" || typeof epochSecond === "string") {
      time = fromEpoch(Number(epochSecond)) + (typeof nanoOfSecond === "number" ? Math.floor(nanoOfSecond / 1e6) : 0)
    }
  }
  return time >= 0 ? time : undefined
}

const clock = /^\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?$/u

interface Best {
  rank: number
  key: string
  parent: string | undefined
}
const none = (): Best => ({ rank: Number.POSITIVE_INFINITY, key: "", parent: undefined })

class Reading {
  readonly found: Found = { message: "", attributes: {} }
  readonly now: number
  readonly best = { time: none(), level: none(), message: none(), service: none(), trace: none(), span: none() }
  readonly fields: Fields
  constructor(fields: Fields, now: number) {
    this.fields = fields
    this.now = now
  }

  /** Looks at one field; `parent` is the object it stands in, when not the top. */
  field(key: string, value: unknown, parent: string | undefined): void {
    const meaning = parent === undefined ? meaningOf(key) : meaningOf(`${parent}.${key}`)
    const role = meaning.role
    if (role === undefined || role === "parent") return
    // A nested field yields to one at the top of the same name, a number to a word.
    const rank =
      meaning.rank * 4 + (parent === undefined ? 0 : 1) + (role === "level" && typeof value === "number" ? 100 : 0)
    const best = this.best[role]
    if (rank >= best.rank || !this.understand(role, meaning.key, value)) return
    best.rank = rank
    best.key = key
    best.parent = parent
  }

  /** A clock alone, where the date stands beside it, with it: FortiGate, Sophos, IIS as a table. */
  dated(key: string, value: unknown): unknown {
    const { date, timezone, tz } = this.fields
    if (key !== "time" || typeof value !== "string" || typeof date !== "string" || !clock.test(value)) return value
    const zone = [tz, timezone].find((text) => typeof text === "string" && /^(?:[+-]\d\d:?\d\d|UTC|GMT)$/u.test(text))
    return `${date} ${value}${zone === undefined ? "" : ` ${zone as string}`}`
  }

  understand(role: Exclude<Role, "parent">, key: string, value: unknown): boolean {
    const found = this.found
    switch (role) {
      case "time": {
        const time = asTime(this.dated(key, value), this.now)
        if (time === undefined) return false
        found.time = time
        return true
      }
      case "level": {
        const level = asLevel(key, value)
        if (level === undefined) return false
        found.level = level
        return true
      }
      case "message":
        if (typeof value !== "string") return false
        found.message = value
        return true
      case "service":
        // A service that is a duration is a router's: "service=18ms".
        // Nor is a place in the code: zap's "C".
        if (typeof value !== "string" || value === "" || value.length > 256) return false
        if (/^\d+m?s$|\.\w{1,5}:\d{1,7}$/u.test(value)) return false
        found.service = value
        return true
      case "trace": {
        if (typeof value !== "string") return false
        const w3c = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/u.exec(value)
        const id = w3c?.[1] ?? hex(value, 32) ?? hexOf(value)
        if (id === undefined) return false
        found.traceId = id
        if (w3c !== null) found.spanId = w3c[2]
        return true
      }
      case "span": {
        const id = typeof value === "string" ? hex(value, 16) : undefined
        if (id === undefined) return false
        found.spanId = id
        return true
      }
    }
  }

  taken(key: string, parent: string | undefined): boolean {
    const { best } = this
    const is = (one: Best) => one.key === key && one.parent === parent && one.rank < Number.POSITIVE_INFINITY
    return is(best.message) || is(best.time) || is(best.level) || is(best.service) || is(best.trace) || is(best.span)
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The rest of a parent object whose understood fields are left out, or undefined when nothing is left. */
const remainder = (reading: Reading, parent: string, object: Fields): Fields | undefined => {
  const rest: Record<string, unknown> = {}
  let changed = false
  for (const key of Object.keys(object)) {
    if (reading.taken(key, parent)) changed = true
    else rest[key] = object[key]
  }
  if (!changed) return object
  return Object.keys(rest).length === 0 ? undefined : rest
}

/** Names of errors' parts: of pino, bunyan, winston, zap, ECS, Logstash, Python. */
const errors: Readonly<Record<string, string>> = {
  type: "exception.type",
  name: "exception.type",
  message: "exception.message",
  stack: "exception.stacktrace",
  stack_trace: "exception.stacktrace",
  stacktrace: "exception.stacktrace"
}
const stacks = new Set(["stack", "stack_trace", "stacktrace", "exc_info", "error.stack_trace", "error.stack"])

/** One attribute, under OpenTelemetry's name where everybody asks for it: the host, the client, an error's parts. */
export const putOwn = (attributes: Record<string, unknown>, key: string, value: unknown): void => {
  if (isObject(value)) {
    if (
      (key === "err" || key === "error" || key === "exception") &&
      Object.keys(value).some((name) => name in errors)
    ) {
      for (const name of Object.keys(value)) {
        const known = Object.hasOwn(errors, name) && typeof value[name] === "string" ? errors[name]! : `${key}.${name}`
        if (name !== "__proto__") attributes[known] = value[name]
      }
    } else attributes[key] = value
    return
  }
  if (typeof value === "string" && stacks.has(key)) attributes["exception.stacktrace"] = value
  else if (key === "error.type") attributes["exception.type"] = value
  else if (key === "error.message") attributes["exception.message"] = value
  else {
    const name = ownName(meaningOf(key).key, value)
    const address = name?.endsWith(".address") === true
    const endpoint = address ? endpointOf(String(value)) : undefined
    // Of two that mean the same the first has the name; an address that is none keeps its own.
    if (name === undefined || Object.hasOwn(attributes, name) || (address && endpoint === undefined)) {
      attributes[key] = value
    } else if (endpoint === undefined) attributes[name] = value
    else {
      attributes[name] = endpoint.address
      if (endpoint.port !== undefined) attributes[`${name.slice(0, -8)}.port`] ??= endpoint.port
    }
  }
}

/** The event of a line's fields. `line` is the message where no field is one. */
export const fromFields = (fields: Fields, line: string, now: number): LogEvent => {
  const reading = new Reading(fields, now)
  const keys = Object.keys(fields)
  for (const key of keys) {
    const value = fields[key]
    reading.field(key, value, undefined)
    if (isObject(value) && meaningOf(key).parent) {
      for (const inner of Object.keys(value)) reading.field(inner, value[inner], key)
    }
  }
  const { found } = reading
  const attributes = found.attributes
  let kept = 0
  for (const key of keys) {
    if (reading.taken(key, undefined)) continue
    const value = fields[key]
    const left = isObject(value) && meaningOf(key).parent ? remainder(reading, key, value) : value
    if (left === undefined || key === "__proto__") continue
    if (kept++ < keysMax) putOwn(attributes, key, left)
  }
  if (kept > keysMax) attributes[droppedKey] = kept - keysMax
  if (found.message === "") found.message = line
  else if (found.message.endsWith("\n")) found.message = found.message.trimEnd()
  if (reading.best.message.rank < Number.POSITIVE_INFINITY) embedded(found.message, attributes)
  if (found.level === undefined && reading.best.message.rank < Number.POSITIVE_INFINITY) {
    found.level = levelOfMessage(found.message)
  }
  return event(found, now)
}
