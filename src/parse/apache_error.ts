/**
 * Apache's error log since 2.4: `[time] [module:level] [pid 1:tid 2] [client 1.2.3.4:5] AH01234: message`, and what
 * ModSecurity writes there: `[file "…"] [line "…"] [id "…"] …`. Older lines (`[time] [level] message`) are plain ones.
 */
import { embedded } from "./Embedded.ts"
import { levelOfWord } from "./LevelWords.ts"
import { type Parser, event } from "./Parser.ts"
import { closingQuote, endpointOf } from "./Scan.ts"
import { found as time, timeAt } from "./Time.ts"

const module = /\] \[(\w{0,40}):(\w{3,9})\]/uy
const pid = / \[pid (\d{1,10})(?::tid (\d{1,20}))?\]/uy
const peer = / \[(client|remote) ([^\]\s]{2,80})\]/uy
const code = /AH\d{5}(?=:)/uy
const security = /ModSecurity: (Warning|Access denied with code (\d{3}) \(phase (\d)\))\. /uy

type Attributes = Record<string, unknown>

/** ModSecurity's `[key "value"]` rows, behind what it says. */
const rules = (line: string, from: number, attributes: Attributes): number => {
  let at = from
  let begin = -1
  const tags: Array<string> = []
  for (let rows = 0; rows < 64; rows++) {
    at = line.indexOf("[", at)
    if (at === -1) break
    const key = /^\[([a-z_]{1,20}) "/u.exec(line.slice(at, at + 24))
    if (key === null) {
      at++
      continue
    }
    const open = at + key[0].length - 1
    const close = closingQuote(line, open)
    if (close === -1) break
    if (begin === -1) begin = at
    const value = line.slice(open + 1, close)
    if (key[1] === "tag") tags.push(value)
    else attributes[names[key[1]!] ?? `modsecurity.${key[1]}`] = value
    at = close + 1
  }
  if (tags.length > 0) attributes["rule.tags"] = tags
  return begin
}

const names: Readonly<Record<string, string>> = {
  file: "rule.file",
  line: "rule.line",
  id: "rule.id",
  rev: "rule.revision",
  msg: "rule.name",
  data: "rule.data",
  severity: "rule.severity",
  ver: "rule.version",
  hostname: "server.address",
  uri: "url.path",
  unique_id: "http.request.id"
}

export const apacheError: Parser = {
  name: "apache_error",
  about: "Apache error log since 2.4, ModSecurity in it",
  fields: "client.address client.port process.pid thread.id apache.module error.code rule.id",
  begins: "[",
  parse: (line, now) => {
    if (line.charCodeAt(0) !== 91 || !timeAt(line, 1, now)) return undefined
    const at = time.time
    module.lastIndex = time.end
    const head = module.exec(line)
    if (head === null) return undefined
    const level = levelOfWord(head[2]!) ?? (head[2]!.startsWith("trace") ? "trace" : undefined)
    if (level === undefined) return undefined
    const attributes: Attributes = {}
    if (head[1] !== "") attributes["apache.module"] = head[1]
    let end = module.lastIndex
    pid.lastIndex = end
    const process = pid.exec(line)
    if (process === null) return undefined
    end = pid.lastIndex
    attributes["process.pid"] = Number(process[1])
    if (process[2] !== undefined) attributes["thread.id"] = process[2]
    for (let peers = 0; peers < 3; peers++) {
      peer.lastIndex = end
      const found = peer.exec(line)
      if (found === null) break
      end = peer.lastIndex
      const endpoint = endpointOf(found[2]!)
      attributes["client.address"] ??= endpoint?.address ?? found[2]
      if (endpoint?.port !== undefined) attributes["client.port"] ??= endpoint.port
    }
    while (line.charCodeAt(end) === 32) end++
    code.lastIndex = end
    const error = code.exec(line)
    if (error !== null) attributes["error.code"] = error[0]
    security.lastIndex = end
    const rule = security.exec(line)
    let message = line.slice(end)
    if (rule === null) embedded(message, attributes)
    else {
      attributes["event.action"] = rule[2] === undefined ? rule[1] : "Access denied"
      if (rule[2] !== undefined) attributes["http.response.status_code"] = Number(rule[2])
      if (rule[3] !== undefined) attributes["modsecurity.phase"] = Number(rule[3])
      const begin = rules(line, security.lastIndex, attributes)
      // What it found, without what is attributes now.
      message = line.slice(security.lastIndex, begin === -1 ? undefined : begin).trimEnd()
    }
    return event({ time: at, level, service: "apache", message, attributes }, now)
  }
}
