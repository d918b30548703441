/** Figures as people read them. Pure. */

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
      : `${Math.round(ms / 6_000) / 10} min`
export const bytes = (n: number): string =>
  n >= 1e9 ? `${Math.round(n / 1e8) / 10} GB` : n >= 1e6 ? `${Math.round(n / 1e6)} MB` : `${Math.ceil(n / 1e3)} kB`
/** `2026-06-02 14:00` in UTC. */
export const clock = (ms: number): string => iso(ms).slice(0, 16).replace("T", " ")

/** 0 of nothing. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
