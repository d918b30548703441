/**
 * Judges the lines of one project as they pass: feeds each rule the lines it selects, measures, and moves alerts through
 * their life. Promises that the same lines and times give the same verdicts with the same alert ids, whoever judges them
 * and however often; keeping the state and telling people is left to the pipeline.
 */
import { createHash } from "node:crypto"
import type { Alert, AlertRule, AlertState, Verdict } from "../domain/Alert.ts"
import { AlertId, type RuleId } from "../domain/Ids.ts"
import type { LogEvent } from "../domain/LogEvent.ts"
import { ruleTypes } from "./all.ts"
import type { Issue, Measurement, Watch } from "./Rule.ts"
import { type Life, type Transition, dueAt, inactive, step } from "./State.ts"

export type { Verdict } from "../domain/Alert.ts"

interface RuleState {
  /** The spec the state belongs to, as text: a changed rule starts anew. */
  readonly spec: string
  readonly data: unknown
  readonly life: Life
  readonly samples: ReadonlyArray<string>
}

/** All that a judge remembers; plain JSON. */
export interface JudgeState {
  readonly version: 1
  /** The latest moment judged, epoch ms: time does not run backwards between batches of different doors. */
  readonly at: number
  readonly rules: Readonly<Record<string, RuleState>>
}

export interface Judge {
  /** Judges a batch that arrived at `at`; `batchId` is the same when the batch is delivered again. */
  readonly batch: (events: ReadonlyArray<LogEvent>, at: number, batchId: string) => Array<Verdict>
  /** Lets time pass up to `at`. */
  readonly tick: (at: number) => Array<Verdict>
  readonly state: JudgeState
  /** When `tick` has something to do next, if no line comes before. */
  readonly nextTickAt: number | undefined
  /** Rules that can't be judged, and why. */
  readonly refused: ReadonlyArray<{ readonly ruleId: RuleId; readonly issues: ReadonlyArray<Issue> }>
}

/** Messages kept with an alert, and characters of each. */
const samplesMax = 5
const sampleLength = 500

const specOf = ({ query, threshold, type, window, ...rule }: AlertRule): string =>
  JSON.stringify([type, query, window, threshold, rule.for])

/** The id of the alert of `rule` that began at `startedAt` because of `cause`. */
const alertIdOf = (rule: RuleId, startedAt: number, cause: string): AlertId =>
  AlertId.make(`al_${createHash("sha256").update(`${rule}\n${startedAt}\n${cause}`).digest("base64url").slice(0, 24)}`)

const words = (to: AlertState, rule: AlertRule, described: string): string => {
  switch (to) {
    case "pending":
      return `${described}; fires if it holds for ${rule.for}`
    case "firing":
      return /^0+(?:\.0+)? /u.test(rule.for) ? described : `${described}, held for ${rule.for}`
    case "inactive":
      return `ended before ${rule.for} had passed: ${described}`
    case "resolved":
      return `over: ${described}`
  }
}

const makeVerdict = (
  rule: AlertRule,
  watch: Watch<unknown>,
  change: Pick<Transition, "from" | "to" | "startedAt" | "firedAt" | "resolvedAt">,
  alertId: AlertId,
  at: number,
  value: number,
  samples: ReadonlyArray<string>
): Verdict => ({
  ruleId: rule.id,
  ruleName: rule.name,
  project: rule.project,
  alertId,
  from: change.from,
  to: change.to,
  at,
  value,
  threshold: watch.threshold,
  reason: words(change.to, rule, watch.describe(value)),
  samples,
  startedAt: change.startedAt,
  firedAt: change.firedAt,
  resolvedAt: change.resolvedAt
})

/** One rule under judgement. */
class Case {
  readonly rule: AlertRule
  readonly watch: Watch<unknown>
  readonly spec: string
  data: unknown
  life: Life
  samples: ReadonlyArray<string>
  measured: Measurement | undefined
  matched: Array<LogEvent> = []

  constructor(rule: AlertRule, saved: RuleState | undefined) {
    this.rule = rule
    this.watch = ruleTypes[rule.type].watch(rule)
    this.spec = specOf(rule)
    const kept = saved?.spec === this.spec ? saved : undefined
    this.data = kept?.data ?? this.watch.start()
    this.life = kept?.life ?? inactive
    this.samples = kept?.samples ?? []
  }

  /** When time alone may change something. */
  nextAt(): number | undefined {
    const due = dueAt(this.life, this.watch.forMs)
    const ends = this.life.state === "inactive" ? undefined : this.measured?.nextAt
    return due === undefined || ends === undefined ? (due ?? ends) : Math.min(due, ends)
  }

  /** Measures at `at` and takes the step that follows. */
  judge(at: number, cause: string, verdicts: Array<Verdict>): void {
    this.measured = this.watch.evaluate(this.data, at)
    const { life, transition } = step(this.life, this.measured, at, this.watch, cause)
    this.life = life
    if (transition === undefined) return
    const id = alertIdOf(this.rule.id, transition.startedAt, transition.cause)
    verdicts.push(makeVerdict(this.rule, this.watch, transition, id, at, this.measured.value, this.samples))
    if (life.state === "inactive") this.samples = []
  }

  /** Takes every step that time alone makes up to `at`, each at its own moment. */
  advance(at: number, verdicts: Array<Verdict>): void {
    for (let next = this.nextAt(); next !== undefined && next <= at; next = this.nextAt()) {
      const before = this.life
      this.judge(next, "time", verdicts)
      if (this.life === before && (this.nextAt() ?? Number.POSITIVE_INFINITY) <= next) return
    }
  }

  observe(at: number, total: number): void {
    const { matched } = this
    this.data = this.watch.observe(this.data, matched, at, total)
    if (matched.length === 0) return
    const latest = matched.slice(-samplesMax).map(({ message }) => cut(message))
    this.samples = [...this.samples, ...latest].slice(-samplesMax)
    this.matched = []
  }
}

/** At most `sampleLength` characters, no half of a surrogate pair at the end. */
const cut = (message: string): string => {
  if (message.length <= sampleLength) return message
  const end = message.charCodeAt(sampleLength - 1) >>> 10 === 0x36 ? sampleLength - 1 : sampleLength
  return `${message.slice(0, end)}…`
}

/** A judge of a project's rules. States of unchanged rules go on, those of rules that are gone are forgotten. */
export const make = (rules: ReadonlyArray<AlertRule>, saved?: JudgeState): Judge => {
  const states = saved?.version === 1 ? saved : undefined
  const refused: Array<{ readonly ruleId: RuleId; readonly issues: ReadonlyArray<Issue> }> = []
  const cases: Array<Case> = []
  let latest = states?.at ?? 0
  for (const rule of rules) {
    if (!rule.enabled) continue
    const issues = ruleTypes[rule.type].validate(rule)
    if (issues.length > 0) refused.push({ ruleId: rule.id, issues })
    else {
      const kept = states !== undefined && Object.hasOwn(states.rules, rule.id) ? states.rules[rule.id] : undefined
      const one = new Case(rule, kept)
      if (one.life.state !== "inactive") one.measured = one.watch.evaluate(one.data, latest)
      cases.push(one)
    }
  }

  const tick = (at: number): Array<Verdict> => {
    const verdicts: Array<Verdict> = []
    latest = Math.max(latest, at)
    for (const one of cases) one.advance(latest, verdicts)
    return verdicts
  }

  return {
    refused,
    tick,
    batch: (events, at, batchId) => {
      const verdicts = tick(at)
      for (const event of events) for (const one of cases) if (one.watch.selects(event)) one.matched.push(event)
      for (const one of cases) {
        one.observe(at, events.length)
        one.judge(latest, batchId, verdicts)
      }
      return verdicts
    },
    get state(): JudgeState {
      const entries = cases.map(
        ({ data, life, rule, samples, spec }) => [rule.id, { spec, data, life, samples }] as const
      )
      return { version: 1, at: latest, rules: Object.fromEntries(entries) }
    },
    get nextTickAt(): number | undefined {
      const moments = cases.map((one) => one.nextAt()).filter((moment) => moment !== undefined)
      return moments.length === 0 ? undefined : Math.min(...moments)
    }
  }
}

/** The alert as it stands after a verdict, in the shape of the API. */
export const alertOf = (verdict: Verdict): Alert => {
  const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString())
  return {
    id: verdict.alertId,
    project: verdict.project,
    ruleId: verdict.ruleId,
    ruleName: verdict.ruleName,
    state: verdict.to,
    value: verdict.value,
    threshold: verdict.threshold,
    reason: verdict.reason,
    samples: verdict.samples,
    startedAt: new Date(verdict.startedAt).toISOString(),
    firedAt: iso(verdict.firedAt),
    resolvedAt: iso(verdict.resolvedAt),
    updatedAt: new Date(verdict.at).toISOString()
  }
}

/**
 * The verdict of someone who judged a rule without its window, by counting stored lines: `active` is the alert as it is
 * kept now. A new alert's id depends on rule and time only.
 */
export const verdictOf = (
  rule: AlertRule,
  found: {
    readonly at: number
    readonly value: number
    readonly to: AlertState
    readonly active: Alert | undefined
  }
): Verdict => {
  const { active, at, to, value } = found
  const startedAt = active === undefined ? at : Date.parse(active.startedAt)
  const fired = active?.firedAt ?? null
  const change = {
    from: active?.state ?? "inactive",
    to,
    startedAt,
    firedAt: fired === null ? (to === "firing" ? at : null) : Date.parse(fired),
    resolvedAt: to === "resolved" || to === "inactive" ? at : null
  }
  const id = active?.id ?? alertIdOf(rule.id, startedAt, "stored lines")
  return makeVerdict(rule, ruleTypes[rule.type].watch(rule), change, id, at, value, active?.samples ?? [])
}
