/** Lines that are one JSON object. JSON of any other kind is no log event and is left to the plain format. */
import { cleanValue, suspicious } from "./Clean.ts"
import { type Fields, fromFields } from "./Fields.ts"
import type { Parser } from "./Parser.ts"

/** The object that `text` is, clean and bounded; undefined when it is not one. */
export const objectOf = (text: string): Fields | undefined => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined
  return (suspicious(text) ? cleanValue(value) : value) as Fields
}

const firstCode = (line: string): number => {
  let i = 0
  while (line.charCodeAt(i) === 32 || line.charCodeAt(i) === 9) i++
  return line.charCodeAt(i)
}

export const json: Parser = {
  name: "json",
  parse: (line, now) => {
    if (firstCode(line) !== 123) return undefined
    const fields = objectOf(line)
    return fields === undefined ? undefined : fromFields(fields, line, now)
  }
}
