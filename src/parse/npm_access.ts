/**
 * Access logs of Nginx Proxy Manager: `[time] [cache upstream-status] status - METHOD scheme host "path" [Client …] [Length …]
 * [Gzip …] [Sent-to …] "user agent" "referer"`. The line is the message.
 */
import { isMethod, levelOfStatus, putServer, putTarget } from "./Http.ts"
import { type Parser, event } from "./Parser.ts"
import { put, putEndpoint, typed, wordsOf } from "./Scan.ts"
import { found as time, timeAt } from "./Time.ts"

const names: Readonly<Record<string, string>> = {
  Length: "http.response.body.size",
  Gzip: "gzip_ratio",
  "Sent-to": "upstream.address"
}

export const npmAccess: Parser = {
  name: "npm_access",
  about: "Nginx Proxy Manager",
  fields:
    "client.address http.request.method url.scheme server.address url.path http.response.status_code upstream.address",
  begins: "[",
  parse: (line, now) => {
    if (line.charCodeAt(0) !== 91 || !timeAt(line, 1, now) || line.charCodeAt(time.end) !== 93) return undefined
    const at = time.time
    const words = wordsOf(line, time.end + 1, 20)
    const method = words.findIndex((word) => isMethod(word))
    if (method < 2 || method > 4 || words[method - 1] !== "-") return undefined
    const status = Number(words[method - 2])
    const path = words[method + 3]
    if (!(status >= 100 && status <= 999) || path === undefined) return undefined
    const attributes: Record<string, unknown> = {}
    if (method === 4) {
      put(attributes, "cache.status", words[0])
      put(attributes, "upstream.status_code", typed(words[1]!))
    }
    attributes["http.response.status_code"] = status
    attributes["http.request.method"] = words[method]
    put(attributes, "url.scheme", words[method + 1])
    putServer(attributes, words[method + 2])
    putTarget(attributes, path)
    let agent = 0
    for (const word of words.slice(method + 4)) {
      const blank = word.indexOf(" ")
      const key = word.slice(0, blank)
      if (agent === 0 && key === "Client") putEndpoint(attributes, "client", word.slice(blank + 1))
      else if (agent === 0 && Object.hasOwn(names, key)) put(attributes, names[key]!, typed(word.slice(blank + 1)))
      else put(attributes, agent++ === 0 ? "user_agent.original" : "http.request.header.referer", word)
    }
    return event({ time: at, level: levelOfStatus(status), message: line, attributes }, now)
  }
}
