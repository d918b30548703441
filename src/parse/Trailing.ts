/**
 * The object of JSON that many loggers put behind a text: Monolog's context, zap's console, winston's metadata. Its fields
 * become attributes, those of trace, client and error under the usual names.
 */
import { cleanValue, keysMax, suspicious } from "./Clean.ts"
import { putOwn } from "./Fields.ts"
import type { Found } from "./Parser.ts"

/** Longer ones are text. */
const maxText = 16 * 1024
/** Ends of Monolog's context where it has an empty `extra`. */
const empty = /(?: \[\])+$/u

/** Adds the fields of the object that ends the line from `from` on. */
export const trailing = (line: string, from: number, found: Found): void => {
  const last = line.charCodeAt(line.length - 1)
  if ((last !== 125 && last !== 93) || line.length - from > maxText) return
  const text = last === 93 ? line.replace(empty, "") : line
  if (text.charCodeAt(text.length - 1) !== 125) return
  // The first brace with a name behind it, where a word begins.
  const open = /[\s:,]\{"/u.exec(text.slice(from))
  if (open === null) return
  let fields: unknown
  try {
    const json = text.slice(from + open.index + 1)
    fields = JSON.parse(json)
    if (suspicious(json)) fields = cleanValue(fields)
  } catch {
    return
  }
  let kept = 0
  for (const [key, value] of Object.entries(fields as Record<string, unknown>)) {
    if (key !== "__proto__" && kept++ < keysMax && !Object.hasOwn(found.attributes, key)) {
      putOwn(found.attributes, key, value)
    }
  }
}
