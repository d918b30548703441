/** A week of a shop with a bad Wednesday, for reports: data that looks like data. */
import type { Facts } from "../../src/analytics/Insights.ts"
import { find, summarize } from "../../src/analytics/Insights.ts"
import { make, type Report } from "../../src/analytics/Report.ts"
import type { ReportAlert } from "../../src/analytics/ReportRows.ts"
import { latencyOf } from "../../src/analytics/Views.ts"
import type { Level } from "../../src/domain/Level.ts"
import * as Sketch from "../../src/domain/Sketch.ts"
import { random } from "../store/events.ts"

const hour = 3_600_000
export const from = Date.UTC(2026, 9, 25)
export const to = from + 168 * hour
const r = random(7)

const levelsAt = (i: number): Record<Level, number> => {
  const time = 0.55 + 0.45 * Math.sin(((i % 24) - 9) * (Math.PI / 12)) + r.next() * 0.12
  const weekend = Math.floor(i / 24) % 7 === 0 || Math.floor(i / 24) % 7 === 6 ? 0.6 : 1
  const info = Math.round(14_000 * time * weekend)
  const bad = i >= 86 && i <= 89 ? [900, 4_200, 3_100, 700][i - 86]! : 0
  return {
    unknown: 0,
    trace: 0,
    debug: Math.round(info * 0.45),
    info,
    warn: Math.round(info * 0.03 + bad * 0.4),
    error: Math.round(info * 0.006 + bad),
    fatal: bad > 3_000 ? 14 : 0
  }
}

const latency = (ms: number, n: number) =>
  latencyOf(Sketch.of(Array.from({ length: n }, () => ms * (0.5 + r.next() + (r.next() < 0.06 ? 6 * r.next() : 0)))))!

const service = (name: string, lines: number, errors: number, before: number, ms: number) => ({
  service: name,
  lines,
  share: lines / 1_800_000,
  warnings: Math.round(lines * 0.02),
  errors,
  errorRate: errors / lines,
  before,
  latency: latency(ms, 800)
})
const template = (id: string, text: string, lines: number, errors: number, before: number, seen: number) => ({
  id,
  text,
  lines,
  warnings: 0,
  errors,
  before,
  firstSeen: new Date(from + seen * hour).toISOString()
})
const alert = (
  ruleName: string,
  severity: string,
  at: number,
  acknowledged: number | null,
  lasted: number
): ReportAlert & { ruleId: string } => ({
  ruleId: ruleName,
  ruleName,
  severity,
  startedAt: new Date(from + at * hour).toISOString(),
  acknowledgedAt: acknowledged === null ? null : new Date(from + at * hour + acknowledged * 60_000).toISOString(),
  resolvedAt: new Date(from + at * hour + lasted * 60_000).toISOString()
})

export const alerts = [
  alert("Payment errors > 50 in 5 minutes", "critical", 86.2, 4, 190),
  alert("Checkout p95 above 2 s", "warning", 86.5, 11, 175),
  ...Array.from({ length: 7 }, (_, i) => alert("Disk usage of db-2", "warning", 20 + i * 9, i % 3 === 0 ? 25 : null, 6))
]

export const facts: Facts = {
  from,
  to,
  stepMs: hour,
  points: Array.from({ length: 168 }, (_, i) => ({ at: from + i * hour, byLevel: levelsAt(i) })),
  before: { unknown: 0, trace: 0, debug: 430_000, info: 970_000, warn: 29_000, error: 5_800, fatal: 0 },
  services: [
    service("checkout", 610_000, 5_100, 402_000, 420),
    service("api-gateway", 540_000, 2_100, 530_000, 90),
    service("payments", 260_000, 6_400, 255_000, 800),
    service("search", 190_000, 300, 188_000, 140),
    service("notifications", 90_000, 20, 91_000, 35)
  ],
  silent: [{ service: "recommendations", before: 48_210 }],
  templates: [
    template("11", "GET <*> <*> <*> ms", 702_000, 0, 590_000, -200),
    template(
      "12",
      "Connection to payments-db-<*> refused after <*> ms (pool exhausted, <*> waiting)",
      6_210,
      6_210,
      0,
      86.1
    ),
    template(
      "13",
      "Unhandled rejection in order <*>: TypeError: Cannot read properties of undefined (reading 'currency')",
      1_904,
      1_904,
      0,
      86.4
    ),
    template("14", "Circuit for payments opened: <*> failures in <*> s", 388, 120, 0, 86.3),
    template("15", "Retrying webhook <*> (attempt <*>)", 2_730, 40, 0, 61),
    template("16", "Cache warmed in <*> ms", 0, 0, 8_800, -300)
  ],
  endpoints: [
    { service: "checkout", endpoint: "POST /checkout/:id/pay", errors: 4_100, latency: latency(1_400, 900) },
    { service: "search", endpoint: "GET /search", errors: 12, latency: latency(260, 900) },
    { service: "api-gateway", endpoint: "GET /orders/:id", errors: 30, latency: latency(120, 900) }
  ],
  endpointsBefore: [
    { service: "checkout", endpoint: "POST /checkout/:id/pay", errors: 20, latency: latency(380, 900) },
    { service: "search", endpoint: "GET /search", errors: 12, latency: latency(250, 900) }
  ],
  alerts,
  retentionDays: 30,
  bytesPerLine: 410
}

export const report = (): Report => {
  const insights = find(facts)
  return make({
    project: "Web shop",
    projectId: "web-shop",
    facts,
    alerts,
    run: { insights, summary: summarize(facts, insights), source: "statistics", note: null },
    url: "https://logs.example.com"
  })
}
