/** Gin's request lines: `[GIN] 2024/01/02 - 03:04:05 | 404 | 1.234ms | 192.168.1.5 | GET "/x"`. The line is the message. */
import { levelOfStatus, putTarget } from "./Http.ts"
import { type Parser, event } from "./Parser.ts"
import { putEndpoint } from "./Scan.ts"
import { timeOfText } from "./Time.ts"

const shape =
  /^\[GIN\] (\d{4}\/\d\d\/\d\d) - (\d\d:\d\d:\d\d) \|\s{0,3}(\d{3}) ?\| {0,24}([\d.]{1,16})(ns|µs|ms|s|m)[^|]{0,16}\| {0,40}(\S{1,64}) ?\| ([A-Z]{3,10}) {1,12}"([^"]{1,8192})"/u
const units: Readonly<Record<string, number>> = { ns: 1e-6, µs: 1e-3, ms: 1, s: 1000, m: 60_000 }

export const gin: Parser = {
  name: "gin",
  about: "Gin (Go) request log",
  fields: "client.address http.request.method url.path http.response.status_code duration_ms",
  begins: "[",
  parse: (line, now) => {
    if (!line.startsWith("[GIN] ")) return undefined
    const parts = shape.exec(line)
    if (parts === null) return undefined
    const time = timeOfText(`${parts[1]} ${parts[2]}`, now)
    const status = Number(parts[3])
    const taken = Number(parts[4]) * units[parts[5]!]!
    if (Number.isNaN(time)) return undefined
    const attributes: Record<string, unknown> = { "http.request.method": parts[7], "http.response.status_code": status }
    putEndpoint(attributes, "client", parts[6])
    putTarget(attributes, parts[8]!)
    if (Number.isFinite(taken)) attributes["duration_ms"] = Math.round(taken * 1e6) / 1e6
    return event({ time, level: levelOfStatus(status), message: line, attributes }, now)
  }
}
