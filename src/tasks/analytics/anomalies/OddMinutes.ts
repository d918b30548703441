/**
 * Rates of the last hours by the minute, read from the lines themselves: what is over within an hour, or has just begun, is
 * lost in counts by the hour. What comes at the same hour of other days is left out.
 */
import { Effect } from "effect"
import type { Judged } from "../../../analytics/anomaly/Event.ts"
import { fine, isDaily, oddStretches, series } from "../../../analytics/anomaly/Stretches.ts"
import type { Counted } from "../../../analytics/anomaly/Tell.ts"
import { fromSeverity, severity } from "../../../domain/Level.ts"
import type { ProjectId } from "../../../domain/Ids.ts"
import type { TemplateHours } from "../../../store/Anomalies.ts"
import type { Rollups } from "../../../store/Rollups.ts"
import type { ServiceHours } from "./OddRates.ts"

const minuteMs = 60_000
const hourMs = 60 * minuteMs
/** So far back, and so many lines. */
const reachMs = 24 * hourMs
const linesMax = 1_000_000
/** Minutes of a step, and how many steps the window has at most. */
const widths = [1, 2, 5]
const stepsMax = 400

type Pairs = Array<[number, number]>

interface Options {
  readonly project: ProjectId
  readonly since: number
  readonly to: number
  /** Counts by the hour, weeks back. */
  readonly templates: ReadonlyArray<TemplateHours>
  readonly services: ReadonlyMap<string, ServiceHours>
  readonly totals: ReadonlyArray<readonly [number, number]>
  readonly errors: ReadonlyArray<readonly [number, number]>
}

/** One series of counts, and the same by the hour. */
interface Watched {
  readonly counted: Counted
  readonly pairs: Pairs
  readonly hours: ReadonlyArray<readonly [number, number]>
}

const watch = <K>(map: Map<K, Pairs>, key: K): Pairs => {
  const pairs = map.get(key) ?? []
  map.set(key, pairs)
  return pairs
}

export const oddMinutes = Effect.fnUntraced(function* (rollups: Rollups["Service"], options: Options) {
  const { project, services, since, templates, to, totals } = options
  const begin = Math.max(to - reachMs, totals[0]?.[0] ?? to)
  const width = widths.find((minutes) => (to - begin) / (minutes * minuteMs) <= stepsMax) ?? widths.at(-1)!
  const stepMs = width * minuteMs
  const read = yield* rollups.shares({ project, from: begin, to, linesMax, stepMs })
  const ids = new Set(read.shares.map(({ template }) => template).filter((id) => id !== ""))
  const texts = yield* rollups.texts(project, [...ids])
  const [lines, errors, byTemplate, linesBy, errorsBy] = [
    [] as Pairs,
    [] as Pairs,
    new Map<string, Pairs>(),
    new Map<string, Pairs>(),
    new Map<string, Pairs>()
  ]
  for (const { at, level, lines: n, service, template } of read.shares) {
    const bad = severity[fromSeverity(level)] >= severity.error ? n : 0
    lines.push([at, n])
    watch(linesBy, service).push([at, n])
    watch(byTemplate, texts.get(template)?.root ?? template).push([at, n])
    // A service without errors has a series of zeros too, or its first ones would have nothing before them.
    errors.push([at, bad])
    watch(errorsBy, service).push([at, bad])
  }
  const watched: ReadonlyArray<Watched> = [
    { counted: { _tag: "All", what: "lines" }, pairs: lines, hours: totals },
    { counted: { _tag: "All", what: "errors" }, pairs: errors, hours: options.errors },
    ...templates.map((template) => ({
      counted: { _tag: "Template", template, errors: 0 } as const,
      pairs: byTemplate.get(template.id) ?? [],
      hours: template.hours.map(([hour, n]) => [hour, n] as const)
    })),
    ...Array.from(services).flatMap(([service, hours]) =>
      (["lines", "errors"] as const).map((what) => ({
        counted: { _tag: "Service", service, what } as const,
        pairs: (what === "lines" ? linesBy : errorsBy).get(service) ?? [],
        hours: hours[what]
      }))
    )
  ]
  const judged: Array<Judged> = []
  // Before a project's first line nothing was silent; those before `read.from` were not all read.
  const first = begin < to - reachMs + hourMs ? begin : lines.reduce((min, [at]) => Math.min(min, at), to)
  const from = Math.ceil(Math.max(first, read.from) / stepMs) * stepMs
  // The newest step may lack lines that are on their way.
  const until = to - stepMs
  for (const { counted, hours, pairs } of watched) {
    // What was born within the window, and not with the project, is told as new, not as more.
    const born = hours[0]?.[0] ?? 0
    if (counted._tag === "Template" && born + hourMs > from && born > (totals[0]?.[0] ?? 0)) continue
    const found = oddStretches(series(pairs, from, until, stepMs), since, fine)
    for (const odd of found) if (!isDaily(hours, odd)) judged.push({ counted, odd })
    yield* Effect.yieldNow
  }
  return { judged, series: watched.length }
})
