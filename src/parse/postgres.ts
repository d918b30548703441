/**
 * PostgreSQL's server log in the usual prefixes: `time zone [pid] user@database LEVEL:  message`, also with the client's
 * address first or `user=…,db=…,client=…`. The message is the part behind the level.
 */
import type { Level } from "../domain/Level.ts"
import type { LogEvent } from "../domain/LogEvent.ts"
import { cellsOf } from "./csv.ts"
import { embedded } from "./Embedded.ts"
import { type Parser, event } from "./Parser.ts"
import { endpointOf, put, putEndpoint } from "./Scan.ts"
import { found as time, timeAt } from "./Time.ts"

const levels: Readonly<Record<string, Level>> = {
  DEBUG: "debug",
  LOG: "info",
  INFO: "info",
  NOTICE: "info",
  STATEMENT: "info",
  DETAIL: "info",
  HINT: "info",
  CONTEXT: "info",
  QUERY: "info",
  LOCATION: "info",
  WARNING: "warn",
  ERROR: "error",
  FATAL: "fatal",
  PANIC: "fatal"
}

const head =
  /^ (?:([A-Z]{3,5}) )?\[(\d{1,10})(?:-\d{1,10})?\]:? (?:\[[\d-]{1,20}\] )?(?:(\[?[\w.$-]{0,63}\]?)@(\[?[\w.$-]{0,63}\]?) |([a-z]+=[^ ]{0,300} ))?(?:([0-9A-Z]{5}:)? ?)(DEBUG|LOG|INFO|NOTICE|STATEMENT|DETAIL|HINT|CONTEXT|QUERY|LOCATION|WARNING|ERROR|FATAL|PANIC)\d?: {1,2}/u
/** Amazon RDS: `UTC:10.0.0.9(4711):bob@shop:[77]:FATAL:  text`. */
const rds =
  /^(?: [A-Z]{3,5})?:(?:([\w.:-]{1,64})\((\d{1,5})\))?:(\[?[\w.$-]{0,63}\]?)@(\[?[\w.$-]{0,63}\]?):\[(\d{1,10})\]:(DEBUG|LOG|INFO|NOTICE|STATEMENT|DETAIL|HINT|CONTEXT|QUERY|LOCATION|WARNING|ERROR|FATAL|PANIC)\d?: {1,2}/u
const setting = /([a-z]{2,12})=([^,\s]*)/gu
const taken = /^duration: (\d{1,12}(?:\.\d{1,6})?) ms/u
const names: Readonly<Record<string, string>> = {
  user: "user.name",
  db: "db.namespace",
  app: "db.application",
  client: "client.address"
}

type Prefix = { readonly length: number; readonly level: string }
/** `[unknown]` is nobody. */
const known = (text: string | undefined): string | undefined => text?.replace(/^\[.*\]$/u, "")

const usual = (text: string, attributes: Record<string, unknown>): Prefix | undefined => {
  const parts = head.exec(text)
  if (parts === null) return undefined
  attributes["process.pid"] = Number(parts[2])
  put(attributes, "user.name", known(parts[3]))
  put(attributes, "db.namespace", known(parts[4]))
  for (const [, key, value] of (parts[5] ?? "").matchAll(setting)) {
    if (!/^\[.*\]$/u.test(value!)) put(attributes, names[key!] ?? key!, value)
  }
  put(attributes, "db.response.status_code", parts[6]?.slice(0, -1))
  return { length: parts[0].length, level: parts[7]! }
}

const amazon = (text: string, attributes: Record<string, unknown>): Prefix | undefined => {
  const parts = rds.exec(text)
  if (parts === null) return undefined
  putEndpoint(attributes, "client", parts[1])
  if (parts[2] !== undefined) attributes["client.port"] = Number(parts[2])
  put(attributes, "user.name", known(parts[3]))
  put(attributes, "db.namespace", known(parts[4]))
  attributes["process.pid"] = Number(parts[5])
  return { length: parts[0].length, level: parts[6]! }
}

/** The columns of `csvlog`, which has no header; newer versions add some behind. */
const columns =
  "time user.name db.namespace process.pid client session.id postgres.line command session.start transaction.virtual transaction.id level db.response.status_code message postgres.detail postgres.hint postgres.internal_query postgres.internal_position postgres.context db.query.text postgres.position code.function.name db.application postgres.backend_type postgres.leader_pid postgres.query_id".split(
    " "
  )
const csvRow = (line: string, now: number, at: number): LogEvent | undefined => {
  const cells = cellsOf(line, ",")
  if (cells.length < 23 || !Object.hasOwn(levels, cells[11]!) || !/^\d{1,10}$/u.test(cells[3]!)) return undefined
  const attributes: Record<string, unknown> = {}
  for (const [index, name] of columns.entries()) {
    if (name === "client") putEndpoint(attributes, name, cells[index])
    else if (!["time", "level", "message"].includes(name)) {
      put(attributes, name, name === "process.pid" ? Number(cells[index]) : cells[index])
    }
  }
  if (cells.length > columns.length) attributes["postgres.more"] = cells.slice(columns.length)
  const message = cells[13]!
  embedded(message, attributes)
  return event({ time: at, level: levels[cells[11]!], service: "postgres", message, attributes }, now)
}

export const postgres: Parser = {
  name: "postgres",
  about: "PostgreSQL server log, also as CSV and as Amazon RDS has it",
  fields: "process.pid user.name db.namespace client.address duration_ms",
  begins: "0",
  parse: (line, now) => {
    // An address before the time, as Supabase's containers print.
    let from = 0
    const attributes: Record<string, unknown> = {}
    if (line.charCodeAt(4) !== 45) {
      const blank = line.indexOf(" ")
      const client = blank > 6 && blank < 46 ? endpointOf(line.slice(0, blank)) : undefined
      if (client === undefined) return undefined
      attributes["client.address"] = client.address
      from = blank + 1
    }
    if (!timeAt(line, from, now)) return undefined
    const at = time.time
    if (line.charCodeAt(time.end) === 44) return csvRow(line, now, at)
    const colon = line.charCodeAt(time.end) === 58
    const next = line.charCodeAt(time.end + 1)
    if (!colon && next !== 91 && !(next >= 65 && next <= 90)) return undefined
    // The zone may be part of the time already.
    const rest = line.slice(time.end, time.end + 600)
    const parts = colon ? amazon(rest, attributes) : usual(rest, attributes)
    if (parts === undefined) return undefined
    const end = time.end + parts.length
    const message = line.slice(end)
    const duration = taken.exec(message)
    if (duration !== null) attributes["duration_ms"] = Number(duration[1])
    const login = /^password authentication failed for user "([^"]{1,63})"/u.exec(message)
    if (login !== null) {
      attributes["event.action"] = "password"
      attributes["user.name"] = login[1]
    }
    embedded(message, attributes)
    return event({ time: at, level: levels[parts.level], service: "postgres", message, attributes }, now)
  }
}
