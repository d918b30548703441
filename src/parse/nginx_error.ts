/**
 * nginx's error log: `2021/04/01 13:02:31 [error] 31#31: *1 message, client: …, server: …, request: "…", host: "…"`. The
 * message is the part that nginx wrote; what follows it are attributes.
 */
import { embedded } from "./Embedded.ts"
import { putRequest, putServer } from "./Http.ts"
import { levelOfWord } from "./LevelWords.ts"
import { type Parser, event } from "./Parser.ts"
import { put, putEndpoint, typed } from "./Scan.ts"
import { found as time, timeAt } from "./Time.ts"

const head = / \[(\w{3,8})\] (\d{1,10})#(\d{1,10}): (?:\*(\d{1,20}) )?/uy
/** `, key: value` at the end, the value bare or in quotes. */
const part = /, (client|server|request|subrequest|upstream|host|referrer): (?:"((?:[^"\\]|\\.)*)"|([^,"\s]*))/uy

/** NAXSI's `NAXSI_FMT: ip=…&server=…&zone0=…`: what matched in which part of the request. */
const naxsi = (message: string, attributes: Record<string, unknown>): void => {
  for (const pair of message.slice(message.indexOf(": ") + 2, 4096).split("&")) {
    const equals = pair.indexOf("=")
    const key = pair.slice(0, equals)
    if (equals < 1 || !/^[a-z][a-z_]{1,20}\d{0,3}$/u.test(key)) continue
    put(attributes, `naxsi.${key}`, typed(pair.slice(equals + 1)))
  }
}

export const nginxError: Parser = {
  name: "nginx_error",
  about: "nginx error log",
  fields: "client.address server.address http.request.method url.path process.pid thread.id nginx.connection upstream",
  begins: "0",
  parse: (line, now) => {
    if (line.charCodeAt(4) !== 47 || !timeAt(line, 0, now)) return undefined
    const at = time.time
    head.lastIndex = time.end
    const parts = head.exec(line)
    if (parts === null) return undefined
    const level = levelOfWord(parts[1]!)
    if (level === undefined) return undefined
    const attributes: Record<string, unknown> = {
      "process.pid": Number(parts[2]),
      "thread.id": Number(parts[3])
    }
    if (parts[4] !== undefined) attributes["nginx.connection"] = Number(parts[4])
    let end = line.indexOf(", client: ", head.lastIndex)
    if (end === -1) end = line.indexOf(", server: ", head.lastIndex)
    let message = line.slice(head.lastIndex, end === -1 ? undefined : end)
    let stop = end === -1 ? line.length : end
    for (part.lastIndex = end === -1 ? line.length : end; ;) {
      const found = part.exec(line)
      if (found === null) break
      stop = part.lastIndex
      const value = found[2] ?? found[3]!
      if (found[1] === "client") putEndpoint(attributes, "client", value)
      else if (found[1] === "server") put(attributes, "nginx.server", value)
      else if (found[1] === "request") putRequest(attributes, value)
      else if (found[1] === "host") putServer(attributes, value)
      else if (found[1] === "referrer") put(attributes, "http.request.header.referer", value)
      else put(attributes, found[1]!, value)
    }
    // What stands behind the known parts is the message's still.
    message += line.slice(stop)
    if (attributes["server.address"] === undefined)
      putServer(attributes, attributes["nginx.server"] as string | undefined)
    if (message.startsWith("NAXSI_")) naxsi(message, attributes)
    else embedded(message, attributes)
    return event({ time: at, level, service: "nginx", message, attributes }, now)
  }
}
