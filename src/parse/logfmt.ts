/**
 * Lines of `key=value` pairs, values bare or in double quotes. A line is logfmt when it begins with a pair, has two or
 * more, and no more bare words than pairs: prose with a stray `a=b` is not.
 */
import { cleanText, keysMax } from "./Clean.ts"
import { fromFields } from "./Fields.ts"
import type { Parser } from "./Parser.ts"
import { closingQuote, typed } from "./Scan.ts"

const isBlank = (code: number): boolean => code === 32 || code === 9
const keyCode = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code >= 48 && code <= 57) ||
  code === 95 ||
  code === 46 ||
  code === 45 ||
  code === 64 ||
  code === 47 ||
  code === 35

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" }
const unescape = (text: string): string =>
  text.includes("\\") ? text.replace(/\\(.)/gsu, (_, char: string) => escapes[char] ?? char) : text

/** The pairs of a logfmt line; undefined when it is none. */
const pairsOf = (line: string, least = 2): Record<string, unknown> | undefined => {
  const pairs: Record<string, unknown> = {}
  const flags: Array<string> = []
  let count = 0
  let bare = 0
  for (let i = 0; i < line.length;) {
    if (isBlank(line.charCodeAt(i))) {
      i++
      continue
    }
    const start = i
    while (i < line.length && keyCode(line.charCodeAt(i))) i++
    if (line.charCodeAt(i) !== 61 || i === start) {
      // A word that is no pair.
      if (count === 0 || ++bare > count + 2) return undefined
      while (i < line.length && !isBlank(line.charCodeAt(i))) i++
      // A key alone is true.
      if (i - start <= 64 && bare <= 32) flags.push(line.slice(start, i))
      continue
    }
    const key = line.slice(start, i++)
    let value: unknown
    if (line.charCodeAt(i) === 34) {
      const end = closingQuote(line, i)
      if (end === -1) return undefined
      value = cleanText(unescape(line.slice(i + 1, end)))
      i = end + 1
    } else {
      const from = i
      while (i < line.length && !isBlank(line.charCodeAt(i))) i++
      value = typed(line.slice(from, i))
    }
    if (count++ < keysMax && key !== "__proto__") pairs[key] = value
  }
  if (count < least || bare > count) return undefined
  for (const flag of flags) if (flag !== "__proto__") pairs[flag] ??= true
  return pairs
}

/** The pairs of a text that is known to be pairs; none where it is not. */
export const ownPairs = (text: string): Readonly<Record<string, unknown>> => pairsOf(text, 1) ?? {}

export const logfmt: Parser = {
  name: "logfmt",
  about: "key=value pairs: logrus, slog, go-kit, Heroku, HashiCorp and others",
  fields: "",
  parse: (line, now) => {
    const equals = line.indexOf("=")
    if (equals <= 0 || equals > 64 || !keyCode(line.charCodeAt(0))) return undefined
    const pairs = pairsOf(line)
    return pairs === undefined ? undefined : fromFields(pairs, line, now)
  }
}
