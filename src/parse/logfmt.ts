/**
 * Lines of `key=value` pairs, values bare or in double quotes. A line is logfmt when it begins with a pair, has two or
 * more, and no more bare words than pairs: prose with a stray `a=b` is not.
 */
import { cleanText, keysMax } from "./Clean.ts"
import { fromFields } from "./Fields.ts"
import type { Parser } from "./Parser.ts"

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

/** Index of the quote that ends the string opened at `at`, or -1. */
const closingQuote = (line: string, at: number): number => {
  for (let i = at + 1; i < line.length; i++) {
    const code = line.charCodeAt(i)
    if (code === 92) i++
    else if (code === 34) return i
  }
  return -1
}

const typed = (text: string): unknown => {
  if (text === "true") return true
  if (text === "false") return false
  return text.length < 16 && /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/u.test(text) ? Number(text) : text
}

/** The pairs of a logfmt line; undefined when it is none. */
export const pairsOf = (line: string): Record<string, unknown> | undefined => {
  const pairs: Record<string, unknown> = {}
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
  return count >= 2 && bare <= count ? pairs : undefined
}

const audit = /^audit\((\d{9,10}\.\d{3}):\d+\):?$/u

export const logfmt: Parser = {
  name: "logfmt",
  parse: (line, now) => {
    const equals = line.indexOf("=")
    if (equals <= 0 || equals > 64 || !keyCode(line.charCodeAt(0))) return undefined
    const pairs = pairsOf(line)
    if (pairs === undefined) return undefined
    // The kernel's audit log keeps its time inside `msg`.
    const stamp = typeof pairs["msg"] === "string" ? audit.exec(pairs["msg"]) : null
    if (stamp === null) return fromFields(pairs, line, now)
    const { msg: _, ...rest } = pairs
    return fromFields({ ...rest, time: Number(stamp[1]), message: line, service: "audit" }, line, now)
  }
}
