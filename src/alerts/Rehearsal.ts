/**
 * Tries a rule on lines of the past: what would have fired, when, and why. The same judge does it that judges lines as they pass,
 * as if the rule had been made at `from` and each line had come at its own time. Pure; reading the lines is left to others.
 */
import type { Verdict } from "../domain/Alert.ts"
import { type AlertId, type ProjectId, RuleId } from "../domain/Ids.ts"
import type { LogEvent } from "../domain/LogEvent.ts"
import * as Query from "../domain/Query.ts"
import type { AlertRule, NewRule } from "../domain/Rule.ts"
import { ruleTypes } from "./all.ts"
import * as Judge from "./Judge.ts"
import { serviceOf } from "./Matching.ts"
import type { Issue } from "./Rule.ts"

/** An alert that would have been; times in epoch ms. */
export interface Firing {
  readonly startedAt: number
  readonly firedAt: number
  /** Null where it would still fire at the end. */
  readonly resolvedAt: number | null
  readonly group: Readonly<Record<string, string>>
  /** The largest that was measured at its changes. */
  readonly value: number
  readonly reason: string
  readonly samples: ReadonlyArray<string>
}

export interface Outcome {
  /** How many would have fired; `alerts` holds the first of them. */
  readonly fired: number
  readonly alerts: ReadonlyArray<Firing>
  /** How often the condition began to hold and ended before `for` had passed. */
  readonly endedTooSoon: number
  /** Groups or values for which there was no room. */
  readonly dropped: number
  /** "would have fired 3 times: …" */
  readonly summary: string
}

export interface Rehearsal {
  /** What is wrong with the rule; nothing of it is judged then. */
  readonly issues: ReadonlyArray<Issue>
  /** Which lines it needs to see. */
  readonly query: Query.Query
  /** Takes lines in the order of their times. */
  readonly take: (events: ReadonlyArray<LogEvent>) => void
  /** What came of it by `to`; called once. */
  readonly end: (to: number) => Outcome
}

/** Alerts that are told, and moments of them that the summary names. */
const alertsMax = 200
const namedMax = 5

/** Rules of which no data says something look at all lines of their source, the others at those they count. */
const queryOf = (rule: AlertRule, watched: string): Query.Query => {
  const parsed = Query.parse(watched)
  const query = parsed.ok ? parsed.query : Query.all
  if (rule.noData !== "alert" && rule.noData !== "keep") return query
  const service = serviceOf(query)
  return service === undefined ? Query.all : { _tag: "Service", pattern: [service] }
}

const summaryOf = (fired: number, alerts: ReadonlyArray<Firing>, endedTooSoon: number, rule: AlertRule): string => {
  const soon = endedTooSoon === 0 ? "" : `; ${endedTooSoon} × the condition ended before ${rule.for} had passed`
  if (fired === 0) return `would not have fired${soon}`
  const named = alerts.slice(0, namedMax).map(({ firedAt, group }) => {
    const values = Object.values(group).filter((value) => value !== "")
    const of = values.length === 0 ? "" : ` (${values.join(", ")})`
    return `${new Date(firedAt).toISOString()}${of}`
  })
  const more = fired > named.length ? " …" : ""
  return `would have fired ${fired} ×: ${named.join(", ")}${more}${soon}`
}

/** Begins at `from`, epoch ms. */
export const make = (said: NewRule, project: ProjectId, from: number): Rehearsal => {
  const rule: AlertRule = {
    ...said,
    id: RuleId.make("rehearsal"),
    project,
    enabled: true,
    createdAt: new Date(from).toISOString()
  }
  const issues = ruleTypes[rule.type].validate(rule)
  const judge = Judge.make([rule])
  const found = new Map<AlertId, Firing>()
  let fired = 0
  let endedTooSoon = 0
  let batches = 0

  const note = (verdicts: ReadonlyArray<Verdict>): void => {
    for (const { alertId, firedAt, groupValues, reason, resolvedAt, samples, startedAt, to, value } of verdicts) {
      if (to === "inactive") endedTooSoon++
      if (firedAt === null) continue
      const known = found.get(alertId)
      if (known !== undefined) {
        // The reason is told with its own value: where both were of other moments, they would contradict each other.
        const worse = resolvedAt === null && value > known.value
        found.set(alertId, { ...known, resolvedAt, ...(worse ? { value, reason } : {}) })
      } else if (to === "firing") {
        fired++
        if (found.size >= alertsMax) continue
        found.set(alertId, { startedAt, firedAt, resolvedAt, group: groupValues ?? {}, value, reason, samples })
      }
    }
  }

  if (issues.length === 0) note(judge.tick(from))
  return {
    issues,
    query: issues.length === 0 ? queryOf(rule, ruleTypes[rule.type].watch(rule).query) : Query.all,
    take: (events) => {
      for (let next = 0; next < events.length;) {
        const first = next
        const { time } = events[first]!
        while (next < events.length && events[next]!.time === time) next++
        note(judge.batch(events.slice(first, next), time, `${time}.${batches++}`))
      }
    },
    end: (to) => {
      note(judge.tick(to))
      const alerts = [...found.values()]
      const dropped = judge.status(to)[rule.id]?.dropped ?? 0
      return { fired, alerts, endedTooSoon, dropped, summary: summaryOf(fired, alerts, endedTooSoon, rule) }
    }
  }
}
