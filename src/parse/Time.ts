/**
 * Reads the time of a log line: a table of formats, each compiled once into a few steps over character codes, so that a
 * line costs no regular expression, no Date and no allocation. Where in a line a time may stand is decided here too; what
 * the rest of the line means is left to the formats of the family.
 *
 * A time without zone is UTC, one without year lies in the latest year that puts it at most a day after `now`, one
 * without date is the nearest to `now`.
 */
import {
  H,
  M,
  S,
  X,
  Y,
  assemble,
  at,
  d,
  day,
  e,
  fromEpoch,
  isBlank,
  isDigit,
  isLetter,
  k,
  m,
  s,
  take,
  words,
  y
} from "./TimeSteps.ts"

export { day, fromEpoch }

/** What the last successful scan found; overwritten by the next one. `start` and `end` are indexes into the text. */
export const found = { time: 0, start: 0, end: 0, letter: 0 }

/**
 * The formats, in strptime's words where it has them. Beyond: `%e %k %n %S1` one or two digits, `%T` `T` or blank,
 * `%f` optional fraction, `%L` milliseconds as a number, `%z` optional offset, `Z` or (behind a year) name of a zone, `%Z` optional name of a zone, `%p`
 * optional AM/PM, `%s` seconds, ms, µs or ns since 1970 by length, `%K` level letter, `_` blanks, `%x` day and month
 * around a slash (month first, unless it cannot be one).
 */
const leading = [
  "%Y-%m-%d%T%H:%M:%S%f%p%z",
  "%Y-%m-%d_%k:%M:%S%f%z",
  "%Y-%m-%d%T%H:%M%z",
  "%Y/%m/%d%T%H:%M:%S%f%z",
  "%Y/%m/%d-%H:%M:%S%f%z",
  "%Y.%m.%d%T%H:%M:%S%f%z",
  "%Y-%m-%d-%H.%M.%S%f",
  "%e/%b/%Y:%H:%M:%S%f%z",
  "%e/%b/%Y %H:%M:%S%f%z",
  "%e-%b-%Y %H:%M:%S%f%z",
  "%e-%b-%y %H:%M:%S%f%z",
  "%e %b %Y %H:%M:%S%f%z",
  "%y/%m/%d %H:%M:%S%f%z",
  "%x/%Y:%k:%M:%S%f%z",
  "%x/%Y-%k:%M:%S%f%p%z",
  "%x/%Y %k:%M:%S%f%p%z",
  "%x/%Y, %k:%M:%S%f%p%z",
  "%d.%m.%Y %H:%M:%S%f%z",
  "%m-%d-%Y %H:%M:%S%f%z",
  "%s_%Y.%m.%d",
  "%b_%e %H:%M:%S%f%z",
  "%b_%e %Y %H:%M:%S%f%z",
  "%b_%e, %Y %k:%M:%S%f%p%z",
  "%b_%e, %Y, %k:%M:%S%f%p%z",
  "%a %b_%e %H:%M:%S%f%Z %Y",
  "%a %b_%e %Y %H:%M:%S%f%z",
  "%a %b_%e, %Y %k:%M:%S%f%p%z",
  "%a, %e %b %Y %H:%M:%S%f%z%Z",
  "%a %e %b %Y %H:%M:%S%f%z%Z"
]
/** Too bare to be trusted anywhere but at the very start of a line. */
const startOnly = [
  "%Y%m%dT%H%M%S%f%z",
  "%Y%m%d-%k:%n:%S1:%L",
  "%Y%m%d-%H:%M:%S%f%z",
  "%Y%m%d %H:%M:%S%f%z",
  "%y%m%d %H%M%S",
  "%y%m%d_%k:%M:%S%f",
  "%m-%d %H:%M:%S%f",
  "%m/%d %H:%M:%S%f",
  "%m/%d-%H:%M:%S%f",
  "%m.%d %H:%M:%S%f",
  "%e/%m %H:%M:%S%f",
  "%K%m%d %H:%M:%S%f",
  "%K%Y%m%d %H:%M:%S%f",
  "%K %y%m%d %H:%M:%S%f",
  "%s%f",
  "%H:%M:%S%f"
]
/** Only as a field's whole value. */
const valueOnly = ["%Y-%m-%d", "%Y%m%d%H%M%S"]

interface Format {
  readonly steps: ReadonlyArray<number>
}

const compileFormat = (text: string): Format => ({
  steps: (text.match(/%S1|%[A-Za-z]|./gu) ?? []).map((word) => words[word] ?? word.charCodeAt(0))
})

/** By the number of digits that a text starts with; 0 stands for letters. */
type Table = ReadonlyArray<ReadonlyArray<Format>>

const digitRuns = (format: Format): ReadonlyArray<number> => {
  let runs = [0]
  for (const step of format.steps) {
    if (step === s) return [10, 13, 16, 19]
    const width =
      step === Y ? [4] : step === e || step === k || step === X ? [1, 2] : [y, m, d, H, M, S].includes(step) ? [2] : []
    if (width.length === 0) break
    runs = runs.flatMap((run) => width.map((digits) => run + digits))
    if (step === X) break
  }
  return runs
}

const table = (texts: ReadonlyArray<string>): Table => {
  const rows = Array.from({ length: 20 }, (): Array<Format> => [])
  for (const format of texts.map(compileFormat)) for (const run of digitRuns(format)) rows[run]!.push(format)
  return rows
}
const inner = table(leading)
const atStart = table([...leading, ...startOnly])
const asValue = table([...leading, ...startOnly, ...valueOnly])

const scanFormat = (format: Format, text: string, position: number, now: number): boolean => {
  at.year = -1
  at.month = at.day = at.hour = at.minute = at.second = at.ms = at.zone = at.letter = 0
  at.epoch = -1
  let i = position
  const steps = format.steps
  for (let index = 0; index < steps.length; index++) {
    i = take(steps[index]!, text, i)
    if (i < 0) return false
  }
  const next = text.charCodeAt(i)
  if (isDigit(next) || isLetter(next)) return false
  const time = assemble(now)
  if (!(time >= 0)) return false
  found.time = time
  found.start = position
  found.end = i
  found.letter = at.letter
  return true
}

const scanTable = (formats: Table, text: string, position: number, now: number): boolean => {
  let run = 0
  while (run < 20 && isDigit(text.charCodeAt(position + run))) run++
  const row = formats[run]
  if (row === undefined || (run === 0 && !isLetter(text.charCodeAt(position)))) return false
  for (let index = 0; index < row.length; index++) if (scanFormat(row[index]!, text, position, now)) return true
  return false
}

/** The scan of `timeAt` made last: several formats ask the same of one line. */
const last = { text: "", position: -1, now: 0, hit: false, time: 0, end: 0, letter: 0 }

/** A time that begins exactly at `position`. On success `found` holds it. */
export const timeAt = (text: string, position: number, now: number): boolean => {
  if (position === last.position && now === last.now && text === last.text) {
    if (last.hit) {
      found.time = last.time
      found.start = position
      found.end = last.end
      found.letter = last.letter
    }
    return last.hit
  }
  const hit = scanTable(atStart, text, position, now)
  // A long line is not held on to, nor compared: its scan costs no more than a short one's.
  if (text.length > 4096) return hit
  last.text = text
  last.position = position
  last.now = now
  last.hit = hit
  last.time = found.time
  last.end = found.end
  last.letter = found.letter
  return hit
}

/** A field's whole value as epoch ms, or NaN. */
export const timeOfText = (text: string, now: number): number => {
  const trimmed = text.trim()
  if (trimmed.length > 64) return Number.NaN
  if (/^\d{9,10}\.\d{1,9}$/u.test(trimmed) || (/^\d+$/u.test(trimmed) && [10, 13, 16, 19].includes(trimmed.length))) {
    const time = fromEpoch(Number(trimmed))
    if (time >= 0) return time
  }
  return scanTable(asValue, trimmed, 0, now) && found.end === trimmed.length ? found.time : Number.NaN
}

/** What may stand before a time at a line's beginning. */
const opening = new Set(Array.from(' \t[(<"#', (char) => char.charCodeAt(0)))
const headerToken = /^[[(<{"'|*#-]|[\d.:|\])>}]|^[A-Z]+,?$|^.{1,2}$/u
const maxTokens = 6
const maxPrefix = 96

/**
 * The time of a line: at its start, behind brackets or blanks, or a few header-like words in (`[error] 2020-…`, `http
 * 2018-…`, `- 1117838570 2005.06.03`). A time in running text is not the line's own and is left alone.
 */
export const timeOfLine = (line: string, now: number): boolean => {
  let i = 0
  let code = line.charCodeAt(0)
  while (opening.has(code)) code = line.charCodeAt(++i)
  if (scanTable(atStart, line, i, now)) return true
  const limit = Math.min(line.length, maxPrefix)
  for (let tokens = 0; i < limit && tokens < maxTokens; tokens++) {
    let end = i
    while (end < limit && !isBlank(line.charCodeAt(end))) {
      const before = line.charCodeAt(end++)
      // "[BACKEND][2024-…", "W, [2023-…", "name|2023-…"
      if ((before === 91 || before === 40 || before === 124 || before === 44) && scanInner(line, end, now)) return true
    }
    if (tokens > 0 && !headerToken.test(line.slice(i, end))) return false
    i = end
    while (isBlank(line.charCodeAt(i))) i++
    if (scanInner(line, i, now)) return true
  }
  return false
}

const scanInner = (line: string, position: number, now: number): boolean => {
  const code = line.charCodeAt(position)
  return (isDigit(code) || isLetter(code)) && scanTable(inner, line, position, now)
}

export type TimeReader = (text: string, now: number) => number

/**
 * A reader of times written in one given format, in strptime's words (and those above); NaN where the text is not in it.
 *
 * @example timeReader("%d.%m.%Y %H:%M:%S")
 */
export const timeReader = (
  format: string
): { readonly ok: true; readonly read: TimeReader } | { readonly ok: false; readonly fault: string } => {
  // strptime's %f is the digits behind the point, ours has the point too and may be absent.
  const own = format
    .replace(/[.,]%f/gu, "%f")
    .replaceAll("%F", "%Y-%m-%d")
    .replace(/%T(?=$|[^%])/gu, "%H:%M:%S")
  const unknown = /%(?!S1)[A-Za-z]/gu
  for (const [word] of own.matchAll(unknown)) {
    if (words[word] === undefined) {
      return {
        ok: false,
        fault: `expected strptime's words in the time format, got ${word} at ${format.indexOf(word) + 1}`
      }
    }
  }
  if (!/%[A-Za-z]/u.test(own))
    return { ok: false, fault: `expected a time format such as %Y-%m-%d %H:%M:%S, got ${format}` }
  const compiled = compileFormat(own)
  return {
    ok: true,
    read: (text, now) => {
      const trimmed = text.length > 128 ? "" : text.trim()
      return scanFormat(compiled, trimmed, 0, now) && found.end === trimmed.length ? found.time : Number.NaN
    }
  }
}
