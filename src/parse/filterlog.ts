/**
 * The packet filter's log of pfSense and OPNsense, the body of a syslog line: comma separated, in an order that depends on
 * the address family and the protocol. The body is the message.
 */
import { type Parser, event } from "./Parser.ts"
import { putAll } from "./Scan.ts"

const head = ["rule.id", "rule.sub_id", "rule.anchor", "rule.uuid", "network.interface.name", "event.reason", "event.action", "network.direction", "network.ip.version"] // prettier-ignore
const four = ["network.ip.tos", "network.ip.ecn", "network.ip.ttl", "network.ip.id", "network.ip.offset", "network.ip.flags", "network.protocol.number", "network.transport"] // prettier-ignore
const six = ["network.ip.class", "network.ip.flow_label", "network.ip.hop_limit", "network.transport", "network.protocol.number"] // prettier-ignore
const addresses = ["network.bytes", "source.address", "destination.address"]
const ports = ["source.port", "destination.port", "network.data_length"]
const tcp = ["network.tcp.flags", "network.tcp.sequence", "network.tcp.acknowledgement", "network.tcp.window", "network.tcp.urgent", "network.tcp.options"] // prettier-ignore

export const filterlog: Parser = {
  name: "filterlog",
  about: "pfSense and OPNsense packet filter, in syslog",
  fields: "event.action rule.id source.address source.port destination.address destination.port network.transport",
  begins: "0",
  parse: (line, now) => {
    if (line.length > 1024) return undefined
    const comma = line.indexOf(",")
    if (comma < 1 || comma > 6) return undefined
    const cells = line.split(",")
    const family = cells[8]
    if (cells.length < 17 || (cells[7] !== "in" && cells[7] !== "out") || (family !== "4" && family !== "6"))
      return undefined
    const attributes: Record<string, unknown> = {}
    putAll(attributes, head, cells)
    const own = family === "4" ? four : six
    putAll(attributes, own, cells.slice(9))
    const from = 9 + own.length
    putAll(attributes, addresses, cells.slice(from))
    const transport = String(attributes["network.transport"] ?? "").toLowerCase()
    attributes["network.transport"] = transport
    if (transport === "tcp" || transport === "udp") putAll(attributes, ports, cells.slice(from + 3))
    if (transport === "tcp") putAll(attributes, tcp, cells.slice(from + 6))
    const level = cells[6] === "block" || cells[6] === "reject" ? "warn" : "info"
    return event({ level, service: "filterlog", message: line, attributes }, now)
  }
}
