/** Suricata's and Snort's fast log: `time [**] [gid:sid:rev] signature [**] [Classification: …] [Priority: n] {PROTO} a:1 -> b:2`. */
import type { Level } from "../domain/Level.ts"
import { type Parser, event } from "./Parser.ts"
import { putEndpoint } from "./Scan.ts"
import { found as time, timeAt } from "./Time.ts"

const rule = /^ {1,4}(?:\[(\w{3,10})\] )?\[\*\*\] \[(\d{1,10}):(\d{1,10}):(\d{1,10})\] (.{1,512}?) \[\*\*\] /u
const rest =
  /^(?:\[Classification: ([^\]]{0,200})\] )?(?:\[Priority: (\d{1,4})\] )?\{([\w-]{1,24})\} (\S{1,64}) -> (\S{1,64})/u

export const suricata: Parser = {
  name: "suricata",
  about: "Suricata and Snort, fast log",
  fields:
    "rule.id rule.name rule.category source.address source.port destination.address destination.port network.transport",
  begins: "0",
  parse: (line, now) => {
    if (line.charCodeAt(2) !== 47 || !timeAt(line, 0, now)) return undefined
    const at = time.time
    const head = line.slice(time.end, time.end + 1024)
    const parts = rule.exec(head)
    if (parts === null) return undefined
    const attributes: Record<string, unknown> = {
      "rule.generator_id": Number(parts[2]),
      "rule.id": Number(parts[3]),
      "rule.revision": Number(parts[4]),
      "rule.name": parts[5]
    }
    if (parts[1] !== undefined) attributes["event.action"] = parts[1]
    const flow = rest.exec(head.slice(parts[0].length))
    const priority = Number(flow?.[2])
    if (flow !== null) {
      if (flow[1] !== undefined) attributes["rule.category"] = flow[1]
      if (flow[2] !== undefined) attributes["event.priority"] = priority
      attributes["network.transport"] = flow[3]!.toLowerCase()
      putEndpoint(attributes, "source", flow[4])
      putEndpoint(attributes, "destination", flow[5])
    }
    const level: Level = priority === 1 ? "error" : priority === 2 ? "warn" : "info"
    return event({ time: at, level, service: "suricata", message: line, attributes }, now)
  }
}
