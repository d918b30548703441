/**
 * Every log format, in the order in which they are asked, and `parseLine`, which tells them apart line by line. To add a
 * format: one file beside this one and one line here.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import { access } from "./access.ts"
import * as SentEvent from "../domain/SentEvent.ts"
import { cleanText } from "./Clean.ts"
import { readSent } from "./event.ts"
import { json } from "./json.ts"
import { logfmt } from "./logfmt.ts"
import type { ParseContext, Parser } from "./Parser.ts"
import { plain } from "./plain.ts"
import { syslog } from "./syslog.ts"

/** Each refuses a line that is not its own after a look at its first characters; `plain` takes every line. */
export const parsers: ReadonlyArray<Parser> = [json, syslog, access, logfmt, plain]

const byName: ReadonlyMap<string, Parser> = new Map(parsers.map((parser) => [parser.name, parser]))

/**
 * The event of one line. Pure, never throws, linear in the line's length.
 *
 * @example parseLine('{"level":"warn","msg":"slow"}', { now: 1_700_000_000_000 }).level // "warn"
 */
export const parseLine = (line: string, context: ParseContext): LogEvent => {
  const text = cleanText(line)
  const { format, now } = context
  if (format === SentEvent.format) {
    const sent = readSent(text, now, (inner) => parseLine(inner, { now }))
    if (sent !== undefined) return sent
  } else if (format !== undefined) return byName.get(format)?.parse(text, now) ?? plain.parse(text, now)
  for (const parser of parsers) {
    const event = parser.parse(text, now)
    if (event !== undefined) return event
  }
  return plain.parse(text, now)
}
