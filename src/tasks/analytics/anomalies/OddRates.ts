/** The part of detect_anomalies that looks at counts per hour: rates with season, templates that are new or gone. */
import { Effect } from "effect"
import { type HourSeries, type OddHours, oddHours, series } from "../../../analytics/anomaly/Hours.ts"
import { newTemplates, vanishedTemplates } from "../../../analytics/anomaly/Novelty.ts"
import { type Counted, tellManyNew, tellNew, tellRate, tellVanished } from "../../../analytics/anomaly/Tell.ts"
import type { Finding } from "../../../domain/Anomaly.ts"
import type { ProjectId } from "../../../domain/Ids.ts"
import type { Anomalies, TemplateHours } from "../../../store/Anomalies.ts"
import type { Rollups } from "../../../store/Rollups.ts"

const hourMs = 3_600_000
/** Hours of history that a rate is judged by. */
const historyHours = 672
/** Templates and services whose rates are looked at, those with the most lines. */
const templatesMax = 500
const servicesMax = 100
/** Without a run before: hours that are told. */
const firstHours = 24
/** Hours that are told again, because lines came late or a stretch went on. */
const overlapHours = 3
/** A new template may need so long, hours, until enough of its lines came. */
const freshHours = 24
/** Part of a difference that makes it the part's own, and how near the factors of a part and the whole are alike. */
const partMin = 0.5
const alikeMax = 3
const modelName = "rates"

interface Services {
  readonly anomalies: Anomalies["Service"]
  readonly rollups: Rollups["Service"]
}

interface Window {
  readonly from: number
  readonly to: number
  readonly since: number
}

const positionOf = (state: unknown): number | undefined => {
  if (typeof state !== "object" || state === null || !("until" in state)) return undefined
  return typeof state.until === "number" && Number.isFinite(state.until) ? state.until : undefined
}

/** Series begin where the first line came: hours before say nothing. */
const seriesOf = (pairs: ReadonlyArray<readonly [number, number]>, window: Window): HourSeries =>
  series(pairs, Math.max(window.from, pairs[0]?.[0] ?? window.from), window.to)

interface Judged {
  readonly counted: Counted
  readonly odd: OddHours
}

const overlap = (a: OddHours, b: OddHours): boolean => a.from < b.to && b.from < a.to
const apart = ({ expected, got }: OddHours): number => got - expected
const times = ({ expected, got }: OddHours): number => (got + 1) / (expected + 1)

/** Most of what differs in the whole is this one part: then the part is the finding. */
const makes = (part: OddHours, whole: OddHours): boolean =>
  overlap(part, whole) && apart(part) / apart(whole) >= partMin

/** The part does what the whole does: then the whole is the finding. */
const follows = (part: OddHours, whole: OddHours): boolean => {
  const alike = times(part) / times(whole)
  return overlap(part, whole) && times(part) > 1 === times(whole) > 1 && alike < alikeMax && alike > 1 / alikeMax
}

/** Of the whole and its parts what is to be told, so that one event is one finding. */
const sorted = (whole: ReadonlyArray<OddHours>, parts: ReadonlyArray<Judged>): ReadonlyArray<Judged> => {
  const left = whole.filter((all) => !parts.some(({ odd }) => makes(odd, all)))
  return [
    ...left.map((odd): Judged => ({ counted: { _tag: "All" }, odd })),
    ...parts.filter(({ odd }) => !left.some((all) => follows(odd, all)))
  ]
}

const judgeTemplates = (templates: ReadonlyArray<TemplateHours>, window: Window) =>
  Effect.forEach(templates, (template) =>
    Effect.sync((): ReadonlyArray<Judged> => {
      const counts = seriesOf(
        template.hours.map(([hour, lines]) => [hour, lines] as const),
        window
      )
      return oddHours(counts, window.since).map((odd) => {
        const errors = template.hours
          .filter(([hour]) => hour >= odd.from && hour < odd.to)
          .reduce((sum, one) => sum + one[2], 0)
        return { counted: { _tag: "Template", template, errors }, odd }
      })
    }).pipe(Effect.tap(Effect.yieldNow))
  ).pipe(Effect.map((found) => found.flat()))

/** Services by event time, as far as they are rolled up. */
const judgeServices = Effect.fnUntraced(function* (rollups: Rollups["Service"], project: ProjectId, window: Window) {
  const newest = yield* rollups.newest(project)
  if (newest === undefined) return { judged: [], series: 0 }
  const to = Math.min(window.to, newest)
  const points = yield* rollups.series({ project, from: window.from, to, stepMs: hourMs, part: "services" })
  const services = new Map<string, { lines: Array<[number, number]>; errors: Array<[number, number]>; total: number }>()
  for (const [at, { services: found }] of [...points].toSorted((a, b) => a[0] - b[0])) {
    for (const [name, { errors, lines }] of Object.entries(found)) {
      const one = services.get(name) ?? { lines: [], errors: [], total: 0 }
      services.set(name, one)
      one.lines.push([at, lines])
      one.errors.push([at, errors])
      one.total += lines
    }
  }
  const judged: Array<Judged> = []
  const largest = [...services].toSorted((a, b) => b[1].total - a[1].total).slice(0, servicesMax)
  for (const [service, one] of largest) {
    for (const what of ["lines", "errors"] as const) {
      for (const odd of oddHours(seriesOf(one[what], { ...window, to }), window.since)) {
        judged.push({ counted: { _tag: "Service", service, what }, odd })
      }
    }
    yield* Effect.yieldNow
  }
  return { judged, series: 2 * largest.length }
})

const novelties = (
  templates: ReadonlyArray<TemplateHours>,
  totals: ReadonlyArray<readonly [number, number]>,
  { since, to }: Window
): ReadonlyArray<Finding> => {
  const byId = new Map(templates.map((template) => [template.id, template]))
  const { fresh, together } = newTemplates(templates, { since: since - freshHours * hourMs, now: to, totals })
  const told = fresh.map((one) => ({ template: byId.get(one.id)!, fresh: one }))
  const gone = vanishedTemplates(templates, { since, now: to, totals })
  return [
    ...(together ? [tellManyNew(told, to)] : told.map((one) => tellNew(one.template, one.fresh, to))),
    ...gone.map((one) => tellVanished(byId.get(one.id)!, one))
  ]
}

/** The findings of all whole hours up to `now`, and how to remember that they were looked at. */
export const oddRates = Effect.fnUntraced(function* (
  { anomalies, rollups }: Services,
  project: ProjectId,
  now: number
) {
  const to = Math.floor(now / hourMs) * hourMs
  const until = positionOf(yield* anomalies.model(project, modelName))
  const since = until === undefined ? to - firstHours * hourMs : Math.min(to, until) - overlapHours * hourMs
  const window: Window = { from: to - historyHours * hourMs, to, since }
  const totals = yield* anomalies.totalHours(project, window)
  const templates = yield* anomalies.templateHours(project, { ...window, max: templatesMax })
  const whole = oddHours(seriesOf(totals, window), since)
  const rates = yield* judgeTemplates(templates, window)
  const services = yield* judgeServices(rollups, project, window)
  return {
    findings: [
      ...sorted(whole, [...rates, ...services.judged]).map(({ counted, odd }) => tellRate(counted, odd)),
      ...novelties(templates, totals, window)
    ],
    series: 1 + templates.length + services.series,
    save: anomalies.saveModel(project, modelName, { until: to }, now)
  }
})
