/**
 * HAProxy's HTTP and TCP log lines, mostly the body of a syslog line: `client:port [accepted] frontend backend/server
 * timers status bytes … "request"`. The line is the message.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { levelOfStatus, putRequest } from "./Http.ts"
import { type Parser, event } from "./Parser.ts"
import { endpointOf, putAll, wordsOf } from "./Scan.ts"
import { found as time, timeAt } from "./Time.ts"

const http = ["haproxy.time.request_ms", "haproxy.time.queue_ms", "haproxy.time.connect_ms", "haproxy.time.response_ms"]
const connections = ["actconn", "feconn", "beconn", "srvconn", "retries"].map((name) => `haproxy.${name}`)
const queues = ["haproxy.server_queue", "haproxy.backend_queue"]

type Attributes = Record<string, unknown>

const timers = (attributes: Attributes, word: string): number | undefined => {
  if (word.length > 60 || !/^[+-]?\d+(?:\/[+-]?\d+){2,4}$/u.test(word)) return undefined
  const parts = word.split("/")
  const total = parts.pop()!.replace("+", "")
  if (parts.length >= 4) putAll(attributes, http, parts)
  else putAll(attributes, http.slice(1, 3), parts)
  attributes["duration_ms"] = Number(total)
  return parts.length + 1
}

/** Behind the timers; HTTP has a status, two cookies, and the request at the end. */
const rest = (attributes: Attributes, words: ReadonlyArray<string>, line: string): number | undefined => {
  let status: number | undefined
  let at = 0
  if (/^(?:\d{3}|-1)$/u.test(words[0]!) && /^[+]?\d+$/u.test(words[1]!)) {
    status = Number(words[0])
    attributes["http.response.status_code"] = status
    at = 1
  }
  putAll(attributes, ["http.response.size"], [words[at]!.replace("+", "")])
  at++
  if (status !== undefined) {
    putAll(attributes, ["haproxy.request_cookie", "haproxy.response_cookie"], words.slice(at))
    at += 2
  }
  putAll(attributes, ["haproxy.termination_state"], [words[at] ?? ""])
  putAll(attributes, connections, (words[at + 1] ?? "").split("/"))
  putAll(attributes, queues, (words[at + 2] ?? "").split("/"))
  // Captured headers stand in braces, and may hold blanks.
  const quote = line.lastIndexOf(' "')
  if (status !== undefined && quote !== -1) putRequest(attributes, line.slice(quote + 2).replace(/"$/u, ""))
  return status
}

/** A connection that came to nothing: `frontend/bind: reason`. */
const failure = /^([\w.~-]{1,80})\/([\w.:-]{1,80}): ([A-Z][\w ,.()-]{1,160})$/u

const parse = (line: string, now: number): LogEvent | undefined => {
  const blank = line.indexOf(" [")
  if (blank < 4 || blank > 60 || !timeAt(line, blank + 2, now)) return undefined
  const at = time.time
  if (line.charCodeAt(time.end) !== 93 || line.charCodeAt(time.end + 1) !== 32) return undefined
  const client = endpointOf(line.slice(0, blank))
  if (client?.port === undefined) return undefined
  const attributes: Attributes = { "client.address": client.address, "client.port": client.port }
  const refused = failure.exec(line.slice(time.end + 2, time.end + 300))
  if (refused !== null) {
    attributes["haproxy.frontend"] = refused[1]
    attributes["haproxy.bind"] = refused[2]
    attributes["event.reason"] = refused[3]
    return event({ time: at, level: "warn", service: "haproxy", message: line, attributes }, now)
  }
  const words = wordsOf(line, time.end + 2, 10)
  const slash = words[1]?.indexOf("/") ?? -1
  if (words.length < 6 || slash < 1 || timers(attributes, words[2]!) === undefined) return undefined
  attributes["haproxy.frontend"] = words[0]
  attributes["haproxy.backend"] = words[1]!.slice(0, slash)
  attributes["haproxy.server"] = words[1]!.slice(slash + 1)
  const status = rest(attributes, words.slice(3), line)
  const level = status === undefined || status < 100 ? "info" : levelOfStatus(status)
  return event({ time: at, level, service: "haproxy", message: line, attributes }, now)
}

export const haproxy: Parser = {
  name: "haproxy",
  about: "HAProxy, HTTP and TCP",
  fields:
    "client.address http.request.method url.path http.response.status_code duration_ms haproxy.frontend haproxy.backend",
  begins: "0a[:A",
  parse
}
