/**
 * Makes text and JSON values fit for the store: without NUL characters and lone surrogates (Postgres refuses both), and
 * no deeper or wider than the limits. What is clean passes unchanged, after one quick look.
 */

export const depthMax = 12
export const keysMax = 256
export const droppedKey = "dropped_attributes"

const lone = /[\0\p{Cs}]/gu

/** The text without NUL characters and halves of surrogate pairs. */
export const cleanText = (text: string): string =>
  text.isWellFormed() && !text.includes("\0") ? text : text.replace(lone, "")

/** Whether the JSON source may hold what must be cleaned: escapes of NUL or surrogates, or too many brackets. */
export const suspicious = (source: string): boolean => {
  if (source.includes("\\u") && /\\u(?:0000|d[89a-f])/iu.test(source)) return true
  let opened = 0
  for (let i = source.indexOf("{"); i !== -1; i = source.indexOf("{", i + 1)) if (++opened > depthMax) return true
  for (let i = source.indexOf("["); i !== -1; i = source.indexOf("[", i + 1)) if (++opened > depthMax) return true
  return opened > 0 && source.includes('"__proto__"')
}

/** A deep copy with clean strings and keys, at most `depthMax` deep and `keysMax` keys per object. */
export const cleanValue = (value: unknown, depth = 0): unknown => {
  if (typeof value === "string") return cleanText(value)
  if (typeof value !== "object" || value === null) return value
  if (depth >= depthMax) return Array.isArray(value) ? "[…]" : "{…}"
  if (Array.isArray(value)) return value.map((item) => cleanValue(item, depth + 1))
  const copy: Record<string, unknown> = {}
  const keys = Object.keys(value)
  for (const key of keys.slice(0, keysMax)) {
    const clean = cleanText(key)
    if (clean !== "__proto__") copy[clean] = cleanValue((value as Record<string, unknown>)[key], depth + 1)
  }
  if (keys.length > keysMax) copy[droppedKey] = keys.length - keysMax
  return copy
}
