/**
 * MySQL's and MariaDB's error log (`time thread [Level] [code] [part] message`) and slow query log (an event of several
 * lines that opens with `# Time:` or `# User@Host:`).
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { embedded } from "./Embedded.ts"
import { levelOfWord } from "./LevelWords.ts"
import { type Parser, event } from "./Parser.ts"
import { put, typed } from "./Scan.ts"
import { found as time, fromEpoch, timeAt, timeOfText } from "./Time.ts"

const head =
  /[ \t]{1,4}(?:(\d{1,10}) )?\[(Note|Warning|Error|ERROR|System)\] (?:\[(M[YA]-\d{1,8})\] )?(?:\[(\w{2,20})\] )?/uy
const denied = /^Access denied for user '([^']{0,80})'@'([^']{0,255})' \(using password: (YES|NO)\)/u

const errorLine = (line: string, now: number): LogEvent | undefined => {
  if (!timeAt(line, 0, now)) return undefined
  const at = time.time
  head.lastIndex = time.end
  const parts = head.exec(line)
  if (parts === null) return undefined
  // Others print "time [Warning] text" too: MySQL has a thread, a code, or two digits of year.
  if (parts[1] === undefined && parts[3] === undefined && !/^\d{6} /u.test(line)) return undefined
  const attributes: Record<string, unknown> = {}
  if (parts[1] !== undefined) attributes["thread.id"] = Number(parts[1])
  put(attributes, "error.code", parts[3])
  put(attributes, "mysql.subsystem", parts[4])
  const message = line.slice(head.lastIndex)
  const user = denied.exec(message)
  if (user !== null) {
    put(attributes, "user.name", user[1])
    put(attributes, "client.address", user[2])
    attributes["mysql.using_password"] = user[3]
  } else embedded(message, attributes)
  const level = levelOfWord(parts[2] === "System" ? "info" : parts[2]!)
  return event({ time: at, level, service: "mysql", message, attributes }, now)
}

const who = /^# User@Host: ([^\s[]{0,80})\[[^\]]{0,80}\] @ +([^\s[]{0,255}) ?\[([^\]]{0,64})\]/mu
const number = /\b([A-Z][a-zA-Z_]{2,40}): +([\d.]{1,24})/gu

const slowQuery = (line: string, now: number): LogEvent | undefined => {
  if (!line.startsWith("# Time: ") && !line.startsWith("# User@Host: ")) return undefined
  const text = line.slice(0, 16_384)
  const attributes: Record<string, unknown> = {}
  const user = who.exec(text)
  put(attributes, "user.name", user?.[1])
  put(attributes, "client.address", user?.[3] || user?.[2])
  const stats = /^# Query_time: .*$/mu.exec(text)?.[0] ?? ""
  for (const [, name, value] of stats.slice(0, 400).matchAll(number)) {
    attributes[`mysql.${name!.toLowerCase()}`] = typed(value!)
    if (name === "Query_time") attributes["duration_ms"] = Math.round(Number(value) * 1e6) / 1e3
  }
  const set = /^SET timestamp=(\d{10})/mu.exec(text)
  const stamp = /^# Time: (.{10,40})$/mu.exec(text)
  const timed = timeOfText(stamp?.[1] ?? "", now)
  const query = /^(?![#]|SET timestamp|use )\S[^]*$/mu.exec(text)
  put(attributes, "db.query.text", query?.[0]?.trimEnd())
  const at = Number.isNaN(timed) ? fromEpoch(Number(set?.[1])) : timed
  return event(
    { time: Number.isNaN(at) ? undefined : at, level: "warn", service: "mysql", message: line, attributes },
    now
  )
}

export const mysql: Parser = {
  name: "mysql",
  about: "MySQL and MariaDB: error log and slow queries",
  fields: "thread.id error.code user.name client.address duration_ms db.query.text",
  begins: "0#",
  parse: (line, now) => (line.charCodeAt(0) === 35 ? slowQuery(line, now) : errorLine(line, now))
}
