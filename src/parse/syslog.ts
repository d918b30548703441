/**
 * Syslog lines: RFC 5424 and RFC 3164, with or without `<PRI>`, and as rsyslog and journald write them to files (ISO
 * times). Without PRI a line is only syslog if host and tag stand behind the time. The message is the part after the
 * tag; where that is a JSON object or pairs, its fields are read too.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { cleanText } from "./Clean.ts"
import { fromFields, levelOfSyslog } from "./Fields.ts"
import { objectOf } from "./json.ts"
import { levelOfMessage, levelOfWord } from "./LevelWords.ts"
import { type Found, type Parser, event } from "./Parser.ts"
import { found as time, timeAt } from "./Time.ts"

const facilities =
  "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp security console clock local0 local1 local2 local3 local4 local5 local6 local7".split(
    " "
  )

/** `host tag[pid]: `; a tag may be two words ("syslogd 1.4.1:") but not a sentence. */
const header = /^(\S{1,255}) +(?:-- )?([\w./()@+-]{1,64}(?: \d[\w.]{0,15})?)(?:\[(\d{1,10})\])?: ?/u
const tagOnly = /^([\w./()@+-]{1,64})(?:\[(\d{1,10})\])?: ?/u
const rfc5424 = /^(\S{1,255}) (\S{1,64}) (\S{1,128}) (\S{1,64}) (?=[-[])/u

/** The event of body and head; fields of a structured body fill in what the head does not say. */
const compose = (head: Found, now: number): LogEvent => {
  const body = head.message
  const at = body.startsWith("@cee:") ? body.indexOf("{") : body.charCodeAt(0) === 123 ? 0 : -1
  const fields = at === -1 ? undefined : objectOf(body.slice(at))
  if (fields === undefined) {
    head.level ??= levelOfMessage(body)
    return event(head, now)
  }
  const inner = fromFields(fields, body, now)
  const merged = { ...head.attributes, ...inner.attributes }
  return event(
    {
      time: head.time,
      level: inner.level === "unknown" ? head.level : inner.level,
      service: inner.service === "" ? head.service : inner.service,
      message: inner.message,
      attributes: merged,
      traceId: inner.traceId,
      spanId: inner.spanId
    },
    now
  )
}

/** Only looked for where a name begins: else a long name costs a look from each of its characters. */
const parameter = /(?<![^\s="])([^\s="]{1,64})= ?"([^"\\]*(?:\\.[^"\\]*)*)"/gu

/** Structured data `[id key="value" …]…` from `at` on: the elements, and where they end. */
const structured = (line: string, at: number): { readonly data: Record<string, unknown>; readonly end: number } => {
  const data: Record<string, unknown> = {}
  let i = at
  if (line.charCodeAt(i) === 45) return { data, end: i + 1 }
  while (line.charCodeAt(i) === 91) {
    let end = i + 1
    for (let quoted = false; end < line.length; end++) {
      const code = line.charCodeAt(end)
      if (code === 92) end++
      else if (code === 34) quoted = !quoted
      else if (code === 93 && !quoted) break
    }
    const [id = "", ...rest] = line.slice(i + 1, end).split(" ")
    const element: Record<string, unknown> = {}
    for (const [, key, value] of rest.join(" ").matchAll(parameter)) {
      if (key !== "__proto__") element[key!] = cleanText(value!.replace(/\\(["\\\]])/gu, "$1"))
    }
    if (id !== "" && id !== "__proto__") data[id] = element
    i = end + 1
  }
  return { data, end: i }
}

const nil = (text: string): string => (text === "-" ? "" : text)

const parse5424 = (line: string, from: number, head: Found, now: number): LogEvent | undefined => {
  if (line.charCodeAt(from) !== 49 || line.charCodeAt(from + 1) !== 32) return undefined
  let at = from + 2
  if (line.startsWith("- ", at)) at += 2
  else if (timeAt(line, at, now) && line.charCodeAt(time.end) === 32) {
    head.time = time.time
    at = time.end + 1
  } else return undefined
  const parts = rfc5424.exec(line.slice(at, at + 600))
  if (parts === null) return undefined
  const [whole, host, app, pid, msgid] = parts as unknown as [string, string, string, string, string]
  const { data, end } = structured(line, at + whole.length)
  const { attributes } = head
  if (host !== "-") attributes["host"] = host
  if (pid !== "-") attributes["pid"] = /^\d{1,9}$/u.test(pid) ? Number(pid) : pid
  if (msgid !== "-") attributes["msgid"] = msgid
  if (Object.keys(data).length > 0) attributes["structured_data"] = data
  head.service = nil(app)
  head.message = line.slice(end).replace(/^ ?\uFEFF?/u, "")
  return compose(head, now)
}

const parse3164 = (line: string, from: number, head: Found, now: number, priority: boolean): LogEvent | undefined => {
  const first = line.charCodeAt(from)
  const month = (first >= 65 && first <= 90) || (first >= 97 && first <= 122)
  if (!month && !(first >= 48 && first <= 57)) return undefined
  if (!timeAt(line, from, now) || time.letter !== 0) return undefined
  // Files of other loggers begin with an ISO time too: syslog's has the T, and a host follows after one blank.
  if (!priority && !month && line.charCodeAt(from + 10) !== 84) return undefined
  if (line.charCodeAt(time.end) !== 32) return undefined
  head.time = time.time
  const start = time.end + 1
  const rest = line.length - start > 400 ? line.slice(start, start + 400) : line.slice(start)
  const parts = header.exec(rest)
  if (
    parts !== null &&
    !/^[[(<{"']/u.test(rest) &&
    levelOfWord(parts[1]!) === undefined &&
    !(priority && parts[1]!.endsWith(":"))
  ) {
    head.attributes["host"] = parts[1]
    head.service = parts[2]
    if (parts[3] !== undefined) head.attributes["pid"] = Number(parts[3])
    head.message = line.slice(start + parts[0].length)
    return compose(head, now)
  }
  if (!priority) return undefined
  const tag = tagOnly.exec(rest)
  if (tag !== null) {
    head.service = tag[1]
    if (tag[2] !== undefined) head.attributes["pid"] = Number(tag[2])
  }
  head.message = line.slice(start + (tag?.[0].length ?? 0))
  return compose(head, now)
}

const pri = /^<(\d{1,3})>/u

export const syslog: Parser = {
  name: "syslog",
  parse: (line, now) => {
    const head: Found = { message: line, attributes: {} }
    const first = line.charCodeAt(0)
    if (first !== 60) {
      if (first === 49 && line.charCodeAt(1) === 32) return parse5424(line, 0, head, now)
      return parse3164(line, 0, head, now, false)
    }
    const parts = pri.exec(line)
    const value = Number(parts?.[1])
    if (parts === null || value > 191) return undefined
    head.level = levelOfSyslog(value & 7)
    head.attributes["facility"] = facilities[value >> 3]
    const from = parts[0].length
    const made = parse5424(line, from, head, now) ?? parse3164(line, from, head, now, true)
    if (made !== undefined) return made
    const tag = tagOnly.exec(line.slice(from, from + 100))
    if (tag !== null) head.service = tag[1]
    head.message = line.slice(from + (tag?.[0].length ?? 0))
    return compose(head, now)
  }
}
