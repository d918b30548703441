/** Figures of a set of log events, gathered one event at a time in bounded memory. Pure. */
import { levels, severity } from "../domain/Level.ts"
import type { LogEvent } from "../domain/LogEvent.ts"

/** More services than this are counted together under `(others)`. */
const servicesMax = 100
const others = "(others)"

export interface Figures {
  readonly lines: number
  /** ISO 8601; null while there is no line. */
  readonly firstTime: string | null
  readonly lastTime: string | null
  readonly byLevel: Readonly<Record<string, number>>
  /** By service; lines that name none under "". */
  readonly byService: Readonly<Record<string, number>>
  /** error and fatal lines as a share of all, 0 to 1. */
  readonly errorRate: number
}

export interface Aggregate {
  readonly add: (event: LogEvent) => void
  readonly figures: () => Figures
}

const iso = (ms: number): string | null => (Number.isFinite(ms) ? new Date(ms).toISOString() : null)

export const make = (): Aggregate => {
  let lines = 0
  let errors = 0
  let first = Infinity
  let last = -Infinity
  const byLevel = new Map<string, number>()
  const byService = new Map<string, number>()
  const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1)
  return {
    add: (event) => {
      lines++
      if (severity[event.level] >= severity.error) errors++
      first = Math.min(first, event.time)
      last = Math.max(last, event.time)
      count(byLevel, event.level)
      count(byService, byService.has(event.service) || byService.size < servicesMax ? event.service : others)
    },
    figures: () => ({
      lines,
      firstTime: iso(first),
      lastTime: iso(last),
      byLevel: Object.fromEntries(levels.filter((l) => byLevel.has(l)).map((l) => [l, byLevel.get(l) ?? 0])),
      byService: Object.fromEntries([...byService].sort(([, a], [, b]) => b - a)),
      errorRate: lines === 0 ? 0 : errors / lines
    })
  }
}
