/** QRadar's Log Event Extended Format: `LEEF:2.0|vendor|product|version|event|^|key=value^key=value`, tabs by default. */
import { keysMax } from "./Clean.ts"
import { barred, levelOfSeverity } from "./cef.ts"
import { type Parser, event } from "./Parser.ts"
import { put, putEndpoint, typed } from "./Scan.ts"
import { timeOfText } from "./Time.ts"

const names: Readonly<Record<string, string>> = {
  src: "source.address",
  dst: "destination.address",
  srcPort: "source.port",
  dstPort: "destination.port",
  usrName: "user.name",
  proto: "network.transport",
  identHostName: "host.name",
  cat: "event.category",
  sev: "event.severity",
  action: "event.action",
  url: "url.full",
  policy: "event.policy"
}

/** LEEF 2 may name its delimiter: a character, or its code as `x5E`. */
const delimiter = (text: string): string => {
  const hex = /^(?:0x|x)([0-9a-f]{2,4})$/iu.exec(text)
  if (hex !== null) return String.fromCharCode(Number.parseInt(hex[1]!, 16))
  return text.length === 1 ? text : "\t"
}

export const leef: Parser = {
  name: "leef",
  about: "IBM QRadar LEEF 1 and 2",
  fields: "vendor.name product.name event.id source.address destination.address user.name event.severity",
  begins: "L",
  parse: (line, now) => {
    const version = /^LEEF:([12])(?:\.0)?\|/u.exec(line)
    if (version === null) return undefined
    const two = version[1] === "2"
    const [parts, from] = barred(line, version[0].length, 4)
    let begin = from
    if (parts.length < 4) return undefined
    let separator = "\t"
    if (two) {
      const bar = line.indexOf("|", begin)
      if (bar !== -1 && bar - begin <= 6) {
        separator = delimiter(line.slice(begin, bar))
        begin = bar + 1
      }
    }
    const attributes: Record<string, unknown> = {}
    for (const [index, name] of ["vendor.name", "product.name", "product.version", "event.id"].entries()) {
      put(attributes, name, parts[index])
    }
    const pairs = line.slice(begin).split(separator, keysMax)
    let [stamp, message, severity] = [Number.NaN, "", ""]
    for (const pair of pairs) {
      const equals = pair.indexOf("=")
      if (equals < 1) continue
      const key = pair.slice(0, equals).trim()
      const value = pair.slice(equals + 1).trim()
      if (key === "devTime") stamp = timeOfText(value, now)
      if (key === "msg") message = value
      if (key === "sev") severity = value
      if (value === "" || key === "__proto__" || (key === "devTime" && !Number.isNaN(stamp))) continue
      const name = Object.hasOwn(names, key) ? names[key]! : key
      if (name.endsWith(".address")) putEndpoint(attributes, name.slice(0, -8), value)
      else attributes[name] = name.endsWith(".port") || name === "event.severity" ? typed(value) : value
    }
    const time = Number.isNaN(stamp) ? undefined : stamp
    return event(
      { time, level: levelOfSeverity(severity), service: parts[1], message: message || line, attributes },
      now
    )
  }
}
