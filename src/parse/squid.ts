/** Squid's own access log: `seconds.ms elapsed client RESULT/status bytes METHOD url user HIERARCHY/peer type`. */
import { isMethod, levelOfStatus, putTarget } from "./Http.ts"
import { type Parser, event } from "./Parser.ts"
import { put, putEndpoint, typed } from "./Scan.ts"

const shape =
  /^(\d{9,10}\.\d{3}) {1,10}(-?\d{1,10}) (\S{1,128}) ([A-Z_]{3,40})\/(\d{3}) (\d{1,15}) ([A-Z_-]{3,20}) (\S+) (\S{1,256}) ([A-Z_]{1,40})\/(\S{1,256}) (\S{1,128})/u

export const squid: Parser = {
  name: "squid",
  about: "Squid's native access log",
  fields: "client.address http.request.method url.full http.response.status_code duration_ms squid.result",
  begins: "0",
  parse: (line, now) => {
    if (line.charCodeAt(10) !== 46 && line.charCodeAt(9) !== 46) return undefined
    const parts = shape.exec(line)
    if (parts === null) return undefined
    const status = Number(parts[5])
    const attributes: Record<string, unknown> = { duration_ms: Number(parts[2]), "squid.result": parts[4] }
    putEndpoint(attributes, "client", parts[3])
    if (status >= 100) attributes["http.response.status_code"] = status
    attributes["http.response.size"] = Number(parts[6])
    attributes[isMethod(parts[7]!) ? "http.request.method" : "squid.method"] = parts[7]
    putTarget(attributes, parts[8]!)
    put(attributes, "user.name", parts[9])
    attributes["squid.hierarchy"] = parts[10]
    putEndpoint(attributes, "destination", parts[11])
    put(attributes, "http.response.content_type", typed(parts[12]!))
    const level = status >= 100 ? levelOfStatus(status) : "info"
    return event({ time: Math.round(Number(parts[1]) * 1000), level, service: "squid", message: line, attributes }, now)
  }
}
