/** How numbers, lengths of time and moments read on the page. Pure; the caller passes `now`. */

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 1 })
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 })

/** 12,345; from 100,000 on 123.5K. */
export const count = (n: number): string => (Math.abs(n) < 100_000 ? grouped.format(n) : compact.format(n))

/** 0.4 % keeps a digit, 12 % does not. */
export const percent = (share: number): string => {
  const value = share * 100
  if (value === 0) return "0 %"
  if (value < 0.1) return "< 0.1 %"
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} %`
}

/** A run time: 8 ms, 1.24 s, 3 m 05 s. */
export const duration = (ms: number | null): string => {
  if (ms === null || !Number.isFinite(ms)) return "–"
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`
  return age(ms)
}

const units: ReadonlyArray<readonly [string, number]> = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000]
]

/** A waiting time in at most two units: 0 s, 42 s, 3 m 5 s, 2 h 10 m, 4 d. */
export const age = (ms: number | null): string => {
  if (ms === null || !Number.isFinite(ms)) return "–"
  const at = units.findIndex(([, length]) => ms >= length)
  if (at === -1) return "0 s"
  const [name, length] = units[at]!
  const head = `${Math.floor(ms / length)} ${name}`
  const next = units[at + 1]
  if (next === undefined) return head
  const rest = Math.floor((ms % length) / next[1])
  return rest === 0 ? head : `${head} ${rest} ${next[0]}`
}

/** Epoch ms of an API time; null for none. */
export const moment = (time: string | number | null | undefined): number | null => {
  if (time === null || time === undefined) return null
  const ms = typeof time === "number" ? time : Date.parse(time)
  return Number.isFinite(ms) ? ms : null
}

/** How long ago, never negative, because clocks differ. */
export const since = (time: string | number | null | undefined, now: number): number | null => {
  const at = moment(time)
  return at === null ? null : Math.max(0, now - at)
}

const two = (n: number): string => String(n).padStart(2, "0")

/** Local time of day; with milliseconds for log lines. */
export const clock = (ms: number, millis = false): string => {
  const at = new Date(ms)
  const base = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  return millis ? `${base}.${String(at.getMilliseconds()).padStart(3, "0")}` : base
}

export const hourMinute = (ms: number): string => clock(ms).slice(0, 5)

/** Local date as 2026-11-23. */
export const day = (ms: number): string => {
  const at = new Date(ms)
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

/** What an error field says, whether text or data. */
export const said = (error: unknown): string | null => {
  if (error === null || error === undefined || error === "") return null
  if (typeof error === "string") return error
  const message = typeof error === "object" ? (error as Record<string, unknown>)["message"] : undefined
  return typeof message === "string" ? message : JSON.stringify(error)
}
