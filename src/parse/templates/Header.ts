/**
 * The part of an event's message that says what happened: a plain line keeps its time, level, process and component in the
 * message, and none of these may split a template. Pure; looks at the first few hundred characters only, and takes the
 * whole message where it finds no header.
 */
import type { LogEvent } from "../../domain/LogEvent.ts"
import { levelInHeader, word } from "../LevelWords.ts"
import { found as time, timeAt, timeOfLine } from "../Time.ts"

/** A header ends within this many characters. */
const headMax = 512
/** What parts of a header stand this near to each other. */
const nearMax = 400

/** Behind the last part: a process or thread in brackets, a numbered column, closing marks, a colon or dash. */
const rest =
  /(?:\[[^\]\s]{0,64}\]|\(\s{0,8}\d{1,10}\))?(?:\s?\|\s?\d{1,12}(?=\s?\|))?[\])>}]?\s{0,8}(?:[:|>]|-(?=\s))?\s{0,8}/uy
/** Behind a time or level where no service is known: a thread in brackets and a logger's name. */
const brackets = /\s{0,4}\[[^\]]{0,400}\]\s{1,4}[A-Za-z_$][\w.$-]{0,120}\s{0,4}:\s/uy
/** A row of a console: number, node, component, state, epoch seconds, flag. */
const row = /^\d{1,12} \S{1,80} \S{1,80} \S{1,80} \d{10} -?[01] /u
/** What most messages begin with: a word in small letters, or one with a capital. */
const small = /^\s{0,4}[A-Za-z]?[a-z]{2}/u
const lower = /[a-z]{2}/u
/** A time that stands behind marks, flags and numbers begins within this many characters. */
const startMax = 40
const capitals = /^[[(<|\s]{0,4}[A-Z]{3,11}\b/u

const at = (pattern: RegExp, text: string, from: number): number => {
  pattern.lastIndex = from
  return pattern.test(text) ? pattern.lastIndex : from
}

/** Where `name` ends as a part of the header that goes on at `from`, or `from`. */
const behind = (head: string, name: string, from: number): number => {
  const start = head.indexOf(name, from)
  return start >= 0 && start - from <= nearMax ? start + name.length : from
}

/** The message of `event` without its header. */
export const bodyOf = ({ level, message, service, time: when }: LogEvent): string => {
  const head = message.length > headMax ? message.slice(0, headMax) : message
  let end = 0
  if (timeAt(head, 0, when)) end = time.end
  else if (
    !small.test(head) &&
    timeOfLine(head, when) &&
    time.start <= startMax &&
    !lower.test(head.slice(0, time.start))
  ) {
    end = time.end
  } else {
    const columns = row.exec(head)
    if (columns !== null) return message.slice(columns[0].length)
    // Without a time in front, only a level in capitals is taken for a header: "error: no space" is a message.
    if (level === "unknown" || !capitals.test(head)) return message
  }
  const timed = end
  if (level !== "unknown" && levelInHeader(head, end, end > 0)) end = Math.max(end, word.end)
  if (end === 0) return message
  end = service === "" ? at(brackets, head, end) : Math.max(end, behind(head, service, timed))
  end = at(rest, head, end)
  return end < message.length ? message.slice(end) : message
}
