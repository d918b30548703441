/**
 * Access logs of web servers in the common and combined formats (Apache, nginx and those who print the same shape), also
 * with a virtual host in front or more fields behind. The line itself is the message, so that any part of it is found;
 * its parts are attributes. The level follows the status: 5xx error, 4xx warn, else info.
 */
import type { Level } from "../domain/Level.ts"
import { type Parser, event } from "./Parser.ts"
import { found as time, timeAt } from "./Time.ts"

const address = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})(?::\d{1,5})?$/iu
const request = /^([A-Z][A-Z_-]{1,20}) (\S+)(?: ([A-Z]+\/[\d.]+))?$/u

const levelOfStatus = (status: number): Level => (status >= 500 ? "error" : status >= 400 ? "warn" : "info")

const closingQuote = (line: string, at: number): number => {
  for (let i = at + 1; i < line.length; i++) {
    const code = line.charCodeAt(i)
    if (code === 92) i++
    else if (code === 34) return i
  }
  return -1
}

const client = (attributes: Record<string, unknown>, before: string): void => {
  const words = before.split(" ").filter((word) => word !== "")
  const index = Math.max(
    words.findIndex((word) => address.test(word)),
    0
  )
  const first = words[index]
  if (first !== undefined && first !== "-") attributes["client_ip"] = first
  if (index > 0 && words[0] !== "-") attributes["host"] = words[0]
  const user = words.at(-1)
  if (words.length > index + 1 && user !== undefined && user !== "-") attributes["user"] = user
}

export const access: Parser = {
  name: "access",
  parse: (line, now) => {
    const open = line.indexOf("[")
    if (open < 1 || open > 300 || line.charCodeAt(open - 1) !== 32) return undefined
    if (!timeAt(line, open + 1, now) || line.charCodeAt(time.end) !== 93) return undefined
    const at = time.time
    const quote = line.indexOf('"', time.end)
    if (quote === -1 || quote > time.end + 64) return undefined
    const end = closingQuote(line, quote)
    if (end === -1 || line.charCodeAt(end + 1) !== 32) return undefined
    const after =
      /^ (\d{3}) (\d+|-)(?= |$)/u.exec(line.slice(end + 1, end + 40)) ??
      /^ (\d{3})(?= |$)/u.exec(line.slice(end + 1, end + 8))
    if (after === null) return undefined
    const status = Number(after[1])
    const attributes: Record<string, unknown> = {}
    client(attributes, line.slice(0, open))
    const parts = request.exec(line.slice(quote + 1, end))
    if (parts !== null) {
      attributes["method"] = parts[1]
      attributes["path"] = parts[2]
      if (parts[3] !== undefined) attributes["protocol"] = parts[3]
    } else attributes["request"] = line.slice(quote + 1, end)
    attributes["status"] = status
    if (after[2] !== undefined && after[2] !== "-") attributes["bytes"] = Number(after[2])
    let position = end + 1 + after[0].length
    for (const name of ["referer", "user_agent"]) {
      if (line.charCodeAt(position) !== 32 || line.charCodeAt(position + 1) !== 34) break
      const close = closingQuote(line, position + 1)
      if (close === -1) break
      const value = line.slice(position + 2, close)
      if (value !== "-" && value !== "") attributes[name] = value
      position = close + 1
    }
    return event({ time: at, level: levelOfStatus(status), message: line, attributes }, now)
  }
}
