/**
 * A report as data: what happened in a window, put together for people who were not there. Pure. How it looks is in
 * ReportHtml.ts and ReportPdf.ts, which show the same.
 */
import type { Insight, InsightRun } from "../domain/Insight.ts"
import type { Level } from "../domain/Level.ts"
import { bytes, count, duration, percent } from "./Format.ts"
import type { Facts } from "./Insights.ts"
import { errorsOf, share, sumLevels, totalOf } from "./Views.ts"

/** An alert as a report tells it. */
export interface ReportAlert {
  readonly ruleName: string
  readonly severity: string
  readonly startedAt: string
  readonly resolvedAt: string | null
  readonly acknowledgedAt: string | null
}

export interface Tile {
  readonly label: string
  readonly value: string
  readonly note: string
  /** Whether the note tells something good, bad or neither. */
  readonly mood: "good" | "bad" | "plain"
}

export interface Problem {
  readonly text: string
  readonly lines: string
  readonly errors: string
  readonly firstSeen: string
  readonly query: string
}

export interface Slow {
  readonly name: string
  readonly requests: string
  readonly p50: string
  readonly p95: string
  readonly p99: string
}

export interface AlertRow {
  readonly rule: string
  readonly severity: string
  readonly fired: string
  readonly acknowledged: string
  readonly lasted: string
}

export interface Report {
  readonly title: string
  readonly project: string
  readonly projectId: string
  /** `26 Oct – 1 Nov 2026`. */
  readonly period: string
  readonly from: number
  readonly to: number
  readonly summary: string
  /** Who worded the insights, in words. */
  readonly wordedBy: string
  readonly tiles: ReadonlyArray<Tile>
  readonly points: ReadonlyArray<{ readonly at: number; readonly byLevel: Readonly<Record<Level, number>> }>
  readonly stepMs: number
  readonly errorRates: ReadonlyArray<number>
  readonly insights: ReadonlyArray<Insight>
  readonly problems: ReadonlyArray<Problem>
  readonly services: ReadonlyArray<Slow>
  readonly endpoints: ReadonlyArray<Slow>
  readonly alerts: ReadonlyArray<AlertRow>
  /** Where the dashboard is; null where that is not set. */
  readonly url: string | null
}

const listed = { insights: 6, problems: 6, slow: 6, alerts: 8 } as const
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const dayMs = 86_400_000

/** `3 Nov 2026`, in UTC. */
export const dayText = (ms: number): string => {
  const date = new Date(ms)
  return `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`
}

/** Both ends included. */
export const periodText = (from: number, to: number): string => {
  const last = to - 1
  const [a, b] = [dayText(from), dayText(last)]
  if (a === b) return a
  const year = new Date(last).getUTCFullYear()
  return new Date(from).getUTCFullYear() === year ? `${a.slice(0, -5)} – ${b}` : `${a} – ${b}`
}

const median = (values: ReadonlyArray<number>): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

const changeOf = (now: number, before: number): string =>
  before === 0
    ? "nothing to compare with"
    : now === before
      ? "as before"
      : `${now > before ? "+" : "−"}${percent(Math.abs(now / before - 1))} on the time before`

const tilesOf = (facts: Facts, alerts: ReadonlyArray<ReportAlert>): ReadonlyArray<Tile> => {
  const now = sumLevels(facts.points)
  const [lines, before] = [totalOf(now), totalOf(facts.before)]
  const [rate, rateBefore] = [share(errorsOf(now), lines), share(errorsOf(facts.before), before)]
  const waits = alerts.flatMap(({ acknowledgedAt, startedAt }) =>
    acknowledgedAt === null ? [] : [Date.parse(acknowledgedAt) - Date.parse(startedAt)]
  )
  const wait = median(waits)
  const days = (facts.to - facts.from) / dayMs
  return [
    { label: "Log lines", value: count(lines), note: changeOf(lines, before), mood: "plain" },
    {
      label: "Error rate",
      value: percent(rate),
      note: before === 0 ? "nothing to compare with" : `${percent(rateBefore)} the time before`,
      mood: before === 0 || Math.abs(rate - rateBefore) < 0.002 ? "plain" : rate > rateBefore ? "bad" : "good"
    },
    {
      label: "Alerts fired",
      value: count(alerts.length),
      note:
        wait === undefined
          ? alerts.length === 0
            ? "a quiet time"
            : "none acknowledged"
          : `acknowledged in ${duration(wait)} (median)`,
      mood: alerts.length > 0 && wait === undefined ? "bad" : "plain"
    },
    facts.bytesPerLine === undefined
      ? { label: "Lines a day", value: count(lines / days), note: "on average", mood: "plain" }
      : {
          label: "Stored a day",
          value: bytes((lines / days) * facts.bytesPerLine),
          note: `kept for ${facts.retentionDays} days`,
          mood: "plain"
        }
  ]
}

const problemsOf = ({ from, templates }: Facts): ReadonlyArray<Problem> =>
  templates
    .filter(({ before, errors, lines, warnings }) => before === 0 && lines > 0 && errors + warnings > 0)
    .toSorted((a, b) => b.errors - a.errors || b.warnings - a.warnings)
    .slice(0, listed.problems)
    .map(({ errors, firstSeen, id, lines, text }) => ({
      text: text.length > 200 ? `${text.slice(0, 199)}…` : text,
      lines: count(lines),
      errors: count(errors),
      firstSeen: Date.parse(firstSeen) < from ? "earlier" : dayText(Date.parse(firstSeen)),
      query: `template:${id}`
    }))

const slowest = (
  rows: ReadonlyArray<{
    readonly name: string
    readonly latency: { readonly count: number; readonly p50: number; readonly p95: number; readonly p99: number }
  }>
): ReadonlyArray<Slow> =>
  rows
    .filter(({ latency }) => latency.count >= 10)
    .toSorted((a, b) => b.latency.p95 - a.latency.p95)
    .slice(0, listed.slow)
    .map(({ latency, name }) => ({
      name,
      requests: count(latency.count),
      p50: duration(latency.p50),
      p95: duration(latency.p95),
      p99: duration(latency.p99)
    }))

const alertRows = (alerts: ReadonlyArray<ReportAlert>): ReadonlyArray<AlertRow> =>
  [...Map.groupBy(alerts, ({ ruleName }) => ruleName)]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .slice(0, listed.alerts)
    .map(([rule, list]) => {
      const waits = list.flatMap(({ acknowledgedAt, startedAt }) =>
        acknowledgedAt === null ? [] : [Date.parse(acknowledgedAt) - Date.parse(startedAt)]
      )
      const lasted = median(
        list.flatMap(({ resolvedAt, startedAt }) =>
          resolvedAt === null ? [] : [Date.parse(resolvedAt) - Date.parse(startedAt)]
        )
      )
      const wait = median(waits)
      return {
        rule,
        severity: list[0]!.severity,
        fired: count(list.length),
        acknowledged:
          wait === undefined
            ? "never"
            : `${duration(wait)}${waits.length < list.length ? ` (${waits.length} of ${list.length})` : ""}`,
        lasted: lasted === undefined ? "still firing" : duration(lasted)
      }
    })

export const make = (options: {
  readonly project: string
  readonly projectId: string
  readonly facts: Facts
  readonly alerts: ReadonlyArray<ReportAlert>
  readonly run: Pick<InsightRun, "summary" | "insights" | "source" | "note">
  readonly url: string | null
}): Report => {
  const { alerts, facts, project, projectId, run, url } = options
  return {
    title: `${project}: what the logs say`,
    project,
    projectId,
    period: periodText(facts.from, facts.to),
    from: facts.from,
    to: facts.to,
    summary: run.summary,
    wordedBy:
      run.source === "llm"
        ? "Found by statistics, worded by a language model."
        : `Found and worded by statistics${run.note === null ? "" : `; ${run.note}`}.`,
    tiles: tilesOf(facts, alerts),
    points: facts.points,
    stepMs: facts.stepMs,
    errorRates: facts.points.map(({ byLevel }) => share(errorsOf(byLevel), totalOf(byLevel))),
    insights: run.insights.slice(0, listed.insights),
    problems: problemsOf(facts),
    services: slowest(
      facts.services.flatMap(({ latency, service }) =>
        latency === null ? [] : [{ name: service === "" ? "(no service)" : service, latency }]
      )
    ),
    endpoints: slowest(
      facts.endpoints.map(({ endpoint, latency, service }) => ({
        name: `${endpoint}${service === "" ? "" : ` · ${service}`}`,
        latency
      }))
    ),
    alerts: alertRows(alerts),
    url
  }
}

/** The report in plain text, at most `max` characters. */
export const toText = (report: Report, max: number): string => {
  const lines = [
    `${report.title}, ${report.period}`,
    "",
    report.summary,
    "",
    ...report.tiles.map(({ label, note, value }) => `${label}: ${value} (${note})`),
    ...(report.insights.length === 0 ? [] : ["", "What stands out:"]),
    ...report.insights.map(({ text, title }) => `- ${title}. ${text}`),
    ...(report.alerts.length === 0 ? [] : ["", "Alerts:"]),
    ...report.alerts.map(
      ({ acknowledged, fired, lasted, rule }) =>
        `- ${rule}: fired ${fired} times, acknowledged after ${acknowledged}, lasted ${lasted}`
    )
  ]
  const text = lines.join("\n")
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`
}
