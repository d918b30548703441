/** The tables of a report: rows of services, problems, endpoints, alerts, and of patterns that came or went. Pure. */
import { count, dayOfMonth, duration, percent, times } from "./Format.ts"
import type { Facts } from "./Insights.ts"
import { newFrom, totalOf } from "./Views.ts"

/** An alert as a report tells it. */
export interface ReportAlert {
  readonly ruleName: string
  readonly severity: string
  readonly startedAt: string
  readonly resolvedAt: string | null
  readonly acknowledgedAt: string | null
}

/** How something compares with the time before. */
export interface Change {
  /** `new`, `+30%`, `3.2×`, `as before`; "" where there is nothing to compare with. */
  readonly text: string
  readonly mood: "good" | "bad" | "plain"
}

export interface Problem {
  readonly text: string
  readonly lines: string
  readonly errors: string
  readonly change: Change
  readonly query: string
}

export interface ServiceRow {
  readonly name: string
  readonly lines: string
  readonly change: Change
  /** Share of its lines. */
  readonly errors: string
  /** `–` where its lines tell no durations. */
  readonly p95: string
}

export interface Slow {
  readonly name: string
  readonly requests: string
  readonly p50: string
  readonly p95: string
  readonly p99: string
}

/** A pattern that came or went. */
export interface Turn {
  readonly kind: "came" | "went"
  readonly text: string
  readonly note: string
}

export interface AlertRow {
  readonly rule: string
  readonly severity: string
  readonly fired: string
  readonly acknowledged: string
  readonly lasted: string
}

const listed = { problems: 6, services: 8, turns: 3, slow: 6, alerts: 8 } as const

export const median = (values: ReadonlyArray<number>): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

const none: Change = { text: "", mood: "plain" }

/** Changes of less than this are chance. */
const changeMin = 0.05

const changeOf = (now: number, before: number): Change => {
  if (before === 0) return now === 0 ? none : { text: "new", mood: "plain" }
  const ratio = now / before
  if (Math.abs(ratio - 1) < changeMin) return { text: "as before", mood: "plain" }
  if (ratio >= 3) return { text: times(ratio), mood: "plain" }
  return { text: `${ratio > 1 ? "+" : "−"}${percent(Math.abs(ratio - 1))}`, mood: "plain" }
}

/** The change of what nobody wants more of. */
const worseWithMore = (now: number, before: number): Change => {
  const { text } = changeOf(now, before)
  return { text, mood: text === "as before" || text === "" ? "plain" : now > before ? "bad" : "good" }
}

export const beforeText = (now: number, before: number): string => {
  if (before === 0) return "no lines before to compare"
  const { text } = changeOf(now, before)
  return text === "as before" ? text : text.endsWith("×") ? `${text} the time before` : `${text} on the time before`
}

const brief = (text: string, max: number): string =>
  text.length > max ? `${text.slice(0, max - 1).toWellFormed()}…` : text

/** Tells which templates are new in the window. */
const noveltyOf = ({ from, templates, to }: Facts): ((one: Facts["templates"][number]) => boolean) => {
  const since = newFrom(templates, from, to)
  return ({ before, firstSeen }) => before === 0 && Date.parse(firstSeen) >= since
}

export const problemsOf = (facts: Facts): ReadonlyArray<Problem> => {
  const isNew = noveltyOf(facts)
  return facts.templates
    .filter(({ errors, lines, warnings }) => lines > 0 && (errors > 0 || warnings * 2 >= lines))
    .toSorted((a, b) => b.errors - a.errors || b.warnings - a.warnings)
    .slice(0, listed.problems)
    .map((one) => ({
      text: brief(one.text, 200),
      lines: count(one.lines),
      errors: count(one.errors),
      change: isNew(one)
        ? { text: `new, ${dayOfMonth(Date.parse(one.firstSeen))}`, mood: "bad" }
        : one.before === 0
          ? none
          : worseWithMore(one.lines, one.before),
      query: `template:${one.id}`
    }))
}

export const serviceRows = (facts: Facts): ReadonlyArray<ServiceRow> =>
  facts.services.slice(0, listed.services).map(({ before, errorRate, latency, lines, service }) => ({
    name: service === "" ? "(no service)" : service,
    lines: count(lines),
    change: totalOf(facts.before) === 0 ? none : changeOf(lines, before ?? 0),
    errors: percent(errorRate),
    p95: latency === null ? "–" : duration(latency.p95)
  }))

export const turnsOf = (facts: Facts): ReadonlyArray<Turn> => {
  const isNew = noveltyOf(facts)
  const came = facts.templates.filter((one) => one.lines > 0 && isNew(one)).toSorted((a, b) => b.lines - a.lines)
  const went = facts.templates
    .filter(({ before, lines }) => lines === 0 && before > 0)
    .toSorted((a, b) => b.before - a.before)
  return [
    ...came.slice(0, listed.turns).map(({ firstSeen, lines, text }): Turn => ({
      kind: "came",
      text: brief(text, 160),
      note: `${count(lines)} lines since ${dayOfMonth(Date.parse(firstSeen))}`
    })),
    ...went.slice(0, listed.turns).map(({ before, text }): Turn => ({
      kind: "went",
      text: brief(text, 160),
      note: `${count(before)} lines the time before`
    }))
  ]
}

export const slowest = (
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

export const alertRows = (alerts: ReadonlyArray<ReportAlert>): ReadonlyArray<AlertRow> =>
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
