/**
 * Windows events as XML, as `wevtutil`, Event Forwarding and NXLog write them: one `<Event>` per line. The message is the
 * rendered one where there is one, else the line. Only the few elements that every event has are looked for, and
 * its data by name; it is no XML reader.
 */
import type { Level } from "../domain/Level.ts"
import { keysMax } from "./Clean.ts"
import { type Parser, event } from "./Parser.ts"
import { put, putEndpoint, typed } from "./Scan.ts"
import { timeOfText } from "./Time.ts"

const maxText = 64 * 1024

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }
const unescape = (text: string): string =>
  text.includes("&")
    ? text.replace(/&(?:#(\d{1,6})|#x([0-9a-fA-F]{1,5})|(amp|lt|gt|quot|apos));/gu, (whole, decimal, hex, name) => {
        if (name !== undefined) return entities[name as string]!
        const code = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal)
        return code > 31 && code < 0xd800 ? String.fromCharCode(code) : whole
      })
    : text

/** The text of the first such element without elements in it. */
const element = (text: string, name: string): string | undefined => {
  const open = text.indexOf(`<${name}`)
  const after = text.charCodeAt(open + name.length + 1)
  if (open === -1 || (after !== 62 && after !== 32)) return undefined
  const from = text.indexOf(">", open) + 1
  const to = text.indexOf("<", from)
  return from === 0 || to === -1 || text.charCodeAt(from - 2) === 47 ? undefined : unescape(text.slice(from, to)).trim()
}
/** An attribute of the first such element. */
const attribute = (text: string, name: string, key: string): string | undefined => {
  const open = text.indexOf(`<${name} `)
  if (open === -1) return undefined
  const tag = text.slice(open, text.indexOf(">", open))
  const at = tag.indexOf(` ${key}=`)
  const quote = tag[at + key.length + 2]
  if (at === -1 || (quote !== "'" && quote !== '"')) return undefined
  const to = tag.indexOf(quote, at + key.length + 3)
  return to === -1 ? undefined : unescape(tag.slice(at + key.length + 3, to))
}

/** 0 is what audits have: it says nothing. */
const levels: Readonly<Record<string, Level>> = { 1: "fatal", 2: "error", 3: "warn", 4: "info", 5: "debug" }
const failed = 0x10_0000_0000_0000n
const keywords = /^0x[0-9a-fA-F]{1,16}$/u

const data = /<Data(?: Name=(?:'([^']{1,64})'|"([^"]{1,64})"))?>([^<]*)<\/Data>/gu
const names: Readonly<Record<string, string>> = {
  TargetUserName: "user.name",
  IpAddress: "client.address",
  IpPort: "client.port",
  ProcessName: "process.executable.path",
  NewProcessName: "process.executable.path",
  CommandLine: "process.command_line"
}

export const windowsEvent: Parser = {
  name: "windows_event",
  about: "Windows events as XML",
  fields: "event.id event.provider winlog.channel host.name process.pid thread.id user.name client.address",
  begins: "<",
  parse: (line, now) => {
    if (!line.startsWith("<Event") || !line.endsWith("</Event>") || !line.includes("<System>")) return undefined
    const text = line.length > maxText ? line.slice(0, maxText) : line
    const provider = attribute(text, "Provider", "Name")
    const id = element(text, "EventID")
    if (id === undefined) return undefined
    const attributes: Record<string, unknown> = { "event.id": typed(id) }
    put(attributes, "event.provider", provider)
    put(attributes, "winlog.channel", element(text, "Channel"))
    put(attributes, "host.name", element(text, "Computer"))
    put(attributes, "winlog.record_id", typed(element(text, "EventRecordID") ?? ""))
    put(attributes, "process.pid", typed(attribute(text, "Execution", "ProcessID") ?? ""))
    put(attributes, "thread.id", typed(attribute(text, "Execution", "ThreadID") ?? ""))
    let count = 0
    for (const [, single, double, value] of text.matchAll(data)) {
      const key = unescape(single ?? double ?? `param${count + 1}`)
      if (key === "__proto__" || count++ >= keysMax) continue
      const name = Object.hasOwn(names, key) ? names[key]! : `winlog.data.${key}`
      if (name === "client.address") putEndpoint(attributes, "client", value)
      else put(attributes, name, name === "client.port" ? typed(value!) : unescape(value!))
    }
    const marks = element(text, "Keywords") ?? ""
    const audit = keywords.test(marks) ? ((BigInt(marks) & failed) === 0n ? "info" : "warn") : undefined
    const time = timeOfText(attribute(text, "TimeCreated", "SystemTime") ?? "", now)
    return event(
      {
        time: Number.isNaN(time) ? undefined : time,
        level: levels[element(text, "Level") ?? ""] ?? audit,
        service: provider,
        message: (text.includes("<UserData>") ? undefined : element(text, "Message")) ?? line,
        attributes
      },
      now
    )
  }
}
