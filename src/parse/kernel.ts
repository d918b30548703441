/**
 * What the Linux kernel says of packets and crashes, mostly the body of syslog: netfilter's `IN=… OUT=… SRC=…` of iptables,
 * nftables and ufw, and `program[pid]: segfault at …`. The line is the message.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { type Parser, event } from "./Parser.ts"
import { endpointOf, typed } from "./Scan.ts"

const uptime = /^\[ {0,8}(\d{1,10}\.\d{1,6})\] ?/u
const names: Readonly<Record<string, string>> = {
  IN: "network.interface.in",
  OUT: "network.interface.out",
  MAC: "network.mac",
  SRC: "source.address",
  DST: "destination.address",
  SPT: "source.port",
  DPT: "destination.port",
  PROTO: "network.transport",
  LEN: "network.bytes",
  TTL: "network.ip.ttl",
  ID: "network.ip.id",
  WINDOW: "network.tcp.window",
  MARK: "network.mark"
}

const packet = (text: string, from: number): Record<string, unknown> | undefined => {
  const attributes: Record<string, unknown> = {}
  const flags: Array<string> = []
  for (const word of text.slice(from, from + 2048).split(" ")) {
    const equals = word.indexOf("=")
    if (equals === -1) {
      if (/^[A-Z]{2,3}$/u.test(word)) flags.push(word)
      continue
    }
    const key = word.slice(0, equals)
    const value = word.slice(equals + 1)
    if (value === "" || !/^[A-Z]{2,10}$/u.test(key)) continue
    const name = Object.hasOwn(names, key) ? names[key]! : `network.${key.toLowerCase()}`
    if (name === "network.transport") attributes[name] = value.toLowerCase()
    // The inner packet of an ICMP message repeats names; of UDP, the datagram's own length comes second.
    else if (name in attributes) attributes[`${name}.inner`] ??= typed(value)
    else attributes[name] = typed(value)
  }
  if (endpointOf(String(attributes["source.address"] ?? "")) === undefined) return undefined
  if (flags.length > 0) attributes["network.flags"] = flags
  return attributes
}

const fault =
  /^(\S{1,64})\[(\d{1,10})\]: segfault at ([0-9a-f]{1,16}) ip ([0-9a-f]{1,16}) sp ([0-9a-f]{1,16}) error (\d{1,4})(?: in ([^\s[]{1,128})\[([0-9a-f,+]{1,64})\])?/u
const crash = ["process.name", "process.pid", "segfault.address", "segfault.instruction_pointer", "segfault.stack_pointer", "segfault.error", "segfault.library", "segfault.offset"] // prettier-ignore

const read = (line: string, now: number): LogEvent | undefined => {
  const stamp = uptime.exec(line)
  const begin = stamp?.[0].length ?? 0
  const at = line.slice(begin, begin + 200).search(/(?:^|\s)IN=\S* OUT=/u)
  const attributes = at === -1 ? undefined : packet(line, begin + at)
  if (attributes !== undefined) {
    const prefix = line
      .slice(begin, begin + at)
      .trim()
      .replace(/^\[(.*)\]$/u, "$1")
      .replace(/:$/u, "")
    if (prefix !== "") attributes["rule.name"] = prefix
    const refused = /block|drop|den(?:y|ied)|reject/iu.test(prefix)
    return event({ level: refused ? "warn" : "info", service: "kernel", message: line, attributes }, now)
  }
  const parts = fault.exec(line.slice(begin, begin + 600))
  if (parts === null) return undefined
  const found: Record<string, unknown> = {}
  for (const [index, name] of crash.entries()) {
    const value = parts[index + 1]
    if (value !== undefined) found[name] = name === "process.pid" || name === "segfault.error" ? Number(value) : value
  }
  return event({ level: "error", service: "kernel", message: line, attributes: found }, now)
}

export const kernel: Parser = {
  name: "kernel",
  about: "Linux kernel: iptables, nftables and ufw packets, segmentation faults",
  fields:
    "source.address source.port destination.address destination.port network.transport network.interface.in rule.name process.name",
  begins: "[IAa",
  parse: (line, now) => (line.includes(" OUT=") || line.includes(" segfault at ") ? read(line, now) : undefined)
}
