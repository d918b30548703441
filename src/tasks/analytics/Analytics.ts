/**
 * What is asked of a project's figures: overview, charts, tables, and what changed most around an alert. Reads roll-ups
 * (store/Rollups), shapes them by analytics/Views and analytics/Causes. Doors and tasks ask here.
 */
import { Effect } from "effect"
import * as Causes from "../../analytics/Causes.ts"
import * as Views from "../../analytics/Views.ts"
import type { Alert } from "../../domain/Alert.ts"
import type { Anomaly } from "../../domain/Anomaly.ts"
import type { ProjectId } from "../../domain/Ids.ts"
import { mergeRollups } from "../../domain/Rollup.ts"
import { Anomalies } from "../../store/Anomalies.ts"
import { Rollups, type Share, type TemplateChange } from "../../store/Rollups.ts"

/** Whole steps of event time, epoch ms. */
export interface Window {
  readonly project: ProjectId
  readonly from: number
  readonly to: number
  readonly stepMs: number
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Points of one answer. */
export const pointsMax = 2_000
/** Widths of steps that people read well. */
const widths = [1, 2, 3, 6, 12, 24, 48, 168, 720].map((hours) => hours * hourMs)
const pointsWanted = 200

/** The step that gives about two hundred points or fewer. */
export const stepOf = (spanMs: number): number =>
  widths.find((width) => spanMs / width <= pointsWanted) ?? Math.ceil(spanMs / pointsWanted / dayMs) * dayMs

const iso = (ms: number): string => new Date(ms).toISOString()

/** The span of the same length before. */
const before = (window: Window): Window => ({
  ...window,
  from: window.from - (window.to - window.from),
  to: window.from
})

export const volume = Effect.fnUntraced(function* (window: Window) {
  const rollups = yield* Rollups
  const found = new Map((yield* rollups.volume(window)).map((point) => [point.at, point]))
  const none = Views.sumLevels([])
  return Array.from({ length: Math.ceil((window.to - window.from) / window.stepMs) }, (_, i) => {
    const at = window.from + i * window.stepMs
    const byLevel = found.get(at)?.byLevel ?? none
    const total = Views.totalOf(byLevel)
    return { at: iso(at), total, byLevel, errorRate: Views.share(Views.errorsOf(byLevel), total) }
  })
})

/** Sums of the whole span, hour by hour where its bounds are no days. */
const sums = (window: Window) =>
  Effect.gen(function* () {
    const rollups = yield* Rollups
    const byLevel = Views.sumLevels(yield* rollups.volume(window))
    return {
      lines: Views.totalOf(byLevel),
      byLevel,
      errorRate: Views.share(Views.errorsOf(byLevel), Views.totalOf(byLevel))
    }
  })

/** New: first seen in the window. Vanished: lines before it, none in it. */
export const changesOf = (changes: ReadonlyArray<TemplateChange>, { from, to }: Pick<Window, "from" | "to">) => {
  const since = Views.newFrom(changes, from, to)
  return {
    fresh: changes.filter((one) => one.before === 0 && one.lines > 0 && Date.parse(one.firstSeen) >= since),
    vanished: changes.filter((one) => one.before > 0 && one.lines === 0).sort((a, b) => b.before - a.before)
  }
}

const listed = 5

export const overview = Effect.fnUntraced(function* (window: Window) {
  const rollups = yield* Rollups
  const earlier = before(window)
  const [now, then, services, servicesBefore, hosts, latency, changes, newest] = yield* Effect.all(
    [
      sums(window),
      sums(earlier),
      rollups.series({ ...window, part: "services" }),
      rollups.series({ ...earlier, part: "services" }),
      rollups.series({ ...window, part: "hosts" }),
      rollups.series({ ...window, part: "latency" }),
      rollups.templates(window),
      rollups.newest(window.project)
    ],
    { concurrency: 3 }
  )
  const { fresh, vanished } = changesOf(changes, window)
  const top = Views.servicesOf(services.values(), servicesBefore.values())
  return {
    lines: now.lines,
    before: then.lines,
    change: then.lines === 0 ? null : Math.round((now.lines / then.lines - 1) * 1_000) / 1_000,
    byLevel: now.byLevel,
    errorRate: now.errorRate,
    errorRateBefore: then.errorRate,
    latency: Views.latencyOf(mergeRollups(latency.values()).latency),
    services: top.slice(0, listed),
    servicesTotal: top.length,
    silent: Views.silentServices(services.values(), servicesBefore.values()).slice(0, listed),
    hosts: Views.hostsOf(hosts.values()).slice(0, listed),
    templates: changes.filter(({ lines }) => lines > 0).slice(0, listed),
    newTemplates: { total: fresh.length, first: fresh.slice(0, listed) },
    vanishedTemplates: { total: vanished.length, first: vanished.slice(0, listed) },
    rolledUpTo: newest === undefined ? null : iso(newest + hourMs)
  }
})

/** Services with their lines over time, those with the most first. */
export const services = Effect.fnUntraced(function* (window: Window, limit: number) {
  const rollups = yield* Rollups
  const rows = yield* rollups.series({ ...window, part: "services" })
  const earlier = yield* rollups.series({ ...before(window), part: "services" })
  const all = Views.servicesOf(rows.values(), earlier.values())
  return {
    total: all.length,
    services: all.slice(0, limit).map((view) => ({
      ...view,
      points: Array.from(rows, ([at, row]) => {
        const one = row.services[view.service]
        return { at: iso(at), lines: one?.lines ?? 0, errors: one?.errors ?? 0 }
      }).filter(({ lines }) => lines > 0)
    })),
    silent: Views.silentServices(rows.values(), earlier.values()).slice(0, limit)
  }
})

export const latency = Effect.fnUntraced(function* (window: Window, limit: number, service: string | undefined) {
  const rollups = yield* Rollups
  const part = service === undefined ? "latency" : "services"
  const rows = yield* rollups.series({ ...window, part })
  const endpoints = Views.endpointsOf((yield* rollups.series({ ...window, part: "endpoints" })).values())
  const points = Array.from(rows, ([at, row]) => ({
    at: iso(at),
    ...(Views.latencyOf(service === undefined ? row.latency : row.services[service]?.latency) ?? { count: 0 })
  })).filter((point): point is { at: string } & Views.Latency => point.count > 0)
  const whole = mergeRollups(rows.values())
  return {
    total: Views.latencyOf(service === undefined ? whole.latency : whole.services[service]?.latency),
    points,
    endpoints: endpoints.filter((one) => service === undefined || one.service === service).slice(0, limit)
  }
})

export const templates = Effect.fnUntraced(function* (window: Window, limit: number) {
  const changes = yield* (yield* Rollups).templates(window)
  const { fresh, vanished } = changesOf(changes, window)
  return {
    top: changes
      .filter(({ lines }) => lines > 0)
      .sort((a, b) => b.lines - a.lines)
      .slice(0, limit),
    new: { total: fresh.length, templates: fresh.slice(0, limit) },
    vanished: { total: vanished.length, templates: vanished.slice(0, limit) }
  }
})

export const hosts = Effect.fnUntraced(function* (window: Window, limit: number) {
  const all = Views.hostsOf((yield* (yield* Rollups).series({ ...window, part: "hosts" })).values())
  return { total: all.length, hosts: all.slice(0, limit) }
})

/** Lines read on either side of the window's beginning, and how far back at most. */
const causeLines = 200_000
const baselineMs = 6 * hourMs
const anomaliesMax = 20
/** An anomaly's score of 0 to 1 beside the others: what is told at all (0.5) stands where "far beyond chance" begins. */
const sigmas = (score: number): number => Math.round(score * 200) / 10

const changeOf = ({ expected, got, kind }: Anomaly) =>
  kind === "new_template"
    ? "new"
    : kind === "vanished_template" || got === 0
      ? "gone"
      : (got ?? 0) < (expected ?? 0)
        ? "fewer"
        : "more"

/** What changed most from the hours before `from` to `from … to`; only lines of `service`, where one is named. */
export const causes = Effect.fnUntraced(function* (options: {
  readonly project: ProjectId
  readonly from: number
  readonly to: number
  readonly service?: string | undefined
}) {
  const { from, project, service, to } = options
  const rollups = yield* Rollups
  const mine = (shares: ReadonlyArray<Share>) =>
    service === undefined ? shares : shares.filter((share) => share.service === service)
  const now = yield* rollups.shares({ project, from, to, linesMax: causeLines })
  const earlier = yield* rollups.shares({ project, from: from - baselineMs, to: from, linesMax: causeLines })
  const ids = new Set([...now.shares, ...earlier.shares].map(({ template }) => template).filter((id) => id !== ""))
  const texts = yield* rollups.texts(project, [...ids])
  const rooted = (shares: ReadonlyArray<Share>): ReadonlyArray<Share> =>
    shares.map((share) => ({ ...share, template: texts.get(share.template)?.root ?? share.template }))
  const odd = yield* (yield* Anomalies).list({ project, from, to, limit: anomaliesMax })
  const context = {
    now: { shares: rooted(mine(now.shares)), ms: Math.max(1, to - now.from) },
    before: { shares: rooted(mine(earlier.shares)), ms: earlier.lines === 0 ? 0 : Math.max(1, from - earlier.from) },
    texts,
    from
  }
  const ranked = Causes.rank(
    context,
    odd.map((one) => ({
      name: one.title,
      change: changeOf(one),
      lines: Math.max(0, Math.round(one.got ?? 0)),
      expected: one.expected ?? 0,
      score: sigmas(one.score),
      explanation: one.explanation,
      query: one.query
    }))
  )
  return {
    from: iso(now.from),
    to: iso(to),
    comparedFrom: iso(earlier.lines === 0 ? from : earlier.from),
    lines: now.lines,
    linesBefore: earlier.lines,
    causes: ranked.map((cause) => ({ ...cause, from: iso(now.from), to: iso(to) }))
  }
})

/** How long before an alert's beginning its window starts, and the least and longest window, ms. */
const leadMs = 5 * 60_000
const windowMin = 10 * 60_000
const windowMax = 2 * hourMs

/** Where lines came late: so long before the ones that the alert shows, which are the last that matched, ms. */
const lateLeadMs = 30 * 60_000

/** The stretch of event time in which the cause of an alert is looked for: around its lines, where these came late. */
export const windowOfAlert = (
  alert: Pick<Alert, "startedAt" | "resolvedAt"> & { readonly lines: ReadonlyArray<{ readonly time: number }> },
  now: number
) => {
  const times = alert.lines.map(({ time }) => time)
  if (times.length > 0 && Math.max(...times) < Date.parse(alert.startedAt) - lateLeadMs) {
    const start = Math.min(...times) - lateLeadMs
    return { from: start, to: Math.min(start + windowMax, Math.max(...times) + leadMs) }
  }
  const from = Date.parse(alert.startedAt) - leadMs
  const end = alert.resolvedAt === null ? now : Date.parse(alert.resolvedAt)
  return { from, to: Math.min(from + windowMax, Math.max(from + windowMin, end)) }
}
