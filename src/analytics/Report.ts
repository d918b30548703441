/**
 * A report as data: what happened in a window, put together for people who were not there. Pure. How it looks is in
 * ReportHtml.ts and ReportPdf.ts, which show the same.
 */
import type { Insight, InsightRun } from "../domain/Insight.ts"
import type { Level } from "../domain/Level.ts"
import { bytes, count, duration, percent, periodText } from "./Format.ts"
import type { Facts } from "./Insights.ts"
import {
  type AlertRow,
  alertRows,
  beforeText,
  median,
  type Problem,
  problemsOf,
  type ReportAlert,
  type ServiceRow,
  serviceRows,
  type Slow,
  slowest,
  type Turn,
  turnsOf
} from "./ReportRows.ts"
import { errorsOf, share, sumLevels, totalOf } from "./Views.ts"

export interface Tile {
  readonly label: string
  readonly value: string
  readonly note: string
  /** Whether the note tells something good, bad or neither. */
  readonly mood: "good" | "bad" | "plain"
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
  readonly services: ReadonlyArray<ServiceRow>
  readonly turns: ReadonlyArray<Turn>
  readonly endpoints: ReadonlyArray<Slow>
  readonly alerts: ReadonlyArray<AlertRow>
  /** Without a single line: then there is nothing to draw. */
  readonly empty: boolean
  /** Where the dashboard is; null where that is not set. */
  readonly url: string | null
}

/** Findings that a report tells. */
const insightsMax = 6
const dayMs = 86_400_000

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
    { label: "Log lines", value: count(lines), note: beforeText(lines, before), mood: "plain" },
    {
      label: "Error rate",
      value: percent(rate),
      note: before === 0 ? `${count(errorsOf(now))} lines` : `${percent(rateBefore)} the time before`,
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
    insights: run.insights.slice(0, insightsMax),
    problems: problemsOf(facts),
    services: serviceRows(facts),
    turns: turnsOf(facts),
    endpoints: slowest(
      facts.endpoints.map(({ endpoint, latency, service }) => ({
        name: `${endpoint}${service === "" ? "" : ` · ${service}`}`,
        latency
      }))
    ),
    alerts: alertRows(alerts),
    empty: totalOf(sumLevels(facts.points)) === 0,
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
    ...(report.problems.length === 0 ? [] : ["", "Top problems:"]),
    ...report.problems.map(
      ({ change, errors, lines: all, text }) =>
        `- ${text}: ${all} lines, ${errors} errors${change.text === "" ? "" : ` (${change.text})`}`
    ),
    ...(report.alerts.length === 0 ? [] : ["", "Alerts:"]),
    ...report.alerts.map(
      ({ acknowledged, fired, lasted, rule }) =>
        `- ${rule}: fired ${fired === "1" ? "once" : `${fired} times`}, acknowledged ${acknowledged === "never" ? "never" : `after ${acknowledged}`}, ${lasted === "still firing" ? lasted : `lasted ${lasted}`}`
    )
  ]
  const text = lines.join("\n")
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`
}
