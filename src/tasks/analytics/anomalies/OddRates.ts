/** The part of detect_anomalies that looks at counts: rates with season by the hour, of late by the minute, templates that are new or gone. */
import { Effect } from "effect"
import { events, isSame, type Judged } from "../../../analytics/anomaly/Event.ts"
import { newTemplates, vanishedTemplates } from "../../../analytics/anomaly/Novelty.ts"
import { oddStretches, series } from "../../../analytics/anomaly/Stretches.ts"
import { tellManyNew, tellNew, tellRate, tellVanished } from "../../../analytics/anomaly/Tell.ts"
import type { Finding } from "../../../domain/Anomaly.ts"
import type { ProjectId } from "../../../domain/Ids.ts"
import type { Anomalies, TemplateHours } from "../../../store/Anomalies.ts"
import type { Rollups } from "../../../store/Rollups.ts"
import { oddMinutes } from "./OddMinutes.ts"

const hourMs = 3_600_000
/** Hours of history that a rate is judged by. */
const historyHours = 672
/** Templates and services whose rates are looked at, those with the most lines. */
const templatesMax = 500
const servicesMax = 100
/** Without a run before, and where lines came late: hours that are told. */
const firstHours = 168
/** Hours that are told again, because lines came late or a stretch went on. */
const overlapHours = 3
/** A new template may need so long, hours, until enough of its lines came. */
const freshHours = 24
/** Lines that are rolled up first, about: what came since the last hour counts too. */
const rollMax = 5_000_000
const modelName = "rates"

interface Services {
  readonly anomalies: Anomalies["Service"]
  readonly rollups: Rollups["Service"]
}

export interface RatesOptions {
  readonly project: ProjectId
  readonly now: number
  /** Event time that is told, epoch ms; without it what no run has told yet. */
  readonly asked: { readonly from: number; readonly to: number } | undefined
}

interface Window {
  readonly from: number
  readonly to: number
  readonly since: number
}

/** Counts by the hour of a service. */
export interface ServiceHours {
  readonly lines: Array<[number, number]>
  readonly errors: Array<[number, number]>
  total: number
}

const positionOf = (state: unknown): { readonly until: number; readonly at: number } | undefined => {
  if (typeof state !== "object" || state === null || !("until" in state)) return undefined
  const { until } = state
  if (typeof until !== "number" || !Number.isFinite(until)) return undefined
  return { until, at: "at" in state && typeof state.at === "number" ? state.at : until }
}

/** Series begin where the first line came: hours before say nothing. */
const hoursOf = (pairs: ReadonlyArray<readonly [number, number]>, window: Window) =>
  series(pairs, Math.max(window.from, pairs[0]?.[0] ?? window.from), window.to)

const judgeTemplates = (templates: ReadonlyArray<TemplateHours>, window: Window) =>
  Effect.forEach(templates, (template) =>
    Effect.sync((): ReadonlyArray<Judged> => {
      const counts = hoursOf(
        template.hours.map(([hour, lines]) => [hour, lines] as const),
        window
      )
      return oddStretches(counts, window.since).map((odd) => {
        const errors = template.hours
          .filter(([hour]) => hour >= odd.from && hour < odd.to)
          .reduce((sum, one) => sum + one[2], 0)
        return { counted: { _tag: "Template", template, errors }, odd }
      })
    }).pipe(Effect.tap(Effect.yieldNow))
  ).pipe(Effect.map((found) => found.flat()))

/** The services with the most lines, by the hour, and errors of all. */
const serviceHours = Effect.fnUntraced(function* (rollups: Rollups["Service"], project: ProjectId, window: Window) {
  const points = yield* rollups.series({ project, from: window.from, to: window.to, stepMs: hourMs, part: "services" })
  const services = new Map<string, ServiceHours>()
  const errors: Array<[number, number]> = []
  for (const [at, { services: found }] of [...points].toSorted((a, b) => a[0] - b[0])) {
    let all = 0
    for (const [name, { errors: bad, lines }] of Object.entries(found)) {
      const one = services.get(name) ?? { lines: [], errors: [], total: 0 }
      services.set(name, one)
      one.lines.push([at, lines])
      one.errors.push([at, bad])
      one.total += lines
      all += bad
    }
    errors.push([at, all])
  }
  const largest = [...services].toSorted((a, b) => b[1].total - a[1].total).slice(0, servicesMax)
  return { services: new Map(largest), errors }
})

const judgeServices = Effect.fnUntraced(function* (services: ReadonlyMap<string, ServiceHours>, window: Window) {
  const judged: Array<Judged> = []
  for (const [service, one] of services) {
    for (const what of ["lines", "errors"] as const) {
      for (const odd of oddStretches(hoursOf(one[what], window), window.since)) {
        judged.push({ counted: { _tag: "Service", service, what }, odd })
      }
    }
    yield* Effect.yieldNow
  }
  return judged
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
    ...(together ? [tellManyNew(told)] : told.map((one) => tellNew(one.template, one.fresh))),
    ...gone.map((one) => tellVanished(byId.get(one.id)!, one))
  ]
}

/** From when on is told: after the last run, or earlier where lines came late for hours that it has told of. */
const sinceOf = Effect.fnUntraced(function* ({ anomalies, rollups }: Services, project: ProjectId, to: number) {
  const first = to - firstHours * hourMs
  const kept = positionOf(yield* anomalies.model(project, modelName))
  if (kept === undefined) return first
  const regular = Math.min(to, kept.until) - overlapHours * hourMs
  const late = yield* rollups.remade(project, { from: first, since: kept.at })
  return Math.max(first, Math.min(regular, late ?? regular))
})

/** All findings up to now, and how to remember that they were looked for. */
export const oddRates = Effect.fnUntraced(function* (services: Services, { asked, now, project }: RatesOptions) {
  const { anomalies, rollups } = services
  yield* rollups.update(project, { linesMax: rollMax })
  const end = asked?.to ?? now
  const to = Math.floor(end / hourMs) * hourMs
  const since = asked?.from ?? (yield* sinceOf(services, project, to))
  const window: Window = { from: to - historyHours * hourMs, to, since }
  const totals = yield* anomalies.totalHours(project, window)
  const templates = yield* anomalies.templateHours(project, { ...window, max: templatesMax })
  const { errors, services: byService } = yield* serviceHours(rollups, project, window)
  const whole = (["lines", "errors"] as const).flatMap((what) =>
    oddStretches(hoursOf(what === "lines" ? totals : errors, window), since).map((odd): Judged => ({
      counted: { _tag: "All", what },
      odd
    }))
  )
  const rates = yield* judgeTemplates(templates, window)
  const hourly = [...whole, ...rates, ...(yield* judgeServices(byService, window))]
  const minutes = yield* oddMinutes(rollups, {
    project,
    since,
    to: end,
    templates,
    services: byService,
    totals,
    errors
  })
  const sooner = minutes.judged.filter((one) => !hourly.some((known) => isSame(known, one)))
  return {
    findings: [
      ...events([...hourly, ...sooner]).map(({ counted, odd }) => tellRate(counted, odd)),
      ...novelties(templates, totals, window)
    ],
    series: 2 + templates.length + 2 * byService.size + minutes.series,
    save: asked === undefined ? anomalies.saveModel(project, modelName, { until: to, at: now }, now) : Effect.void
  }
})
