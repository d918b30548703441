/**
 * ArcSight's Common Event Format: `CEF:0|vendor|product|version|class|name|severity|key=value …`, alone or as the body
 * of a syslog line. The message is the event's `msg`, else its name; labelled custom fields take their labels as names too.
 */
import type { Level } from "../domain/Level.ts"
import { keysMax } from "./Clean.ts"
import { levelOfWord } from "./LevelWords.ts"
import { type Parser, event } from "./Parser.ts"
import { put, putEndpoint, typed } from "./Scan.ts"
import { timeOfText } from "./Time.ts"

const header = [
  "cef.version",
  "vendor.name",
  "product.name",
  "product.version",
  "event.id",
  "event.name",
  "event.severity"
]

const names: Readonly<Record<string, string>> = {
  src: "source.address",
  spt: "source.port",
  shost: "source.domain",
  dst: "destination.address",
  dpt: "destination.port",
  dhost: "destination.domain",
  suser: "user.name",
  suid: "user.id",
  duser: "destination.user.name",
  proto: "network.transport",
  app: "network.protocol.name",
  act: "event.action",
  outcome: "event.outcome",
  reason: "event.reason",
  request: "url.full",
  requestMethod: "http.request.method",
  requestClientApplication: "user_agent.original",
  dvchost: "host.name",
  spid: "process.pid",
  sproc: "process.name",
  fname: "file.name",
  filePath: "file.path",
  in: "network.io.receive",
  out: "network.io.transmit"
}

/** 0–3 low, 4–6 medium, 7–8 high, 9–10 very high, or words. */
export const levelOfSeverity = (text: string): Level | undefined => {
  if (/^\d{1,2}$/u.test(text)) {
    const value = Number(text)
    return value <= 3 ? "info" : value <= 6 ? "warn" : value <= 8 ? "error" : value <= 10 ? "fatal" : undefined
  }
  const words: Readonly<Record<string, Level>> = { low: "info", medium: "warn", high: "error", "very-high": "fatal" }
  return Object.hasOwn(words, text.toLowerCase()) ? words[text.toLowerCase()] : levelOfWord(text)
}

/** The header's parts, parted by bars that no backslash precedes, and where the extension begins. */
export const barred = (line: string, from: number, parts: number): readonly [ReadonlyArray<string>, number] => {
  const found: Array<string> = []
  let begin = from
  let i = from
  for (; i < line.length && found.length < parts; i++) {
    const code = line.charCodeAt(i)
    if (code === 92) i++
    else if (code === 124) {
      found.push(line.slice(begin, i).replace(/\\([|\\])/gu, "$1"))
      begin = i + 1
    }
  }
  if (found.length < parts && begin < line.length) {
    found.push(line.slice(begin))
    begin = line.length
  }
  return [found, begin]
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", "\\": "\\", "=": "=", "|": "|" }
const plain = (text: string): string =>
  text.includes("\\") ? text.replace(/\\(.)/gsu, (whole, char: string) => escapes[char] ?? whole) : text

const keyEnd = /[\w.[\]-]{1,64}$/u

/** `key=value key=value`, where values hold blanks and end where the next key begins. */
export const extension = (text: string): ReadonlyMap<string, string> => {
  const pairs = new Map<string, string>()
  let key = ""
  let begin = 0
  for (let at = text.indexOf("="); at !== -1; at = text.indexOf("=", at + 1)) {
    const before = text.charCodeAt(at - 1)
    if (before === 92 || before === 61 || before === 34 || pairs.size >= keysMax) continue
    const word = keyEnd.exec(text.slice(Math.max(begin, at - 65), at))
    // A key stands at the beginning or behind a blank: "?id=foo" is part of a value.
    if (word === null) continue
    const start = at - word[0].length
    if (start > 0 && text.charCodeAt(start - 1) !== 32) continue
    if (key !== "" && pairs.size < keysMax) pairs.set(key, plain(text.slice(begin, start).trimEnd()))
    key = word[0]
    begin = at + 1
  }
  if (key !== "") pairs.set(key, plain(text.slice(begin).trimEnd()))
  return pairs
}

const labelled = /^(?:cs|cn|cfp|c6a|flexString|flexNumber|flexDate|deviceCustomDate)\d{1,2}$/u

const putPairs = (attributes: Record<string, unknown>, pairs: ReadonlyMap<string, string>): void => {
  for (const [key, value] of pairs) {
    if (value === "" || key === "msg" || key === "__proto__") continue
    const label = labelled.test(key) ? pairs.get(`${key}Label`) : undefined
    if (label !== undefined && label !== "__proto__") attributes[label] = value
    if (key.endsWith("Label") && labelled.test(key.slice(0, -5))) {
      attributes[`cef.${key}`] = value
      continue
    }
    const name = Object.hasOwn(names, key) ? names[key]! : key
    if (label !== undefined) continue
    if (name.endsWith(".address")) putEndpoint(attributes, name.slice(0, -8), value)
    else attributes[name] = name.endsWith(".port") || name === "process.pid" ? typed(value) : value
  }
}

export const cef: Parser = {
  name: "cef",
  about: "ArcSight CEF, alone or in syslog",
  fields:
    "vendor.name product.name event.name event.severity source.address destination.address user.name event.action",
  begins: "C",
  parse: (line, now) => {
    if (!/^CEF:\d{1,2}\|/u.test(line)) return undefined
    const [parts, begin] = barred(line, 4, 7)
    if (parts.length < 6) return undefined
    const attributes: Record<string, unknown> = {}
    for (const [index, name] of header.entries()) put(attributes, name, parts[index])
    const pairs = extension(line.slice(begin))
    putPairs(attributes, pairs)
    const stamp = timeOfText(pairs.get("rt") ?? pairs.get("end") ?? pairs.get("start") ?? "", now)
    return event(
      {
        time: Number.isNaN(stamp) ? undefined : stamp,
        level: levelOfSeverity(parts[6] ?? ""),
        service: parts[2],
        message: pairs.get("msg") ?? parts[5]!,
        attributes
      },
      now
    )
  }
}
