/** Java's stack traces in a text of several lines: the exception is what stands in the line above the first frame. */

/** Longer traces are cut; the message has them whole. */
const maxStack = 16 * 1024
const maxHead = 2048

// The name's parts are apart by dots, so that each character has one way to match.
const thrown =
  /^(?:Exception in thread "[^"\n]{1,200}" |Caused by: )?((?:[A-Za-z_$][\w$]{0,80}\.){1,16}[A-Za-z_$][\w$]{0,120})(?:: ?([^\n]*))?$/u

/** Adds the exception that `text` traces, if it has one: type, message and the trace from its line on. */
export const stackOf = (text: string, attributes: Record<string, unknown>): void => {
  const frame = text.indexOf("\n\tat ")
  if (frame < 3) return
  const from = text.lastIndexOf("\n", frame - 1) + 1
  const end = text.charCodeAt(frame - 1) === 13 ? frame - 1 : frame
  if (end - from > maxHead) return
  const parts = thrown.exec(text.slice(from, end))
  if (parts === null) return
  attributes["exception.type"] ??= parts[1]
  if (parts[2] !== undefined && parts[2] !== "") attributes["exception.message"] ??= parts[2]
  attributes["exception.stacktrace"] ??= text.slice(from, from + maxStack)
}
