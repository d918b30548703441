/**
 * Ruby's Logger (`I, [time #pid]  INFO -- program: text`), whose text may have a format of its own, and what Rails writes
 * of a request with it or bare: `Started GET "/x" for 1.2.3.4 at …`, `Processing by …`, `Completed 200 OK in 31ms`.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { enveloped } from "./Envelope.ts"
import { levelOfStatus, putTarget } from "./Http.ts"
import { levelOfLetter } from "./LevelWords.ts"
import { type Found, type Parser, event } from "./Parser.ts"
import { put, putEndpoint } from "./Scan.ts"
import { found as time, timeAt, timeOfText } from "./Time.ts"

const behind = / #(\d{1,10})\] {1,2}(?:DEBUG|INFO|WARN|ERROR|FATAL|ANY|UNKNOWN) -- ([^:]{0,64}):(?: |$)/uy
/** Tags that Rails puts before the text: the request's id first, mostly. */
const tagged = /^\[([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\] ?/u
const started = /^Started ([A-Z]{3,9}) "([^"]{1,2048})" for (\S{2,64}) at (\S.{17,40})$/u
const processing = /^Processing by ([\w:]{1,100})#(\w{1,80}) as (\S{1,60})$/u
const completed = /^Completed (\d{3}) (?:[A-Z][\w' -]{1,40} )?in (\d{1,9}(?:\.\d{1,3})?)ms\b/u

const rails = (line: string, now: number): LogEvent | undefined => {
  const tag = line.charCodeAt(0) === 91 ? tagged.exec(line) : null
  if (tag === null && line.charCodeAt(0) === 91) return undefined
  const text = tag === null ? line : line.slice(tag[0].length)
  if (text.length > 4096) return undefined
  const found: Found = { message: line, attributes: {} }
  const { attributes } = found
  put(attributes, "http.request.id", tag?.[1])
  const begin = started.exec(text)
  const work = begin === null ? processing.exec(text) : null
  const end = begin === null && work === null ? completed.exec(text) : null
  if (begin !== null) {
    attributes["http.request.method"] = begin[1]
    putTarget(attributes, begin[2]!)
    putEndpoint(attributes, "client", begin[3])
    const at = timeOfText(begin[4]!, now)
    if (!Number.isNaN(at)) found.time = at
    found.level = "info"
  } else if (work !== null) {
    attributes["code.namespace"] = work[1]
    attributes["code.function.name"] = work[2]
    found.level = "info"
  } else if (end !== null) {
    attributes["http.response.status_code"] = Number(end[1])
    attributes["duration_ms"] = Number(end[2])
    found.level = levelOfStatus(Number(end[1]))
  } else return undefined
  return event(found, now)
}

export const ruby: Parser = {
  name: "ruby",
  about: "Ruby's Logger and Rails' requests; the text's own format is read too",
  fields:
    "process.pid http.request.method url.path client.address http.response.status_code duration_ms http.request.id",
  begins: "ISPC[DWEFAU",
  parse: (line, now, inner) => {
    if (line.charCodeAt(1) !== 44) return /^(?:\[|Started |Proce|Compl)/u.test(line) ? rails(line, now) : undefined
    if (line.charCodeAt(3) !== 91 || !timeAt(line, 4, now)) return undefined
    const at = time.time
    behind.lastIndex = time.end
    const parts = behind.exec(line)
    if (parts === null) return undefined
    const text = line.slice(behind.lastIndex)
    const attributes: Record<string, unknown> = { "process.pid": Number(parts[1]) }
    put(attributes, "http.request.id", tagged.exec(text)?.[1])
    // `A` and `U` stand for levels of the program's own.
    const level = line[0] === "A" || line[0] === "U" ? undefined : levelOfLetter(line[0]!)
    return enveloped(text, { time: at, level, service: parts[2]!.trim(), attributes }, now, inner)
  }
}
