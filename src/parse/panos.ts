/**
 * Palo Alto firewalls (PAN-OS): comma separated rows of traffic, threat and system logs, the body of a syslog line. The row
 * is the message; columns behind the known ones stay in it.
 */
import type { Level } from "../domain/Level.ts"
import { cellsOf } from "./csv.ts"
import { type Parser, event } from "./Parser.ts"
import { putAll } from "./Scan.ts"
import { timeOfText } from "./Time.ts"

const flow = [
  "", "", "host.id", "event.category", "event.type", "panos.config_version", "event.generated", "source.address",
  "destination.address", "source.nat.address", "destination.nat.address", "rule.name", "user.name",
  "destination.user.name", "network.application", "panos.vsys", "source.zone", "destination.zone",
  "network.interface.ingress", "network.interface.egress", "panos.log_action", "", "session.id", "event.count",
  "source.port", "destination.port", "source.nat.port", "destination.nat.port", "panos.flags", "network.transport",
  "event.action"
] // prettier-ignore
const threat = [
  "url.full", "threat.id", "threat.category", "event.severity", "network.direction", "event.sequence",
  "panos.action_flags", "source.geo.country", "destination.geo.country", "", "http.response.content_type", "panos.pcap_id",
  "file.hash"
] // prettier-ignore
const traffic = [
  "network.bytes", "source.bytes", "destination.bytes", "network.packets", "flow.start", "flow.duration_s",
  "url.category", "", "event.sequence", "panos.action_flags", "source.geo.country", "destination.geo.country"
] // prettier-ignore

const levels: Readonly<Record<string, Level>> = {
  informational: "info",
  low: "info",
  medium: "warn",
  high: "error",
  critical: "fatal"
}

export const panos: Parser = {
  name: "panos",
  about: "Palo Alto firewalls (PAN-OS traffic and threat), in syslog",
  fields:
    "event.category event.action rule.name source.address destination.address source.port network.transport threat.id",
  begins: "01",
  parse: (line, now) => {
    if (!/^[01],\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d,\w{8,20},(?:TRAFFIC|THREAT)/u.test(line)) return undefined
    const cells = cellsOf(line, ",")
    if (cells.length < 32) return undefined
    const attributes: Record<string, unknown> = {}
    putAll(attributes, flow, cells)
    putAll(attributes, cells[3] === "THREAT" ? threat : traffic, cells.slice(31))
    // Serial numbers are digits, but no number.
    attributes["host.id"] = cells[2]
    const time = timeOfText(cells[6]!, now)
    const severity = String(attributes["event.severity"] ?? "informational")
    return event(
      {
        time: Number.isNaN(time) ? undefined : time,
        level: Object.hasOwn(levels, severity) ? levels[severity] : "info",
        service: "panos",
        message: line,
        attributes
      },
      now
    )
  }
}
