/** What is done to texts that people will read. */

/** At most `max` UTF-16 units, with a sign where something was left out, and no half of a surrogate pair before it. */
export const cut = (text: string, max: number): string => {
  if (text.length <= max) return text
  const end = Math.max(0, max - 1)
  const half = end > 0 && text.charCodeAt(end - 1) >>> 10 === 0x36
  return `${text.slice(0, half ? end - 1 : end)}…`
}
