/** Roll-ups as charts and tables show them: ranked lists, rates, quantiles. Pure; reading is left to store/Rollups. */
import { levels, type Level } from "../domain/Level.ts"
import { mergeRollups, type Rollup } from "../domain/Rollup.ts"
import { quantile, type Sketch } from "../domain/Sketch.ts"

export interface Latency {
  /** Lines that told a duration. */
  readonly count: number
  /** ms, within 2 %. */
  readonly p50: number
  readonly p90: number
  readonly p95: number
  readonly p99: number
  readonly max: number
  readonly mean: number
}

export const latencyOf = (sketch: Sketch | null | undefined): Latency | null => {
  if (sketch === null || sketch === undefined || sketch.n === 0) return null
  const at = (q: number) => quantile(sketch, q) ?? 0
  return {
    count: sketch.n,
    p50: at(0.5),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    max: sketch.max,
    mean: Number((sketch.sum / sketch.n).toPrecision(4))
  }
}

const hourMs = 3_600_000
/** Part of a young project's time in which everything is new, so that nothing is. */
const youngPart = 0.25

/**
 * From when on a template of `from … to` counts as new, epoch ms: in a project that is younger than the window, once its first
 * quarter is over.
 */
export const newFrom = (
  templates: ReadonlyArray<{ readonly before: number; readonly firstSeen: string }>,
  from: number,
  to: number
): number => {
  if (templates.length === 0 || templates.some(({ before }) => before > 0)) return from
  const begin = templates.reduce((min, { firstSeen }) => Math.min(min, Date.parse(firstSeen)), to)
  return Math.max(from, begin + Math.max(hourMs, (to - begin) * youngPart))
}

/** A share of 0 to 1 with four digits. */
export const share = (part: number, whole: number): number =>
  whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 10_000

type ByLevel = Readonly<Record<Level, number>>

export const totalOf = (byLevel: ByLevel): number => levels.reduce((sum, level) => sum + byLevel[level], 0)
export const errorsOf = (byLevel: ByLevel): number => byLevel.error + byLevel.fatal

export const sumLevels = (points: ReadonlyArray<{ readonly byLevel: ByLevel }>): Record<Level, number> =>
  Object.fromEntries(
    levels.map((level) => [level, points.reduce((sum, { byLevel }) => sum + byLevel[level], 0)])
  ) as Record<Level, number>

export interface ServiceView {
  readonly service: string
  readonly lines: number
  /** Of all lines. */
  readonly share: number
  readonly warnings: number
  readonly errors: number
  readonly errorRate: number
  /** Lines of the span before; null where that was not asked for. */
  readonly before: number | null
  readonly latency: Latency | null
}

/** Services by their lines; `before` of the span of the same length before. */
export const servicesOf = (
  rows: Iterable<Rollup>,
  before: Iterable<Rollup> | undefined
): ReadonlyArray<ServiceView> => {
  const now = mergeRollups(rows)
  const then = before === undefined ? undefined : mergeRollups(before)
  return Object.entries(now.services)
    .map(([service, { errors, latency, lines, warnings }]) => ({
      service,
      lines,
      share: share(lines, now.lines),
      warnings,
      errors,
      errorRate: share(errors, lines),
      before: then === undefined ? null : (then.services[service]?.lines ?? 0),
      latency: latencyOf(latency)
    }))
    .sort((a, b) => b.lines - a.lines)
}

/** Services that were there before and say nothing now. */
export const silentServices = (
  rows: Iterable<Rollup>,
  before: Iterable<Rollup>
): ReadonlyArray<{ service: string; before: number }> => {
  const now = mergeRollups(rows)
  return Object.entries(mergeRollups(before).services)
    .filter(([service]) => service !== "" && !Object.hasOwn(now.services, service))
    .map(([service, { lines }]) => ({ service, before: lines }))
    .sort((a, b) => b.before - a.before)
}

export const hostsOf = (rows: Iterable<Rollup>) => {
  const { hosts } = mergeRollups(rows)
  const all = Object.values(hosts).reduce((sum, n) => sum + n, 0)
  return Object.entries(hosts)
    .map(([host, lines]) => ({ host, lines, share: share(lines, all) }))
    .sort((a, b) => b.lines - a.lines)
}

export interface EndpointView {
  readonly service: string
  readonly endpoint: string
  readonly errors: number
  readonly latency: Latency
}

/** Endpoints, those that took the most time in all first. */
export const endpointsOf = (rows: Iterable<Rollup>): ReadonlyArray<EndpointView> =>
  Object.entries(mergeRollups(rows).endpoints)
    .flatMap(([name, { errors, latency }]) => {
      const view = latencyOf(latency)
      const space = name.indexOf(" ")
      return view === null || space < 0
        ? []
        : [{ service: name.slice(0, space), endpoint: name.slice(space + 1), errors, latency: view }]
    })
    .sort((a, b) => b.latency.mean * b.latency.count - a.latency.mean * a.latency.count)
