/**
 * What Cisco's devices say behind syslog's header: `%ASA-6-302013: text`, `%SYS-5-CONFIG_I: text`. The level is the digit
 * between the dashes; addresses stand as `interface:address/port`. The text is the message.
 */
import { embedded } from "./Embedded.ts"
import { levelOfSyslog } from "./Fields.ts"
import { type Parser, event } from "./Parser.ts"
import { endpointOf, put } from "./Scan.ts"

const head = /^%(([A-Z][A-Z0-9_]{1,30})(?:-[A-Z][A-Z0-9_]{0,30}){0,2}-([0-7])-([A-Z0-9_]{2,40})): ?/u
/** An address and its interface, and the words before that say whose it is. */
const side =
  /\b(src|source|from|for|dst|destination|to|faddr|gaddr|laddr) (?:[\w()-]{1,48}:)?(\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]{3,39}:[0-9a-fA-F:]{1,20})(?:\/(\d{1,5}))?(?![\w.])/gu
const sources = new Set(["src", "source", "from", "for", "faddr"])
const user = /\b(?:[uU]ser(?:name)?(?: ?[=:] ?| (?=['"]))['"]?|by (?=[\w.@-]{1,64} (?:on|from) ))([\w.@\\-]{1,64})/u
const peer = /\bIP = ([0-9a-fA-F.:]{3,45})/u
const group = /access-(?:group|list) "?([\w.-]{1,64})"?/u
const action = /^(?:access-list \S{1,64} )?(Deny|denied|permitted|Built|Teardown|est-allowed)\b/iu
const transport = /\b(tcp|udp|icmp|icmp6|gre|esp)\b/iu

export const cisco: Parser = {
  name: "cisco",
  about: "Cisco ASA, FTD and IOS, in syslog",
  fields:
    "event.id event.action source.address source.port destination.address destination.port network.transport user.name rule.name",
  begins: "%",
  parse: (line, now) => {
    const parts = head.exec(line.slice(0, 120))
    if (parts === null) return undefined
    const message = line.slice(parts[0].length)
    const text = message.slice(0, 1024)
    const attributes: Record<string, unknown> = { "event.id": parts[1] }
    for (const [, word, address, port] of text.matchAll(side)) {
      const name = sources.has(word!) ? "source" : "destination"
      const endpoint = endpointOf(address!)
      if (endpoint === undefined || attributes[`${name}.address`] !== undefined) continue
      attributes[`${name}.address`] = endpoint.address
      if (port !== undefined) attributes[`${name}.port`] = Number(port)
    }
    const client = peer.exec(text)
    if (client !== null) put(attributes, "client.address", endpointOf(client[1]!)?.address)
    put(attributes, "user.name", user.exec(text)?.[1])
    put(attributes, "rule.name", group.exec(text)?.[1])
    const done = action.exec(text)
    if (done !== null) {
      attributes["event.action"] = done[1]!.toLowerCase()
      put(attributes, "network.transport", transport.exec(text)?.[1]?.toLowerCase())
    }
    if (attributes["source.address"] === undefined) embedded(message, attributes)
    return event({ level: levelOfSyslog(Number(parts[3])), service: parts[2], message, attributes }, now)
  }
}
