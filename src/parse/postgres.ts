/**
 * PostgreSQL's server log in the usual prefixes: `time zone [pid] user@database LEVEL:  message`, also with the client's
 * address first or `user=…,db=…,client=…`. The message is the part behind the level.
 */
import type { Level } from "../domain/Level.ts"
import { embedded } from "./Embedded.ts"
import { type Parser, event } from "./Parser.ts"
import { endpointOf, put } from "./Scan.ts"
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
const setting = /([a-z]{2,12})=([^,\s]*)/gu
const taken = /^duration: (\d{1,12}(?:\.\d{1,6})?) ms/u
const names: Readonly<Record<string, string>> = {
  user: "user.name",
  db: "db.namespace",
  app: "db.application",
  client: "client.address"
}

export const postgres: Parser = {
  name: "postgres",
  about: "PostgreSQL server log",
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
    const next = line.charCodeAt(time.end + 1)
    if (next !== 91 && !(next >= 65 && next <= 90)) return undefined
    // The zone may be part of the time already.
    const parts = head.exec(line.slice(time.end, time.end + 600))
    if (parts === null) return undefined
    const end = time.end + parts[0].length
    attributes["process.pid"] = Number(parts[2])
    put(attributes, "user.name", parts[3]?.replace(/^\[.*\]$/u, ""))
    put(attributes, "db.namespace", parts[4]?.replace(/^\[.*\]$/u, ""))
    for (const [, key, value] of (parts[5] ?? "").matchAll(setting)) {
      if (!/^\[.*\]$/u.test(value!)) put(attributes, names[key!] ?? key!, value)
    }
    put(attributes, "db.response.status_code", parts[6]?.slice(0, -1))
    const message = line.slice(end)
    const duration = taken.exec(message)
    if (duration !== null) attributes["duration_ms"] = Number(duration[1])
    const login = /^password authentication failed for user "([^"]{1,63})"/u.exec(message)
    if (login !== null) {
      attributes["event.action"] = "password"
      attributes["user.name"] = login[1]
    }
    embedded(message, attributes)
    return event({ time: at, level: levels[parts[7]!], service: "postgres", message, attributes }, now)
  }
}
