/**
 * Access logs of Envoy and Istio in their default formats: `[time] "METHOD path protocol" status flags …`. Envoy has the
 * bytes behind the flags, Istio first says why the response was sent. The line is the message.
 */
import { levelOfStatus, putRequest } from "./Http.ts"
import { type Parser, event } from "./Parser.ts"
import { closingQuote, endpointOf, put, putAll, putEndpoint, wordsOf } from "./Scan.ts"
import { found as time, timeAt } from "./Time.ts"

const why = ["envoy.response_code_details", "envoy.connection_termination_details", "envoy.upstream_transport_failure"]
const sizes = ["http.request.body.size", "http.response.body.size", "duration_ms", "envoy.upstream_service_time_ms"]
const behind = ["user_agent.original", "http.request.id", "server.address"]
const mesh = ["upstream.cluster", "envoy.upstream_local_address"]

type Attributes = Record<string, unknown>

/** What Istio adds: the upstream's cluster, the addresses of both sides, the server's name and the route. */
const istio = (attributes: Attributes, words: ReadonlyArray<string>): void => {
  putAll(attributes, mesh, words)
  putEndpoint(attributes, "destination", words[2])
  // Behind an ingress the client is who was forwarded for, if anybody.
  putEndpoint(attributes, attributes["client.address"] === undefined ? "client" : "network.peer", words[3])
  putAll(attributes, ["tls.server_name", "envoy.route_name"], words.slice(4))
}

/** Where the sizes begin among the words behind status and flags: at once, or behind Istio's three reasons. */
const sizesAt = (words: ReadonlyArray<string>): number => {
  const areSizes = (at: number): boolean => [0, 1, 2].every((step) => /^\d{1,15}$/u.test(words[at + step] ?? ""))
  return areSizes(0) ? 0 : areSizes(3) ? 3 : -1
}

export const envoy: Parser = {
  name: "envoy",
  about: "Envoy and Istio, default access logs",
  fields:
    "client.address http.request.method url.path http.response.status_code duration_ms http.request.id server.address upstream.address upstream.cluster envoy.response_flags",
  begins: "[",
  parse: (line, now) => {
    if (!timeAt(line, 1, now) || line.charCodeAt(time.end) !== 93) return undefined
    const at = time.time
    const open = time.end + 2
    if (line.charCodeAt(open) !== 34 || line.charCodeAt(open - 1) !== 32) return undefined
    const close = closingQuote(line, open)
    if (close === -1) return undefined
    const head = /^ (\d{1,3}) ([A-Za-z,]{1,40}|-) /u.exec(line.slice(close + 1, close + 50))
    if (head === null) return undefined
    const words = wordsOf(line, close + 1 + head[0].length, 24)
    const from = sizesAt(words)
    if (from === -1) return undefined
    const attributes: Attributes = {}
    putRequest(attributes, line.slice(open + 1, close))
    const status = Number(head[1])
    if (status > 0) attributes["http.response.status_code"] = status
    put(attributes, "envoy.response_flags", head[2])
    putAll(attributes, why, words.slice(0, from))
    putAll(attributes, sizes, words.slice(from))
    const forwarded = (words[from + 4] ?? "").split(",").map((part) => part.trim())
    if (endpointOf(forwarded[0]!) !== undefined) putEndpoint(attributes, "client", forwarded[0])
    if (forwarded.length > 1) attributes["client.forwarded"] = forwarded
    putAll(attributes, behind, words.slice(from + 5))
    put(attributes, "upstream.address", words[from + 8]?.replace(/^(?:tcp|udp|unix):\/\//u, ""))
    istio(attributes, words.slice(from + 9))
    return event(
      {
        time: at,
        level: status > 0 ? levelOfStatus(status) : head[2] === "-" ? "info" : "error",
        service: "envoy",
        message: line,
        attributes
      },
      now
    )
  }
}
