/**
 * When a silence is in force: once, or at the same hours of the wall clock of a zone. A time that the zone skips is taken right
 * after the gap; of one that comes twice a window takes the first as its begin and the second as its end. Pure.
 */
import { type Silence, weekdays } from "../domain/Silence.ts"

const dayMs = 86_400_000
const minuteMs = 60_000

/** A time during which a silence is in force, epoch ms; `to` is Infinity where nobody has said when it ends. */
export interface Window {
  readonly from: number
  readonly to: number
}

const formats = new Map<string, Intl.DateTimeFormat>()

const formatOf = (zone: string): Intl.DateTimeFormat => {
  const known = formats.get(zone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric"
  })
  formats.set(zone, made)
  return made
}

/** What the wall clock of a zone shows, written as if it were UTC, ms. */
const wallOf = (zone: string, at: number): number => {
  const part: Record<string, number> = {}
  for (const { type, value } of formatOf(zone).formatToParts(at)) part[type] = Number(value)
  const { day = 1, hour = 0, minute = 0, month = 1, second = 0, year = 1970 } = part
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

/** The instants at which the wall clock shows `wall`, or the first after the gap that skips it. */
const instantsOf = (zone: string, wall: number): { readonly first: number; readonly last: number } => {
  const offsets = [wall - dayMs, wall + dayMs].map((at) => wallOf(zone, at) - at)
  const found = [...new Set(offsets)].map((offset) => wall - offset).filter((at) => wallOf(zone, at) === wall)
  if (found.length > 0) return { first: Math.min(...found), last: Math.max(...found) }
  // Skipped: the clock is set forward between the two offsets; the gap ends where the later one begins.
  let before = wall - Math.max(...offsets)
  let after = wall - Math.min(...offsets)
  while (after - before > 1_000) {
    const middle = Math.floor((before + after) / 2_000) * 1_000
    if (middle <= before) break
    if (wallOf(zone, middle) < wall) before = middle
    else after = middle
  }
  return { first: after, last: after }
}

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))

/** The window of a silence that holds `at`, else the next; undefined when it is over. */
export const windowAt = (
  silence: Pick<Silence, "startsAt" | "endsAt" | "recurring">,
  at: number
): Window | undefined => {
  const starts = Date.parse(silence.startsAt)
  const ends = silence.endsAt === null ? Infinity : Date.parse(silence.endsAt)
  if (at >= ends) return undefined
  const { recurring } = silence
  if (recurring === null) return { from: starts, to: ends }
  const begin = minutesOf(recurring.from)
  const end = minutesOf(recurring.to)
  const soonest = Math.max(at, starts)
  const today = Math.floor(wallOf(recurring.zone, soonest) / dayMs) * dayMs
  // From yesterday, whose window may reach into today, over a week and the day after it.
  for (let day = -2; day <= 8; day++) {
    const date = today + day * dayMs
    const weekday = weekdays[(new Date(date).getUTCDay() + 6) % 7]!
    if (recurring.days.length > 0 && !recurring.days.includes(weekday)) continue
    const from = instantsOf(recurring.zone, date + begin * minuteMs).first
    const to = instantsOf(recurring.zone, date + (end <= begin ? dayMs : 0) + end * minuteMs).last
    const window = { from: Math.max(from, starts), to: Math.min(to, ends) }
    if (window.to > soonest && window.from < window.to) return window
  }
  return undefined
}

/** The window in which the silence is in force at `at`. */
export const activeAt = (
  silence: Pick<Silence, "startsAt" | "endsAt" | "recurring">,
  at: number
): Window | undefined => {
  const window = windowAt(silence, at)
  return window !== undefined && window.from <= at ? window : undefined
}
