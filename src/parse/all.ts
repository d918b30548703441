/**
 * Every log format, in the order in which they are asked, and `parseLine`, which tells them apart line by line by their
 * first character, and opens envelopes. To add a format: one file beside this one and one line here.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { format as sentFormat } from "../domain/SentEvent.ts"
import { access } from "./access.ts"
import { apacheError } from "./apache_error.ts"
import { auditd } from "./auditd.ts"
import { cef } from "./cef.ts"
import { cisco } from "./cisco.ts"
import { cleanText, cleanValue } from "./Clean.ts"
import { compose } from "./compose.ts"
import { couchdb } from "./couchdb.ts"
import { cri } from "./cri.ts"
import { headerOf, rowOf } from "./csv.ts"
import { dovecot } from "./dovecot.ts"
import { elb } from "./elb.ts"
import { envoy } from "./envoy.ts"
import { readSent } from "./event.ts"
import { exchange } from "./exchange.ts"
import { exim } from "./exim.ts"
import { filterlog } from "./filterlog.ts"
import { gin } from "./gin.ts"
import { haproxy } from "./haproxy.ts"
import { json } from "./json.ts"
import { jvm } from "./jvm.ts"
import { kernel } from "./kernel.ts"
import { klog } from "./klog.ts"
import { leef } from "./leef.ts"
import { logfmt } from "./logfmt.ts"
import { mysql } from "./mysql.ts"
import { nginxError } from "./nginx_error.ts"
import { npmAccess } from "./npm_access.ts"
import { panos } from "./panos.ts"
import type { Inner, Memory, ParseContext, Parser } from "./Parser.ts"
import { plain } from "./plain.ts"
import { postgres } from "./postgres.ts"
import { ruby } from "./ruby.ts"
import { s3 } from "./s3.ts"
import { squid } from "./squid.ts"
import { suricata } from "./suricata.ts"
import { syslog } from "./syslog.ts"
import { vpcFlow } from "./vpc_flow.ts"
import { windowsEvent } from "./windows_event.ts"
import { fieldsOf, w3c, w3cRow } from "./w3c.ts"

/** Each refuses a line that is not its own after a look at its first characters; `plain` takes every line. */
export const parsers: ReadonlyArray<Parser> = [
  json,
  cri,
  cef,
  leef,
  elb,
  s3,
  haproxy,
  npmAccess,
  apacheError,
  couchdb,
  gin,
  envoy,
  access,
  nginxError,
  vpcFlow,
  squid,
  w3c,
  suricata,
  postgres,
  mysql,
  exim,
  exchange,
  filterlog,
  panos,
  klog,
  windowsEvent,
  cisco,
  jvm,
  ruby,
  syslog,
  kernel,
  dovecot,
  auditd,
  compose,
  logfmt,
  plain
]

const byName: ReadonlyMap<string, Parser> = new Map(parsers.map((parser) => [parser.name, parser]))

const classOf = (code: number): string =>
  code >= 48 && code <= 57 ? "0" : code >= 65 && code <= 90 ? "A" : code >= 97 && code <= 122 ? "a" : ""

/** The formats but `plain` that a line can be of, by its first character's code; the last row is for all beyond ASCII. */
const rows: ReadonlyArray<ReadonlyArray<Parser>> = Array.from({ length: 129 }, (_, code) =>
  parsers.filter(({ begins, name }) => {
    if (name === "plain") return false
    if (begins === undefined) return true
    if (code === 128) return false
    const char = String.fromCharCode(code)
    const kind = classOf(code)
    return begins.includes(char) || (kind !== "" && begins.includes(kind))
  })
)

/** How deep envelopes are opened: syslog in Docker in Kubernetes. */
const depthMax = 3

type Mask = (text: string) => string
const unmasked: Mask = (text) => text
/** Text is masked before it is taken apart; an object of JSON is masked by its fields, afterwards. */
const maskedBy =
  (mask: Mask): Mask =>
  (text) =>
    text.charCodeAt(0) === 123 ? text : mask(text)

/** Readers by depth, the outermost first; `custom` formats are asked before the others. What lies in an envelope is masked. */
const readersOf = (custom: ReadonlyArray<Parser>, mask: Mask): ReadonlyArray<Inner> => {
  const readers: Array<Inner> = []
  for (let depth = depthMax; depth >= 0; depth--) {
    const deeper = readers[0]
    const inner: Inner | undefined =
      mask === unmasked ? deeper : Object.assign((text: string, now: number) => deeper?.(mask(text), now), { mask })
    readers.unshift((text, now) => {
      for (const parser of custom) {
        const event = parser.parse(text, now, inner)
        if (event !== undefined) return event
      }
      const code = text.charCodeAt(0)
      for (const parser of rows[code < 128 ? code : 128]!) {
        const event = parser.parse(text, now, inner)
        if (event !== undefined) return event
      }
      return undefined
    })
  }
  return readers
}
const noFormats: ReadonlyArray<Parser> = []
const readersKnown = new WeakMap<ReadonlyArray<Parser>, WeakMap<Mask, ReadonlyArray<Inner>>>()

const readersFor = (custom: ReadonlyArray<Parser>, mask: Mask): ReadonlyArray<Inner> => {
  const byMask = readersKnown.get(custom) ?? new WeakMap<Mask, ReadonlyArray<Inner>>()
  readersKnown.set(custom, byMask)
  const made = byMask.get(mask) ?? readersOf(custom, mask === unmasked ? unmasked : maskedBy(mask))
  byMask.set(mask, made)
  return made
}

/** Reads what an envelope holds, by these formats first. */
export const innerOf = (custom: ReadonlyArray<Parser>): Inner | undefined => readersFor(custom, unmasked)[1]

/** What the source's earlier lines say of this one: rows under a header. */
const remembered = (text: string, memory: Memory, now: number): LogEvent | undefined => {
  const first = memory.begun !== true
  memory.begun = true
  if (text.charCodeAt(0) === 35) {
    const columns = fieldsOf(text)
    if (columns !== undefined) memory.columns = columns
    return undefined
  }
  if (memory.columns === undefined) {
    const columns = first ? headerOf(text) : undefined
    if (columns !== undefined) memory.columns = columns
    return undefined
  }
  const { kind, names } = memory.columns
  return kind === "w3c" ? w3cRow(names, text, now) : rowOf(memory.columns, text, now)
}

/** Formats cut long texts at lengths, not at characters: halves of surrogate pairs that are left over are taken away. */
const whole = (event: LogEvent, text: string): LogEvent =>
  text.length < 64 || !/[\uD800-\uDFFF]/.test(text)
    ? event
    : {
        ...event,
        service: cleanText(event.service),
        message: cleanText(event.message),
        attributes: cleanValue(event.attributes) as LogEvent["attributes"]
      }

/**
 * The event of one line. Pure but for `context.memory`, never throws, linear in the line's length.
 *
 * @example parseLine('{"level":"warn","msg":"slow"}', { now: 1_700_000_000_000 }).level // "warn"
 */
export const parseLine = (line: string, context: ParseContext): LogEvent => {
  const clean = cleanText(line)
  const text = clean.endsWith("\r") ? clean.slice(0, -1) : clean
  return whole(eventOf(text, context), text)
}

const eventOf = (line: string, context: ParseContext): LogEvent => {
  const { custom = noFormats, format, mask = unmasked, memory, now } = context
  const readers = readersFor(custom, mask)
  const given = (raw: string): string => (raw.charCodeAt(0) === 123 ? raw : mask(raw))
  const read = (masked: string, at: number): LogEvent => readers[0]!(masked, at) ?? plain.parse(masked, at)
  if (format === sentFormat) {
    return readSent(line, now, (raw, at) => read(given(raw), at)) ?? read(given(line), now)
  }
  const text = given(line)
  if (format === undefined) return (memory === undefined ? undefined : remembered(text, memory, now)) ?? read(text, now)
  const named = byName.get(format) ?? custom?.find(({ name }) => name === format)
  return named?.parse(text, now, readers[1]) ?? plain.parse(text, now)
}
