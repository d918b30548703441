/**
 * Keeps one event from being too large to travel: a longer text is cut, attributes beyond the limit are left out, and both
 * are marked, so that nothing is refused for its size and nobody takes a part for the whole.
 */
import { encode, type SentEvent } from "../domain/SentEvent.ts"
import { droppedKey } from "../parse/Clean.ts"
import { lineMax } from "./protocols/ndjson.ts"

/** Characters of a text that is cut. */
const textMax = lineMax / 2
/** Characters of JSON that the attributes of an event may have once it is too large. */
const attributesMax = lineMax / 8

const cut = (text: string | undefined): string | undefined =>
  text === undefined || text.length <= textMax ? text : text.slice(0, textMax).toWellFormed()

/** The event as a line of the stream, of at most about `lineMax` characters. */
export const encodeFit = (event: SentEvent): string => {
  const whole = encode(event)
  if (whole.length <= lineMax) return whole
  const attributes: Record<string, unknown> = {}
  let size = 0
  let dropped = 0
  for (const [name, value] of Object.entries(event.attributes ?? {})) {
    size += name.length + JSON.stringify(value).length
    if (size <= attributesMax) attributes[name] = value
    else dropped++
  }
  if (dropped > 0) attributes[droppedKey] = dropped
  const long = event.message ?? event.line ?? ""
  if (long.length > textMax) attributes["log.original_length"] = long.length
  return encode({ ...event, message: cut(event.message), line: cut(event.line), attributes })
}
