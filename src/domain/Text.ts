/** What is done to texts that people will read. */

/** At most `max` UTF-16 units, with a sign where something was left out, and no half of a surrogate pair before it. */
export const cut = (text: string, max: number): string => {
  if (text.length <= max) return text
  const end = Math.max(0, max - 1)
  const half = end > 0 && text.charCodeAt(end - 1) >>> 10 === 0x36
  return `${text.slice(0, half ? end - 1 : end)}…`
}

/** The text without what no database and few servers take: halves of surrogate pairs and NUL. */
export const tidy = (text: string): string => text.toWellFormed().replaceAll("\0", "")

/** A JSON value all of whose texts are tidy. */
export const tidyAll = <A>(value: A): A => {
  if (typeof value === "string") return tidy(value) as A
  if (Array.isArray(value)) return value.map((item: unknown) => tidyAll(item)) as A
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [tidy(name), tidyAll(item as unknown)])) as A
}
