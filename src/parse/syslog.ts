/**
 * Syslog lines: RFC 5424 and RFC 3164, with or without `<PRI>`, and as rsyslog and journald write them to files (ISO
 * times). Without PRI a line is only syslog if host and tag stand behind the time. The message is the part after the
 * tag; where it has a format of its own (JSON, CEF, HAProxy, …), that format reads it.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { cleanText, keysMax } from "./Clean.ts"
import { enveloped } from "./Envelope.ts"
import { levelOfSyslog } from "./Fields.ts"
import { levelOfWord } from "./LevelWords.ts"
import type { Found, Inner, Parser } from "./Parser.ts"
import { found as time, timeAt } from "./Time.ts"

const facilities =
  "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp security console clock local0 local1 local2 local3 local4 local5 local6 local7".split(
    " "
  )

/** `host tag[pid]: `; a tag may be two words ("syslogd 1.4.1:") but not a sentence. */
const header = /^(\S{1,255}) +(?:-- )?([\w./()@+-]{1,64}(?: \d[\w.]{0,15})?)(?:\[(\d{1,10})\])?: ?/u
const tagOnly = /^([\w./()@+-]{1,64})(?:\[(\d{1,10})\])?: ?/u
const rfc5424 = /^(\S{1,255}) (\S{1,64}) (\S{1,128}) (\S{1,64}) (?=[-[])/u

/** The event of body and head; a body with a format of its own is read by it. */
const compose = (head: Found, now: number, inner: Inner | undefined): LogEvent => {
  const { message } = head
  const structured = message.startsWith("@cee:") ? message.slice(5).trimStart() : message
  return enveloped(structured, head, now, inner)
}

/** Only looked for where a name begins: else a long name costs a look from each of its characters. */
const parameter = /(?<![^\s="])([^\s="]{1,64})[=:] ?"([^"\\]*(?:\\.[^"\\]*)*)"/gu

/** Structured data `[id key="value" …]…` from `at` on: its values as `id.key`, and where it ends. */
const structured = (line: string, at: number): { readonly data: Record<string, unknown>; readonly end: number } => {
  const data: Record<string, unknown> = {}
  let i = at
  let kept = 0
  if (line.charCodeAt(i) === 45) return { data, end: i + 1 }
  while (line.charCodeAt(i) === 91) {
    let end = i + 1
    for (let quoted = false; end < line.length; end++) {
      const code = line.charCodeAt(end)
      if (code === 92) end++
      else if (code === 34) quoted = !quoted
      else if (code === 93 && !quoted) break
    }
    const element = line.slice(i + 1, end)
    const blank = element.indexOf(" ")
    // Check Point leaves the id out.
    const named = blank !== -1 && !element.slice(0, blank).includes('"')
    const prefix = named ? `${element.slice(0, Math.min(blank, 64))}.` : ""
    for (const [, key, value] of element.slice(named ? blank + 1 : 0).matchAll(parameter)) {
      if (kept++ < keysMax && key !== "__proto__")
        data[`${prefix}${key}`] = cleanText(value!.replace(/\\(["\\\]])/gu, "$1"))
    }
    i = end + 1
  }
  return { data, end: i }
}

const nil = (text: string): string => (text === "-" ? "" : text)

const parse5424 = (
  line: string,
  from: number,
  head: Found,
  now: number,
  inner: Inner | undefined
): LogEvent | undefined => {
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
  attributes["syslog.version"] = 1
  if (host !== "-") attributes["host.name"] = host
  if (pid !== "-") attributes["process.pid"] = /^\d{1,9}$/u.test(pid) ? Number(pid) : pid
  if (msgid !== "-") attributes["syslog.msgid"] = msgid
  Object.assign(attributes, data)
  head.service = nil(app)
  // rsyslog relays the blank that RFC 3164's tag ends with.
  head.message = line.slice(end).replace(/^ {0,2}\uFEFF?/u, "")
  return compose(head, now, inner)
}

/** Whether the text begins with CEF's or LEEF's own header, which looks like a tag. */
const isEventFormat = (tag: string): boolean => tag === "CEF" || tag === "LEEF"

/** Cisco's own header: a number of the line, its host, and a time behind an asterisk that may have a zone. */
const numbered = /^(?:\d{1,12}: )?(?:[\w.-]{1,64}: )?(?:\d{1,12}: )?[*.]?(?=[A-Z][a-z]{2} [ \d]\d )/u
const cisco = (
  line: string,
  from: number,
  head: Found,
  now: number,
  inner: Inner | undefined
): LogEvent | undefined => {
  const percent = line.indexOf(": %", from)
  if (percent === -1 || percent > from + 160) return undefined
  const begin = numbered.exec(line.slice(from, percent))
  if (begin === null || !timeAt(line, from + begin[0].length, now)) return undefined
  // Between the time and the colon may stand the host.
  const host = /^(?: ([\w.:-]{1,64}))? ?$/u.exec(line.slice(time.end, percent))
  if (host === null) return undefined
  head.time = time.time
  if (host[1] !== undefined) head.attributes["host.name"] = host[1]
  head.message = line.slice(percent + 2)
  return compose(head, now, inner)
}

/** Without tag: only where the body is a line of a format that stands in syslog so. */
const untagged = (rest: string, head: Found, now: number, inner: Inner | undefined): LogEvent | undefined => {
  const host = /^([\w.:-]{1,255}) (?=\S)/u.exec(rest)
  // A word in capitals is what was done, not where.
  if (host === null || /^[A-Z]{4,20}$/u.test(host[1]!) || inner === undefined) return undefined
  const text = rest.slice(host[0].length)
  const read = inner(text, now)
  if (read === undefined) return undefined
  head.attributes["host.name"] = host[1]
  return enveloped(text, head, now, () => read)
}

const parse3164 = (
  line: string,
  from: number,
  head: Found,
  now: number,
  priority: boolean,
  inner: Inner | undefined
): LogEvent | undefined => {
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
    head.attributes["host.name"] = parts[1]
    const body = start + parts[0].length
    if (isEventFormat(parts[2]!)) head.message = line.slice(start + parts[1]!.length).trimStart()
    else {
      head.service = parts[2]
      if (parts[3] !== undefined) head.attributes["process.pid"] = Number(parts[3])
      head.message = line.slice(body)
    }
    return compose(head, now, inner)
  }
  const bodied = untagged(line.slice(start), head, now, inner)
  if (bodied !== undefined || !priority) return bodied
  const tag = tagOnly.exec(rest)
  const named = tag !== null && !isEventFormat(tag[1]!)
  if (named) {
    head.service = tag[1]
    if (tag[2] !== undefined) head.attributes["process.pid"] = Number(tag[2])
  }
  head.message = line.slice(start + (named ? tag[0].length : 0))
  return compose(head, now, inner)
}

const pri = /^<(\d{1,3})>/u

export const syslog: Parser = {
  name: "syslog",
  about: "RFC 5424, RFC 3164, and as rsyslog and journald write them to files; the body's own format is read too",
  fields: "host.name process.pid syslog.facility syslog.priority syslog.msgid, structured data as `id.key`",
  begins: "<0A",
  parse: (line, now, inner) => {
    const head: Found = { message: line, attributes: {} }
    const first = line.charCodeAt(0)
    if (first !== 60) {
      if (first === 49 && line.charCodeAt(1) === 32) return parse5424(line, 0, head, now, inner)
      return parse3164(line, 0, head, now, false, inner)
    }
    const parts = pri.exec(line)
    const value = Number(parts?.[1])
    if (parts === null || value > 191) return undefined
    head.level = levelOfSyslog(value & 7)
    head.attributes["syslog.facility"] = facilities[value >> 3]
    head.attributes["syslog.priority"] = value
    const from = parts[0].length
    const made =
      parse5424(line, from, head, now, inner) ??
      cisco(line, from, head, now, inner) ??
      parse3164(line, from, head, now, true, inner)
    if (made !== undefined) return made
    const tag = tagOnly.exec(line.slice(from, from + 100))
    const named = tag !== null && !isEventFormat(tag[1]!)
    if (named) {
      head.service = tag[1]
      if (tag[2] !== undefined) head.attributes["process.pid"] = Number(tag[2])
    }
    head.message = line.slice(from + (named ? tag[0].length : 0))
    return compose(head, now, inner)
  }
}
