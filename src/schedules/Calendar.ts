/**
 * The instants that a cron expression names in a time zone. Promises one rule for changes of the clock, the same forwards and
 * backwards: an expression for all hours follows real time; any other fires once for a time that comes twice (the first), and
 * once, right after the gap, for times that are skipped. Effect's `Cron` reads the expression; its `next` and `prev` disagree
 * about gaps and leave an hourly schedule silent while an hour repeats, so the search is done here. Pure.
 */
import type { Cron } from "effect"

const dayMs = 86_400_000
/** How far a slot is searched for, years: 29 February on a given weekday comes within 40. */
const yearsMax = 60

/** What an expression allows, ascending; complete where it says `*`. */
interface Fields {
  readonly seconds: ReadonlyArray<number>
  readonly minutes: ReadonlyArray<number>
  readonly hours: ReadonlyArray<number>
  readonly months: ReadonlySet<number>
  readonly fits: (date: Date) => boolean
  /** All hours are allowed: it means "each hour", not "at these times of day". */
  readonly everyHour: boolean
}

const range = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i)
const sorted = (set: ReadonlySet<number>, n: number): ReadonlyArray<number> =>
  set.size === 0 ? range(n) : [...set].toSorted((a, b) => a - b)

const known = new WeakMap<Cron.Cron, Fields>()

const fieldsOf = (cron: Cron.Cron): Fields => {
  const found = known.get(cron)
  if (found !== undefined) return found
  const { days, months, weekdays } = cron
  // Kept by Effect and not in its types: both fields must fit.
  const either = (cron as { readonly and?: boolean }).and !== true && days.size > 0 && weekdays.size > 0
  const fields: Fields = {
    seconds: sorted(cron.seconds, 60),
    minutes: sorted(cron.minutes, 60),
    hours: sorted(cron.hours, 24),
    months,
    everyHour: cron.hours.size === 0 || cron.hours.size === 24,
    fits: (date) => {
      const day = days.size === 0 || days.has(date.getUTCDate())
      const weekday = weekdays.size === 0 || weekdays.has(date.getUTCDay())
      return either ? day || weekday : day && weekday
    }
  }
  known.set(cron, fields)
  return fields
}

/** The nearest allowed second of a day from `second` on, in direction `step`; undefined where that day has no more. */
const timeOfDay = (f: Fields, second: number, step: 1 | -1): number | undefined => {
  const h = Math.floor(second / 3_600)
  const m = Math.floor(second / 60) % 60
  const s = second % 60
  const past = (a: number, b: number) => (a - b) * step > 0
  const end = (all: ReadonlyArray<number>) => (step === 1 ? all[0] : all.at(-1)) ?? 0
  const order = (all: ReadonlyArray<number>) => (step === 1 ? all : all.toReversed())
  for (const hour of order(f.hours)) {
    if (past(hour, h)) return hour * 3_600 + end(f.minutes) * 60 + end(f.seconds)
    if (hour !== h) continue
    for (const minute of order(f.minutes)) {
      if (past(minute, m)) return hour * 3_600 + minute * 60 + end(f.seconds)
      const at = minute === m ? order(f.seconds).find((x) => !past(s, x)) : undefined
      if (at !== undefined) return hour * 3_600 + minute * 60 + at
    }
  }
  return undefined
}

/** The nearest allowed wall-clock time at or after (`step` 1), at or before (-1) `from`, written as if it were UTC, ms. */
const wall = (f: Fields, from: number, step: 1 | -1): number | undefined => {
  const second = step === 1 ? Math.ceil(from / 1_000) : Math.floor(from / 1_000)
  const date = new Date(Math.floor(second / 86_400) * dayMs)
  const last = date.getUTCFullYear() + yearsMax * step
  let within = second - date.getTime() / 1_000
  while ((last - date.getUTCFullYear()) * step >= 0) {
    if (f.months.size > 0 && !f.months.has(date.getUTCMonth() + 1)) {
      // To the first day of the next month, or the last of the one before.
      date.setUTCMonth(date.getUTCMonth() + (step === 1 ? 1 : 0), step === 1 ? 1 : 0)
    } else {
      const time = f.fits(date) ? timeOfDay(f, within, step) : undefined
      if (time !== undefined) return date.getTime() + time * 1_000
      date.setUTCDate(date.getUTCDate() + step)
    }
    within = step === 1 ? 0 : 86_399
  }
  return undefined
}

interface Change {
  /** First instant of the new offset, epoch ms. */
  readonly at: number
  readonly before: number
  readonly after: number
}

const formats = new Map<string, Intl.DateTimeFormat>()

const formatOf = (zone: string): Intl.DateTimeFormat => {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit"
    })
    formats.set(zone, format)
  }
  return format
}

/** True for a name that this process has a time zone for. */
export const isZone = (zone: string): boolean => {
  try {
    formatOf(zone)
    return true
  } catch {
    return false
  }
}

/** ms that the zone's clocks are ahead of UTC. */
const offsetAt = (zone: string, ms: number): number => {
  const t = formatOf(zone).format(ms)
  const n = (from: number, to: number) => Number(t.slice(from, to))
  return Date.UTC(n(6, 10), n(0, 2) - 1, n(3, 5), n(12, 14), n(15, 17), n(18, 20)) - Math.floor(ms / 1_000) * 1_000
}

const changesKept = 4_096
const changes = new Map<string, ReadonlyArray<Change>>()

/** The changes of a zone's offset in a year (UTC). No zone changes twice within a day. */
const changesOf = (zone: string, year: number): ReadonlyArray<Change> => {
  const key = `${year} ${zone}`
  const found = changes.get(key)
  if (found !== undefined) return found
  const out: Array<Change> = []
  const end = Date.UTC(year + 1, 0, 1) - 1_000
  let at = Date.UTC(year, 0, 1) - 1_000
  let offset = offsetAt(zone, at)
  while (at < end) {
    const then = Math.min(end, at + dayMs)
    const after = offsetAt(zone, then)
    if (after !== offset) {
      let low = at
      let high = then
      while (high - low > 1_000) {
        const middle = low + Math.floor((high - low) / 2_000) * 1_000
        if (offsetAt(zone, middle) === offset) low = middle
        else high = middle
      }
      out.push({ at: high, before: offset, after })
    }
    at = then
    offset = after
  }
  if (changes.size >= changesKept) changes.clear()
  changes.set(key, out)
  return out
}

/** A stretch of time with one offset, within one year. */
interface Stretch {
  readonly start: number
  readonly end: number
  readonly offset: number
  /** Wall-clock times before this have been shown already. */
  readonly shown: number
  /** Whether wall-clock times between `shown` and `start + offset` are skipped. */
  readonly gap: boolean
}

const stretchAt = (zone: string, at: number): Stretch => {
  const year = new Date(at).getUTCFullYear()
  const all = changesOf(zone, year)
  const index = all.findLastIndex((c) => c.at <= at)
  const begun = all[index]
  const last = begun ?? changesOf(zone, year - 1).at(-1)
  const offset = last?.after ?? all[0]?.before ?? offsetAt(zone, at)
  return {
    start: begun?.at ?? Date.UTC(year, 0, 1),
    end: all[index + 1]?.at ?? Date.UTC(year + 1, 0, 1),
    offset,
    shown: last === undefined ? Number.NEGATIVE_INFINITY : last.at + last.before,
    gap: begun !== undefined && begun.after > begun.before
  }
}

/** Whether a time of day that the clocks skip at the start of `s` is one of ours. */
const skips = (f: Fields, s: Stretch): boolean => {
  if (f.everyHour || !s.gap) return false
  const at = wall(f, s.shown, 1)
  return at !== undefined && at < s.start + s.offset
}

/** The first slot after `now`, epoch ms; Infinity where there is none within 60 years. */
export const next = (cron: Cron.Cron, zone: string, now: number): number => {
  const f = fieldsOf(cron)
  let from = now + 1
  const last = now + yearsMax * 366 * dayMs
  while (from < last) {
    const s = stretchAt(zone, from)
    if (from <= s.start && skips(f, s)) return s.start
    const at = wall(f, f.everyHour ? from + s.offset : Math.max(from + s.offset, s.shown), 1)
    if (at === undefined) return Number.POSITIVE_INFINITY
    if (at - s.offset < s.end) return at - s.offset
    from = s.end
  }
  return Number.POSITIVE_INFINITY
}

/** The latest slot at or before `now`, epoch ms; -Infinity where there is none within 60 years. */
export const previous = (cron: Cron.Cron, zone: string, now: number): number => {
  const f = fieldsOf(cron)
  let to = now
  const last = now - yearsMax * 366 * dayMs
  while (to > last) {
    const s = stretchAt(zone, to)
    const at = wall(f, to + s.offset, -1)
    if (at === undefined) return Number.NEGATIVE_INFINITY
    if (at - s.offset >= s.start && (f.everyHour || at >= s.shown)) return at - s.offset
    if (skips(f, s)) return s.start
    to = s.start - 1
  }
  return Number.NEGATIVE_INFINITY
}
