/** Figures as people read them. Pure. */

const dayMs = 86_400_000

const iso = (ms: number): string => new Date(ms).toISOString()

export const count = (n: number): string => Math.round(n).toLocaleString("en-US")
export const percent = (part: number): string => {
  const value = part * 100
  return `${value >= 10 || value === 0 ? Math.round(value) : Math.round(value * 10) / 10}%`
}
export const times = (ratio: number): string => `${ratio >= 10 ? Math.round(ratio) : Math.round(ratio * 10) / 10}×`
export const duration = (ms: number): string =>
  ms < 1_000
    ? `${Math.round(ms)} ms`
    : ms < 60_000
      ? `${Math.round(ms / 100) / 10} s`
      : ms < 7_200_000
        ? `${Math.round(ms / 6_000) / 10} min`
        : ms < 2 * dayMs
          ? `${Math.round(ms / 360_000) / 10} h`
          : `${Math.round(ms / 8_640_000) / 10} days`
export const bytes = (n: number): string =>
  n >= 1e9 ? `${Math.round(n / 1e8) / 10} GB` : n >= 1e6 ? `${Math.round(n / 1e6)} MB` : `${Math.ceil(n / 1e3)} kB`
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

/** `3 Nov`, `3 Nov 2026`, in UTC. */
export const dayOfMonth = (ms: number): string => `${new Date(ms).getUTCDate()} ${months[new Date(ms).getUTCMonth()]}`
export const dayText = (ms: number): string => `${dayOfMonth(ms)} ${new Date(ms).getUTCFullYear()}`
export const timeText = (ms: number): string => iso(ms).slice(11, 16)
/** `2 Jun 2026, 14:00` in UTC. */
export const clock = (ms: number): string => `${dayText(ms)}, ${timeText(ms)}`
/** `2 Jun 2026, 14:00–16:00`, or `2 Jun 2026, 23:00 – 3 Jun 2026, 01:00`; in UTC. */
export const stretch = (from: number, to: number): string =>
  dayText(from) === dayText(to) ? `${clock(from)}–${timeText(to)}` : `${clock(from)} – ${clock(to)}`

/** Whole days with both ends included, anything else to the minute. */
export const periodText = (from: number, to: number): string => {
  if (from % dayMs !== 0 || to % dayMs !== 0) return stretch(from, to)
  const last = to - 1
  const [a, b] = [dayText(from), dayText(last)]
  if (a === b) return a
  const year = new Date(last).getUTCFullYear()
  return new Date(from).getUTCFullYear() === year ? `${a.slice(0, -5)} – ${b}` : `${a} – ${b}`
}

/** 0 of nothing. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
