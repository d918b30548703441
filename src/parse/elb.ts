/**
 * Access logs of AWS load balancers: application (`http 2018-…`), classic (time first) and network (`tls 2.0 …`). Words
 * stand in a fixed order; those that newer versions add behind are left out. The line is the message.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { levelOfStatus, putRequest } from "./Http.ts"
import { type Found, type Parser, event } from "./Parser.ts"
import { put, putAll, putEndpoint, typed, wordsOf } from "./Scan.ts"
import { timeOfText } from "./Time.ts"

type Attributes = Record<string, unknown>
const types = new Set(["http", "https", "h2", "grpcs", "ws", "wss"])

/** `Root=1-58337364-23a8c76965a2ef7629b185e3`: Amazon's trace id is W3C's with two dashes. */
export const amazonTrace = (text: string): string | undefined => {
  const parts = /(?:Root=)?1-([0-9a-f]{8})-([0-9a-f]{24})(?![0-9a-f])/u.exec(
    text.length > 200 ? text.slice(0, 200) : text
  )
  return parts === null ? undefined : parts[1]! + parts[2]!
}

const seconds = ["request_processing_time", "target_processing_time", "response_processing_time"]

/** From the load balancer's name to the user agent: the same in both. */
const common = (words: ReadonlyArray<string>, from: number, attributes: Attributes): number => {
  attributes["aws.elb.name"] = words[from]
  putEndpoint(attributes, "client", words[from + 1])
  putEndpoint(attributes, "destination", words[from + 2])
  let taken = 0
  for (const [index, name] of seconds.entries()) {
    const value = Number(words[from + 3 + index])
    if (!(value >= 0)) continue
    taken += value
    attributes[`aws.elb.${name}`] = value
  }
  attributes["duration_ms"] = Math.round(taken * 1e6) / 1e3
  const status = Number(words[from + 6])
  put(attributes, "http.response.status_code", typed(words[from + 6]!))
  put(attributes, "aws.elb.target_status_code", typed(words[from + 7]!))
  put(attributes, "http.request.size", typed(words[from + 8]!))
  put(attributes, "http.response.size", typed(words[from + 9]!))
  putRequest(attributes, words[from + 10]!)
  put(attributes, "user_agent.original", words[from + 11])
  return status
}

const tail = [
  "tls.cipher", "tls.protocol.version", "aws.elb.target_group_arn", "aws.elb.trace_id", "tls.server_name",
  "aws.elb.certificate_arn", "aws.elb.matched_rule_priority", "aws.elb.request_creation_time", "aws.elb.actions_executed",
  "aws.elb.redirect_url", "aws.elb.error_reason", "aws.elb.targets", "aws.elb.target_status_codes",
  "aws.elb.classification", "aws.elb.classification_reason", "aws.elb.traceability_id"
] // prettier-ignore

const network = [
  "aws.elb.name", "aws.elb.listener", "", "", "aws.elb.connection_time_ms", "aws.elb.tls_handshake_time_ms",
  "network.io.receive", "network.io.transmit", "tls.alert", "aws.elb.certificate_arn", "", "tls.cipher",
  "tls.protocol.version", "", "tls.server_name", "tls.alpn"
] // prettier-ignore

const finish = (found: Found, time: number, now: number): LogEvent | undefined =>
  Number.isNaN(time) ? undefined : event({ ...found, time }, now)

const networkLine = (line: string, now: number): LogEvent | undefined => {
  const words = wordsOf(line, 0, 24)
  if (words.length < 15 || !/^\d\.\d$/u.test(words[1]!)) return undefined
  const attributes: Attributes = { "aws.elb.type": words[0] }
  putAll(attributes, network, words.slice(3))
  putEndpoint(attributes, "client", words[5])
  putEndpoint(attributes, "destination", words[6])
  return finish({ level: "info", message: line, attributes }, timeOfText(words[2]!, now), now)
}

/** Behind the time of a classic one: a name, two endpoints, seconds. */
const classic = /^ [\w.-]{1,64} \S{3,60}:\d{1,5} (?:\S{3,60}:\d{1,5}|-) -?\d/u

export const elb: Parser = {
  name: "aws_elb",
  about: "AWS load balancers: application, classic, network",
  fields:
    "client.address client.port destination.address http.request.method url.full http.response.status_code " +
    "user_agent.original duration_ms aws.elb.name",
  begins: "0a",
  parse: (line, now) => {
    const blank = line.indexOf(" ")
    if (blank < 2 || blank > 32) return undefined
    const first = line.slice(0, blank)
    if (first === "tls" || first === "tcp") return networkLine(line, now)
    const application = types.has(first)
    if (!application && (line.charCodeAt(10) !== 84 || line.charCodeAt(4) !== 45)) return undefined
    if (!application && !classic.test(line.slice(blank, blank + 260))) return undefined
    const words = wordsOf(line, 0, 32)
    const from = application ? 2 : 1
    // Twelve words up to the user agent, seconds and status where they belong.
    if (words.length < from + 12 || !/^-?\d+(?:\.\d+)?$/u.test(words[from + 3]!)) return undefined
    if (!/^(?:\d{3}|-)$/u.test(words[from + 6]!) || !/^-?\d+(?:\.\d+)?$/u.test(words[from + 5]!)) return undefined
    const attributes: Attributes = {}
    if (application) attributes["aws.elb.type"] = first
    const status = common(words, from, attributes)
    if (application) putAll(attributes, tail, words.slice(14))
    else putAll(attributes, tail.slice(0, 2), words.slice(13))
    const traceId = amazonTrace(String(attributes["aws.elb.trace_id"] ?? ""))
    const level = status >= 100 ? levelOfStatus(status) : "info"
    return finish({ level, message: line, attributes, traceId }, timeOfText(words[from - 1]!, now), now)
  }
}
