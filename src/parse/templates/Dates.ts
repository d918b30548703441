/** Variables of more than one word: dates with names of days and months, and sizes with their unit behind a blank. Pure. */
import { gap, type Units, variable, word } from "./Units.ts"

const calendar = new Set("Mon Tue Wed Thu Fri Sat Sun Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" "))
const zones = new Set(["UTC", "GMT", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "CET", "CEST"])
const sizes = new Set(["KB", "MB", "GB", "TB", "B", "kB", "KiB", "MiB", "GiB", "TiB"])

/** Dates in words and sizes with their unit are one variable. */
export const joinDates = (out: Units): void => {
  const { kinds, texts } = out
  let size = 0
  /** Units since a weekday or month was met: what follows it soon may be part of the date. */
  let since = 99
  for (let i = 0; i < out.size; i++, since++) {
    const text = texts[i]!
    const kind = kinds[i]!
    const behindHole = size > 1 && kinds[size - 1] === gap && texts[size - 1] === " " && kinds[size - 2] === variable
    if (kind === word && behindHole && (sizes.has(text) || (since < 12 && zones.has(text)))) {
      size--
      continue
    }
    if (kind === word && calendar.has(text) && (since < 4 || dateFollows(out, i))) {
      since = 0
      if (behindHole) {
        size--
        continue
      }
      kinds[size] = variable
      texts[size++] = text
      continue
    }
    if (kind === variable && behindHole && since < 12 && (since < 5 || isYear(text))) {
      size--
      continue
    }
    kinds[size] = kind
    texts[size++] = text
  }
  out.size = size
}

const startsWithDigit = (text: string): boolean => {
  const code = text.charCodeAt(0)
  return code >= 48 && code <= 57
}

const isYear = (text: string): boolean => text.length === 4 && startsWithDigit(text)

/** Whether a weekday or month at `i` is followed by another or by a number. */
const dateFollows = (out: Units, i: number): boolean =>
  i + 2 < out.size &&
  out.texts[i + 1] === " " &&
  (calendar.has(out.texts[i + 2]!) || startsWithDigit(out.texts[i + 2]!))
