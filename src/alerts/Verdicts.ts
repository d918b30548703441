/** Verdicts in words, and alerts as they stand after one. Pure. */
import { createHash } from "node:crypto"
import type { Alert, AlertState, SampleLine, Verdict } from "../domain/Alert.ts"
import { AlertId, type RuleId } from "../domain/Ids.ts"
import * as Query from "../domain/Query.ts"
import type { AlertRule } from "../domain/Rule.ts"
import { millisOf } from "./Rule.ts"
import type { Transition } from "./State.ts"

/** The id of the alert of `rule` and `group` that began at `startedAt` because of `cause`. */
export const alertIdOf = (rule: RuleId, group: string, startedAt: number, cause: string): AlertId => {
  const named = group === "" ? `${rule}\n${startedAt}\n${cause}` : `${rule}\n${startedAt}\n${cause}\n${group}`
  return AlertId.make(`al_${createHash("sha256").update(named).digest("base64url").slice(0, 24)}`)
}

export const forMsOf = (rule: AlertRule): number => (rule.for === undefined ? 0 : millisOf(rule.for)!)
export const keepMsOf = (rule: AlertRule): number =>
  rule.keepFiringFor === undefined ? 0 : millisOf(rule.keepFiringFor)!

export const words = (to: AlertState, rule: AlertRule, described: string): string => {
  switch (to) {
    case "pending":
      return `${described}; fires if it holds for ${rule.for}`
    case "firing":
      return forMsOf(rule) === 0 ? described : `${described}, held for ${rule.for}`
    case "inactive":
      return `ended before ${rule.for} had passed: ${described}`
    case "resolved":
      return `over: ${described}`
  }
}

/** What was measured, and of whom. */
export interface Found {
  readonly at: number
  readonly value: number
  readonly threshold: number
  readonly reason: string
  readonly group: string
  readonly groupValues: Readonly<Record<string, string>>
  readonly lines: ReadonlyArray<SampleLine>
  readonly window: { readonly from: number; readonly to: number }
  readonly late: boolean
}

const quoted = (text: string): string => `"${text.replace(/["\\]/gu, "\\$&")}"`

/** The query of an alert's lines: its rule's, narrowed to its group. */
const queryOf = (rule: AlertRule, group: Readonly<Record<string, string>>): string => {
  const terms = Object.entries(group).flatMap(([name, value]) => (value === "" ? [] : [`${name}:${quoted(value)}`]))
  const all = rule.query.trim() === "" || rule.query.trim() === "*"
  const narrowed = [...(all ? [] : terms.length === 0 ? [rule.query] : [`(${rule.query})`]), ...terms].join(" ")
  // A name or value that the language can't say narrows nothing.
  return Query.parse(narrowed).ok ? narrowed : rule.query
}

export const makeVerdict = (
  rule: AlertRule,
  change: Pick<Transition, "from" | "to" | "startedAt" | "firedAt" | "resolvedAt">,
  alertId: AlertId,
  { groupValues, lines, ...found }: Found
): Verdict => ({
  ruleId: rule.id,
  ruleName: rule.name,
  project: rule.project,
  alertId,
  from: change.from,
  to: change.to,
  ...found,
  samples: lines.map(({ message }) => message),
  lines,
  startedAt: change.startedAt,
  firedAt: change.firedAt,
  resolvedAt: change.resolvedAt,
  groupValues,
  severity: rule.severity ?? "warning",
  labels: rule.labels ?? {},
  annotations: rule.annotations ?? {},
  query: queryOf(rule, groupValues)
})

/** The alert as it stands after a verdict, in the shape of the API. */
export const alertOf = (verdict: Verdict): Alert => {
  const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString())
  return {
    id: verdict.alertId,
    project: verdict.project,
    ruleId: verdict.ruleId,
    ruleName: verdict.ruleName,
    state: verdict.to,
    severity: verdict.severity ?? "warning",
    labels: verdict.labels ?? {},
    group: verdict.groupValues ?? {},
    annotations: verdict.annotations ?? {},
    query: verdict.query ?? "",
    value: verdict.value,
    threshold: verdict.threshold,
    reason: verdict.reason,
    samples: verdict.samples,
    lines: verdict.lines ?? [],
    window:
      verdict.window === undefined
        ? null
        : { from: new Date(verdict.window.from).toISOString(), to: new Date(verdict.window.to).toISOString() },
    startedAt: new Date(verdict.startedAt).toISOString(),
    firedAt: iso(verdict.firedAt),
    resolvedAt: iso(verdict.resolvedAt),
    updatedAt: new Date(verdict.at).toISOString(),
    acknowledged: null,
    assignee: null,
    incidentId: null,
    late: verdict.late ?? false,
    silencedBy: null,
    inhibitedBy: null
  }
}
