/**
 * Finds what is worth telling in a project's figures, by rules and statistics alone, and ranks it. Pure. Promises that every
 * sentence has its numbers and a query that finds the lines, and that little data gives few insights rather than bold ones.
 */
import type { Insight, InsightKind } from "../domain/Insight.ts"
import type { Level } from "../domain/Level.ts"
import { surprise } from "./Causes.ts"
import { bytes, clock, count, duration, median, percent, periodText, stretch, times } from "./Format.ts"
import { type EndpointView, errorsOf, newFrom, type ServiceView, share, sumLevels, totalOf } from "./Views.ts"

/** A template's lines now and in the window before. */
export interface TemplateFact {
  readonly id: string
  readonly text: string
  readonly lines: number
  readonly warnings: number
  readonly errors: number
  readonly before: number
  readonly firstSeen: string
}

export interface AlertFact {
  readonly ruleId: string
  readonly ruleName: string
  readonly startedAt: string
  readonly resolvedAt: string | null
}

/** What is known of a window and of the one of the same length before it. Times in epoch ms. */
export interface Facts {
  readonly from: number
  readonly to: number
  readonly stepMs: number
  readonly points: ReadonlyArray<{ readonly at: number; readonly byLevel: Readonly<Record<Level, number>> }>
  readonly before: Readonly<Record<Level, number>>
  readonly services: ReadonlyArray<ServiceView>
  readonly silent: ReadonlyArray<{ readonly service: string; readonly before: number }>
  readonly templates: ReadonlyArray<TemplateFact>
  readonly endpoints: ReadonlyArray<EndpointView>
  readonly endpointsBefore: ReadonlyArray<EndpointView>
  readonly alerts: ReadonlyArray<AlertFact>
  readonly retentionDays: number
  /** What a stored line takes on disk; undefined where it is not known. */
  readonly bytesPerLine: number | undefined
}

const insightsMax = 25
const perKind = 5
const dayMs = 86_400_000
const iso = (ms: number): string => new Date(ms).toISOString()

const brief = (text: string): string => (text.length > 120 ? `${text.slice(0, 119)}…` : text)
const value = (text: string): string => `"${text.replaceAll(/["\\]/gu, String.raw`\$&`)}"`
const named = (service: string): string => (service === "" ? "lines that name no service" : service)

interface Found {
  readonly kind: InsightKind
  readonly subject: string
  readonly severity: Insight["severity"]
  readonly title: string
  readonly text: string
  readonly score: number
  readonly numbers: Readonly<Record<string, number>>
  readonly query: string
  readonly from?: number
  readonly to?: number
}

type Rule = (facts: Facts) => ReadonlyArray<Found>

/** Score of a surprise in sigmas: half of 100 at about 8. */
const scoreOf = (sigmas: number): number => Math.min(100, Math.round((1 - 2 ** (-Math.abs(sigmas) / 8)) * 1_000) / 10)

const errorSpike: Rule = ({ points, stepMs }) => {
  const errors = points.map(({ byLevel }) => errorsOf(byLevel))
  if (points.length < 6) return []
  const usual = median(errors)
  const spread = Math.max(median(errors.map((n) => Math.abs(n - usual))) * 1.4826, Math.sqrt(Math.max(usual, 1)))
  const isSpike = (seen: number): boolean => (seen - usual) / spread >= 6 && seen >= 20 && seen >= usual * 3
  // Steps that follow each other are one spike.
  const runs: Array<Array<number>> = []
  for (const [i, seen] of errors.entries()) {
    if (!isSpike(seen)) continue
    if (runs.at(-1)?.at(-1) === i - 1) runs.at(-1)!.push(i)
    else runs.push([i])
  }
  return runs
    .map((run): Found => {
      const [from, to] = [points[run[0]!]!.at, points[run.at(-1)!]!.at + stepMs]
      const seen = run.reduce((sum, i) => sum + errors[i]!, 0)
      const sigmas = (Math.max(...run.map((i) => errors[i]!)) - usual) / spread
      const normal = usual * run.length
      const severity = sigmas > 20 && seen >= 200 ? "critical" : "warning"
      return {
        kind: "error_spike",
        subject: iso(from),
        severity,
        title: `${count(seen)} errors on ${stretch(from, to)} UTC`,
        text: `${count(seen)} error lines came in ${duration(to - from)}, where ${count(normal)} are usual${usual >= 1 ? ` (${times(seen / normal)})` : ""}.`,
        score: scoreOf(Math.min(sigmas, 40)),
        numbers: { errors: seen, usual: Math.round(normal) },
        query: "level:>=error",
        from,
        to
      }
    })
    .sort((a, b) => b.numbers["errors"]! - a.numbers["errors"]!)
    .slice(0, 3)
}

const errorRate: Rule = ({ before, points }) => {
  const now = sumLevels(points)
  const [errors, lines] = [errorsOf(now), totalOf(now)]
  const [errorsBefore, linesBefore] = [errorsOf(before), totalOf(before)]
  if (lines < 200 || linesBefore < 200) return []
  const [rate, rateBefore] = [errors / lines, errorsBefore / linesBefore]
  const sigmas = surprise(errors, rateBefore * lines)
  if (Math.abs(sigmas) < 5 || (rate < rateBefore * 1.25 && rate > rateBefore * 0.75)) return []
  const worse = rate > rateBefore
  return [
    {
      kind: "error_rate",
      subject: "all",
      severity: worse ? (rate > 0.05 ? "critical" : "warning") : "info",
      title: `Error rate ${worse ? "rose" : "fell"} to ${percent(rate)}`,
      text: `${count(errors)} of ${count(lines)} lines tell an error, ${percent(rate)}; in the time before it was ${percent(rateBefore)} (${count(errorsBefore)} of ${count(linesBefore)}).`,
      score: worse ? scoreOf(Math.min(sigmas, 30)) : 15,
      numbers: { errors, lines, errorsBefore, linesBefore, percent: rate * 100, percentBefore: rateBefore * 100 },
      query: "level:>=error"
    }
  ]
}

const newTemplates: Rule = ({ from, templates, to }) => {
  const since = newFrom(templates, from, to)
  return templates
    .filter((one) => one.before === 0 && one.lines >= 5 && Date.parse(one.firstSeen) >= since)
    .map((one): Found => {
      const bad = one.errors * 2 >= one.lines
      return {
        kind: "new_template",
        subject: one.id,
        severity: bad ? "warning" : "info",
        title: `New ${bad ? "error" : "pattern"}: ${brief(one.text)}`,
        text: `First seen on ${clock(Date.parse(one.firstSeen))} UTC; it has come ${count(one.lines)} times since${one.errors === 0 ? "" : one.errors >= one.lines ? ", and all of these lines tell an error" : `, and ${count(one.errors)} of these lines tell an error`}.`,
        score: Math.min(90, (bad ? 40 : 12) + Math.log10(one.lines) * (bad ? 14 : 8)),
        numbers: { lines: one.lines, errors: one.errors },
        query: `template:${one.id}`,
        from: Math.max(from, Date.parse(one.firstSeen) - 3_600_000)
      }
    })
}

const vanishedServices: Rule = ({ from, silent, to }) =>
  silent
    .filter(({ before }) => before >= 50)
    .map(({ before, service }): Found => ({
      kind: "vanished_service",
      subject: service,
      severity: before >= 1_000 ? "critical" : "warning",
      title: `${service} fell silent`,
      text: `${service} wrote ${count(before)} lines in the time before and none since ${clock(from)} UTC. It may be down, renamed, or its shipper may have stopped.`,
      score: Math.min(95, 45 + Math.log10(before) * 10),
      numbers: { before },
      query: `service:${value(service)}`,
      from: from - (to - from)
    }))

const vanishedTemplates: Rule = ({ from, templates, to }) =>
  templates
    .filter(({ before, lines }) => lines === 0 && before >= 500)
    .map((one): Found => ({
      kind: "vanished_template",
      subject: one.id,
      severity: "info",
      title: `No longer seen: ${brief(one.text)}`,
      text: `It came ${count(one.before)} times in the time before and not once since ${clock(from)} UTC.`,
      score: Math.min(40, 10 + Math.log10(one.before) * 6),
      numbers: { before: one.before },
      query: `template:${one.id}`,
      from: from - (to - from)
    }))

const slowEndpoints: Rule = ({ endpoints, endpointsBefore }) => {
  const earlier = new Map(endpointsBefore.map((one) => [`${one.service} ${one.endpoint}`, one.latency]))
  return endpoints.flatMap((one): ReadonlyArray<Found> => {
    const { count: requests, p50, p95 } = one.latency
    const then = earlier.get(`${one.service} ${one.endpoint}`)
    const grew = then !== undefined && then.count >= 20 && p95 >= then.p95 * 1.5 && p95 >= 100
    if (requests < 20 || (p95 < 1_000 && !grew)) return []
    const path = one.endpoint.replace(/^[A-Z]+ /u, "")
    // A path with ids in it is no text that lines hold: then the service and the duration find them.
    const where = path.includes(":id") || path.includes("(") ? "" : ` ${value(path)}`
    return [
      {
        kind: "slow_endpoint",
        subject: `${one.service} ${one.endpoint}`,
        severity: grew && p95 >= 1_000 ? "warning" : "info",
        title: `${one.endpoint} ${grew ? "became slower" : "is slow"}: p95 ${duration(p95)}`,
        text:
          `Of ${count(requests)} requests to ${one.endpoint}${one.service === "" ? "" : ` of ${one.service}`} one in twenty took ${duration(p95)} or longer (half of them under ${duration(p50)})` +
          (grew ? `. Before, that was ${duration(then.p95)}: it is ${times(p95 / then.p95)} as slow now.` : "."),
        score: Math.min(85, (grew ? 40 : 15) + Math.log10(Math.max(1, p95)) * 6 + Math.log10(requests) * 3),
        numbers: { requests, p50, p95, ...(then === undefined ? {} : { p95Before: then.p95 }) },
        query: `${one.service === "" ? "" : `service:${value(one.service)}`}${where}`.trim()
      }
    ]
  })
}

const topTalkers: Rule = (facts) => {
  const lines = totalOf(sumLevels(facts.points))
  if (lines < 1_000) return []
  // A template counts lines with times that can't be by their arrival, levels don't: it may seem to have more than there are.
  return facts.templates
    .map((one) => ({ one, part: Math.min(1, share(one.lines, lines)) }))
    .filter(({ part }) => part >= 0.25)
    .map(({ one, part }): Found => ({
      kind: "top_talker",
      subject: one.id,
      severity: "info",
      title: `One pattern makes ${percent(part)} of all lines`,
      text: `"${brief(one.text)}" came ${count(one.lines)} times, ${percent(part)} of ${count(lines)} lines. Writing it less often, or sampling it, saves the most${facts.bytesPerLine === undefined ? "" : `: about ${bytes((one.lines * facts.bytesPerLine * dayMs) / (facts.to - facts.from))} a day`}.`,
      score: 20 + part * 30,
      numbers: { lines: one.lines, of: lines },
      query: `template:${one.id}`
    }))
}

const volumeGrowth: Rule = (facts) => {
  const lines = totalOf(sumLevels(facts.points))
  const before = totalOf(facts.before)
  if (before < 1_000 || lines < before * 1.3) return []
  const most = facts.services
    .map((one) => ({ service: one.service, grew: one.lines - (one.before ?? 0) }))
    .sort((a, b) => b.grew - a.grew)[0]
  const days = (facts.to - facts.from) / dayMs
  const disk =
    facts.bytesPerLine === undefined
      ? ""
      : ` At this rate ${facts.retentionDays} days of lines take about ${bytes((lines / days) * facts.retentionDays * facts.bytesPerLine)}; before, it was ${bytes((before / days) * facts.retentionDays * facts.bytesPerLine)}.`
  return [
    {
      kind: "volume_growth",
      subject: "all",
      severity: lines > before * 3 ? "warning" : "info",
      title: `${times(lines / before)} as many lines as before`,
      text: `${count(lines)} lines came, ${count(before)} in the time before${most === undefined || most.grew <= 0 ? "" : `; ${named(most.service)} wrote ${count(most.grew)} more`}.${disk}`,
      score: Math.min(70, 20 + Math.log2(lines / before) * 15),
      numbers: { lines, before, ...(most === undefined ? {} : { grew: most.grew }) },
      query: most === undefined ? "" : `service:${value(most.service)}`
    }
  ]
}

const retention: Rule = (facts) => {
  const byLevel = sumLevels(facts.points)
  const lines = totalOf(byLevel)
  const chatter = byLevel.debug + byLevel.trace
  if (lines < 1_000 || chatter < lines * 0.2) return []
  const days = (facts.to - facts.from) / dayMs
  const disk =
    facts.bytesPerLine === undefined
      ? ""
      : `, about ${bytes((chatter / days) * facts.retentionDays * facts.bytesPerLine)} over the ${facts.retentionDays} days that lines are kept`
  return [
    {
      kind: "retention",
      subject: "debug",
      severity: "info",
      title: `${percent(chatter / lines)} of what is kept is debug and trace`,
      text: `${count(chatter)} of ${count(lines)} lines are debug or trace${disk}. Leaving them out at the source, or keeping lines for fewer days, makes room.`,
      score: 15 + share(chatter, lines) * 25,
      numbers: { lines, chatter },
      query: "level:<=debug"
    }
  ]
}

const flappingAlerts: Rule = ({ alerts }) =>
  [...Map.groupBy(alerts, ({ ruleId }) => ruleId)].flatMap(([ruleId, list]): ReadonlyArray<Found> => {
    const lasted = list.flatMap(({ resolvedAt, startedAt }) =>
      resolvedAt === null ? [] : [Date.parse(resolvedAt) - Date.parse(startedAt)]
    )
    if (lasted.length < 4 || median(lasted) > 15 * 60_000) return []
    const name = list[0]!.ruleName
    return [
      {
        kind: "flapping_alert",
        subject: ruleId,
        severity: "warning",
        title: `The alert "${brief(name)}" flaps`,
        text: `"${brief(name)}" fired and resolved ${count(lasted.length)} times, half of them within ${duration(median(lasted))}. A longer \`for\`, a keep_firing_for or a higher threshold keeps it quiet until it means something.`,
        score: Math.min(75, 35 + lasted.length * 2),
        numbers: { alerts: lasted.length, medianMs: median(lasted) },
        query: ""
      }
    ]
  })

const rules: ReadonlyArray<Rule> = [
  errorSpike,
  errorRate,
  newTemplates,
  vanishedServices,
  vanishedTemplates,
  slowEndpoints,
  topTalkers,
  volumeGrowth,
  retention,
  flappingAlerts
]

/** All that is worth telling, what matters most first. */
export const find = (facts: Facts): ReadonlyArray<Insight> =>
  rules
    .flatMap((rule) =>
      rule(facts)
        .toSorted((a, b) => b.score - a.score)
        .slice(0, perKind)
    )
    .map(({ from, kind, numbers, query, score, severity, subject, text, title, to }): Insight => ({
      id: `${kind}:${subject}`.slice(0, 300),
      kind,
      severity,
      title,
      text,
      score: Math.round(score * 10) / 10,
      numbers,
      link: { query, from: iso(from ?? facts.from), to: iso(to ?? facts.to) },
      source: "statistics"
    }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(0, insightsMax)

/** The whole in a few sentences. */
export const summarize = (facts: Facts, insights: ReadonlyArray<Insight>): string => {
  const byLevel = sumLevels(facts.points)
  const lines = totalOf(byLevel)
  const period = periodText(facts.from, facts.to)
  if (lines === 0) return `No lines came (${period}). If that is a surprise, look at what ships them.`
  const urgent = insights.filter(({ severity }) => severity !== "info").length
  return `${count(lines)} lines came, ${percent(errorsOf(byLevel) / lines)} of them errors (${period}). ${urgent === 0 ? "Nothing stands out as a problem." : urgent === 1 ? "One thing needs a look." : `${urgent} things need a look.`}`
}
