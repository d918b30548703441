/** The figures of the last minutes as dashboards show them while they change. Pure. */
import { Schema } from "effect"
import { fromSeverity, Level, levels, severity } from "../domain/Level.ts"
import type { Bucket } from "../store/Logs.ts"
import type { Shares } from "../store/Rollups.ts"
import { errorsOf, share, sumLevels, totalOf } from "./Views.ts"

export const LiveFigures = Schema.Struct({
  /** When they were made, ISO 8601. */
  at: Schema.String,
  /** Lines by level of each of the last minutes, oldest first; the last one is not over yet. */
  minutes: Schema.Array(
    Schema.Struct({ at: Schema.String, total: Schema.Natural, byLevel: Schema.Record(Level, Schema.Natural) })
  ),
  /** Lines per second over the last full minute. */
  perSecond: Schema.Finite,
  /** error and fatal lines as a share of all of these minutes, 0 to 1. */
  errorRate: Schema.Finite,
  /** Of the newest lines that were looked at (`sampled`), the most first. */
  services: Schema.Array(Schema.Struct({ service: Schema.String, lines: Schema.Natural, errors: Schema.Natural })),
  sampled: Schema.Natural
}).annotate({ identifier: "LiveFigures" })
export type LiveFigures = typeof LiveFigures.Type

const servicesMax = 10

/** `minutes`: buckets of a minute each; `shares`: of the same time or the end of it. */
export const make = (now: number, minutes: ReadonlyArray<Bucket>, shares: Shares): LiveFigures => {
  const byLevel = sumLevels(minutes)
  const services = new Map<string, { lines: number; errors: number }>()
  for (const { level, lines, service } of shares.shares) {
    const one = services.get(service) ?? { lines: 0, errors: 0 }
    one.lines += lines
    if (severity[fromSeverity(level)] >= severity.error) one.errors += lines
    services.set(service, one)
  }
  return {
    at: new Date(now).toISOString(),
    minutes: minutes.map(({ at, byLevel: counts, total }) => ({
      at,
      total,
      byLevel: Object.fromEntries(levels.map((level) => [level, counts[level]])) as Record<Level, number>
    })),
    perSecond: Math.round(((minutes.at(-2)?.total ?? 0) / 60) * 100) / 100,
    errorRate: share(errorsOf(byLevel), totalOf(byLevel)),
    services: [...services]
      .map(([service, one]) => ({ service, ...one }))
      .sort((a, b) => b.lines - a.lines)
      .slice(0, servicesMax),
    sampled: shares.lines
  }
}
