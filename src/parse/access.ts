/**
 * Access logs of web servers and proxies: common and combined (Apache, nginx, Traefik, Caddy, Envoy's relatives), with a
 * virtual host in front, a request id, or more fields behind; nginx's ingress; and those that begin with the time. The
 * line itself is the message, so that any part of it is found. The level follows the status: 5xx error, 4xx warn, else info.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { levelOfStatus, putRequest, putServer } from "./Http.ts"
import { type Parser, event } from "./Parser.ts"
import { closingQuote, endpointOf, present, put, putEndpoint, typed, unquoted, wordsOf } from "./Scan.ts"
import { found as time, timeAt } from "./Time.ts"

type Attributes = Record<string, unknown>

const words = (text: string): ReadonlyArray<string> => text.split(" ").filter((word) => word !== "")

/** `[host] address identity [request id] user`, as they stand before the time. False where there is no such thing. */
const who = (attributes: Attributes, before: string): boolean => {
  const all = words(before)
  const found = all.findIndex((word) => endpointOf(word.endsWith(",") ? word.slice(0, -1) : word) !== undefined)
  let first = found
  if (found === -1) {
    // Hosts by name, and "-" where there is no peer.
    if (all.length < 2 || all.length > 4 || !/^[\w.:-]+$/u.test(all[0]!)) return false
    first = 0
  }
  if (first > 0) putServer(attributes, all[0])
  let at = first
  const addresses: Array<string> = []
  // Behind proxies some print several addresses: "1.2.3.4, 5.6.7.8".
  while (at < all.length - 1 && all[at]!.endsWith(",")) addresses.push(all[at++]!.slice(0, -1))
  addresses.push(all[at]!)
  putEndpoint(attributes, "client", addresses[0])
  if (addresses.length > 1) attributes["client.forwarded"] = addresses
  const rest = all.slice(at + 1)
  // "- request-id -"; a user's name may have blanks.
  const id = first > 0 && rest.length === 3 && rest[0] === "-" && rest[2] === "-"
  if (id) put(attributes, "http.request.id", rest[1])
  else {
    put(attributes, "user.identity", rest[0])
    put(attributes, "user.name", rest.slice(1).join(" "))
  }
  return true
}

const number = /^\d+(?:\.\d+)?$/u
/** Lists of addresses as `X-Forwarded-For` has them. */
const forwarded = (word: string): boolean => {
  if (word.length < 3 || word.length > 256 || word.includes("/")) return false
  return word.split(",").every((part) => endpointOf(part.trim()) !== undefined)
}

const ingress = [
  "http.request.size",
  "http.request.duration",
  "upstream.name",
  "upstream.alternative_name",
  "upstream.address"
]
const upstream = ["upstream.response.size", "upstream.duration_s", "upstream.status_code", "http.request.id"]

/** What stands behind the user agent: the few that tell what they are by their looks, the others as a list. */
const extras = (attributes: Attributes, line: string, from: number): void => {
  if (line.length - from < 2) return
  const rest = wordsOf(line, from, 32)
  if (rest.length >= 5 && number.test(rest[0]!) && number.test(rest[1]!) && line.includes(" [", from)) {
    ;[...ingress, ...upstream].forEach((name, index) => {
      const word = present(rest[index])
      if (word !== undefined)
        attributes[name] = name.includes("duration") && number.test(word) ? Number(word) : typed(word)
    })
    attributes["duration_ms"] = ms(Number(rest[1]))
    return
  }
  const others: Array<string> = []
  for (const word of rest) {
    if (word === "-" || word === "") continue
    const pair = /^(?:rt|urt|uct|uht|request_time|duration|upstream_response_time)=["']?(\d{1,8}\.\d{1,9})/u.exec(word)
    if (forwarded(word)) attributes["client.forwarded"] = word
    else if (pair !== null)
      attributes[word.startsWith("rt") ? "duration_ms" : word.split("=")[0]!] = ms(Number(pair[1]))
    else if (/^\d{1,9}ms$/u.test(word)) attributes["duration_ms"] = Number(word.slice(0, -2))
    // nginx's $request_time: seconds with ms; of several the first.
    else if (attributes["duration_ms"] === undefined && /^\d{1,6}\.\d{3}$/u.test(word)) {
      attributes["duration_ms"] = ms(Number(word))
    } else others.push(word.length > 512 ? word.slice(0, 512) : word)
  }
  if (others.length > 0) attributes["http.extra"] = others
}
const ms = (seconds: number): number => Math.round(seconds * 1e6) / 1e3

/** Status, sizes, referer, user agent and the rest, from behind the request on. */
const after = (attributes: Attributes, line: string, end: number): number | undefined => {
  const parts =
    /^ (\d{3}) (\d+|-)(?: (\d+))?(?= |$)/u.exec(line.slice(end, end + 48)) ??
    /^ (\d{3})(?= |$)/u.exec(line.slice(end, end + 8))
  if (parts === null) return undefined
  const status = Number(parts[1])
  attributes["http.response.status_code"] = status
  if (parts[2] !== undefined && parts[2] !== "-") attributes["http.response.body.size"] = Number(parts[2])
  if (parts[3] !== undefined) attributes["http.response.size"] = Number(parts[3])
  let position = end + parts[0].length
  for (const name of ["http.request.header.referer", "user_agent.original"]) {
    if (line.charCodeAt(position) !== 32 || line.charCodeAt(position + 1) !== 34) break
    const close = closingQuote(line, position + 1)
    if (close === -1) break
    put(attributes, name, unquoted(line.slice(position + 2, close)))
    position = close + 1
  }
  extras(attributes, line, position)
  return status
}

/** `[time] host address seconds "request" status size sent referer user agent`. */
const timeFirst = (line: string, end: number, now: number, at: number): LogEvent | undefined => {
  const quote = line.indexOf('"', end)
  if (quote === -1 || quote > end + 200) return undefined
  const close = closingQuote(line, quote)
  if (close === -1) return undefined
  const head = words(line.slice(end + 1, quote))
  const index = head.findIndex((word) => endpointOf(word) !== undefined)
  if (index === -1 || index > 1 || head.length > 4) return undefined
  const status = /^ (\d{3}) (\d+|-) (\d+|-) (\S+) (.*)$/su.exec(line.slice(close + 1))
  if (status === null) return undefined
  const attributes: Attributes = {}
  if (index === 1) put(attributes, "server.address", head[0])
  putEndpoint(attributes, "client", head[index])
  const seconds = head[index + 1]
  if (seconds !== undefined && number.test(seconds)) {
    attributes["http.request.duration"] = typed(seconds)
    attributes["duration_ms"] = ms(Number(seconds))
  }
  putRequest(attributes, line.slice(quote + 1, close))
  attributes["http.response.status_code"] = Number(status[1])
  put(attributes, "http.response.body.size", typed(status[2]!))
  put(attributes, "http.response.size", typed(status[3]!))
  put(attributes, "http.request.header.referer", status[4])
  put(attributes, "user_agent.original", status[5])
  return event({ time: at, level: levelOfStatus(Number(status[1])), message: line, attributes }, now)
}

export const access: Parser = {
  name: "access",
  about: "nginx, Apache and others: common, combined, with virtual host, ingress, time first",
  fields:
    "client.address user.name http.request.method url.path url.query http.response.status_code http.response.body.size " +
    "http.request.header.referer user_agent.original server.address duration_ms",
  parse: (line, now) => {
    const open = line.indexOf("[")
    if (open < 0 || open > 300) return undefined
    if (!timeAt(line, open + 1, now) || line.charCodeAt(time.end) !== 93) return undefined
    const at = time.time
    const behind = time.end
    if (open === 0) return timeFirst(line, behind, now, at)
    if (line.charCodeAt(open - 1) !== 32) return undefined
    const quote = line.indexOf('"', behind)
    if (quote === -1 || quote > behind + 64) return undefined
    const end = closingQuote(line, quote)
    if (end === -1 || line.charCodeAt(end + 1) !== 32) return undefined
    const attributes: Attributes = {}
    if (!who(attributes, line.slice(0, open))) return undefined
    putRequest(attributes, line.slice(quote + 1, end))
    const status = after(attributes, line, end + 1)
    if (status === undefined) return undefined
    return event({ time: at, level: levelOfStatus(status), message: line, attributes }, now)
  }
}
