/** CouchDB's request log: `[notice] time node <pid> id host peer user METHOD path status ok ms`. The line is the message. */
import { isMethod, levelOfStatus, putServer, putTarget } from "./Http.ts"
import { levelOfWord } from "./LevelWords.ts"
import { type Parser, event } from "./Parser.ts"
import { put, putEndpoint } from "./Scan.ts"
import { found as time, timeAt } from "./Time.ts"

export const couchdb: Parser = {
  name: "couchdb",
  about: "CouchDB request log",
  fields: "client.address user.name http.request.method url.path http.response.status_code server.address duration_ms",
  begins: "[",
  parse: (line, now) => {
    const close = line.indexOf("] ")
    if (close < 3 || close > 12 || line.length > 16_384) return undefined
    const level = levelOfWord(line.slice(1, close))
    if (level === undefined || !timeAt(line, close + 2, now)) return undefined
    const at = time.time
    const words = line.slice(time.end + 1).split(" ", 12)
    if (words.length < 9 || !words[1]!.startsWith("<") || !isMethod(words[6]!) || !/^\d{3}$/u.test(words[8]!)) {
      return undefined
    }
    const status = Number(words[8])
    const attributes: Record<string, unknown> = { "couchdb.node": words[0], "couchdb.process": words[1] }
    put(attributes, "http.request.id", words[2])
    putServer(attributes, words[3])
    putEndpoint(attributes, "client", words[4])
    put(attributes, "user.name", words[5])
    attributes["http.request.method"] = words[6]
    putTarget(attributes, words[7]!)
    attributes["http.response.status_code"] = status
    const taken = Number(words[10])
    if (taken >= 0) attributes["duration_ms"] = taken
    return event(
      {
        time: at,
        level: level === "info" ? levelOfStatus(status) : level,
        service: "couchdb",
        message: line,
        attributes
      },
      now
    )
  }
}
