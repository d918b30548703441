/**
 * Judges the lines of one project as they pass: shows each rule the lines it selects, measures, and moves alerts through their
 * life. Promises that the same lines and times give the same verdicts with the same alert ids, whoever judges them and however
 * often, and that its cost hardly grows with rules that select nothing; keeping the state and telling people is left to the
 * pipeline.
 */
import type { Verdict } from "../domain/Alert.ts"
import type { RuleId } from "../domain/Ids.ts"
import type { LogEvent } from "../domain/LogEvent.ts"
import type { AlertRule } from "../domain/Rule.ts"
import { ruleTypes } from "./all.ts"
import { type Batch, Case, type CaseStatus } from "./Case.ts"
import { type Around, aroundOf, recentOf } from "./Groups.ts"
import * as Matching from "./Matching.ts"
import type { Issue } from "./Rule.ts"

export type { Verdict } from "../domain/Alert.ts"
export { alertOf } from "./Verdicts.ts"
export type { CaseStatus } from "./Case.ts"

/**
 * All that a judge remembers, as fields of text: "" is about the judge, `<rule> head` about a rule, `<rule> known` what it has
 * learnt, `<rule> group <key>` one of its groups. A state of another version is no state: the judge begins anew.
 */
export type JudgeState = Readonly<Record<string, string>>

export interface Judge {
  /** Judges a batch that arrived at `at`; `batchId` is the same when the batch is delivered again. */
  readonly batch: (events: ReadonlyArray<LogEvent>, at: number, batchId: string) => Array<Verdict>
  /** Lets time pass up to `at`. */
  readonly tick: (at: number) => Array<Verdict>
  readonly state: JudgeState
  /** The fields that differ since it was asked last; "" where a field is gone. */
  readonly changes: () => ReadonlyMap<string, string>
  /** When `tick` has something to do next, if no line comes before. */
  readonly nextTickAt: number | undefined
  /** Rules that can't be judged, and why. */
  readonly refused: ReadonlyArray<{ readonly ruleId: RuleId; readonly issues: ReadonlyArray<Issue> }>
  /** How each rule stands at `at`. */
  readonly status: (at: number) => Readonly<Record<string, CaseStatus>>
  /** The alerts that are pending or firing, each as it was told last. */
  readonly active: () => ReadonlyArray<Verdict>
  /** The latest moment judged, epoch ms; 0 before the first. */
  readonly at: number
}

const version = 2
/** Characters of state that the groups of one project may take; beyond, no new group begins. */
const sizeMax = 32_000_000

interface Head {
  readonly version: typeof version
  /** The latest moment judged, epoch ms: time does not run backwards between batches of different doors. */
  readonly at: number
  /** Newest event time seen. */
  readonly newest: number
  /** When a line came last, of all services ("") and of those that rules name. */
  readonly heard: Readonly<Record<string, number>>
}

const headOf = (saved: JudgeState | undefined): Head | undefined => {
  const text = saved === undefined || !Object.hasOwn(saved, "") ? undefined : saved[""]
  if (typeof text !== "string" || !text.startsWith(`{"version":${version},`)) return undefined
  return JSON.parse(text) as Head
}

/** The saved fields of each rule. */
const byRule = (saved: JudgeState): ReadonlyMap<string, ReadonlyMap<string, string>> => {
  const rules = new Map<string, Map<string, string>>()
  for (const [field, text] of Object.entries(saved)) {
    const space = field.indexOf(" ")
    if (space <= 0) continue
    const rule = field.slice(0, space)
    const fields = rules.get(rule) ?? new Map<string, string>()
    rules.set(rule, fields)
    fields.set(field.slice(space + 1), text)
  }
  return rules
}

const groupsOf = (fields: ReadonlyMap<string, string>): ReadonlyMap<string, string> => {
  const groups = new Map<string, string>()
  for (const [field, text] of fields) if (field.startsWith("group ")) groups.set(field.slice(6), text)
  return groups
}

class Bench implements Judge {
  readonly refused: Array<{ readonly ruleId: RuleId; readonly issues: ReadonlyArray<Issue> }> = []
  private readonly cases: Array<Case> = []
  private readonly queries: Array<string> = []
  /** The rules of each query. */
  private readonly casesOf: Array<Array<Case>> = []
  private readonly matching: Matching.Matching
  private readonly heard: Record<string, number> = {}
  /** Rules that want to know when a line of their source comes. */
  private readonly listeners: Array<Case>
  private readonly gone = new Set<string>()
  private latest: number
  private newest: number
  private moved = false
  /** The last lines that came to this judge; one that takes over begins without. */
  private recent: ReadonlyArray<LogEvent> = []

  constructor(rules: ReadonlyArray<AlertRule>, given: JudgeState | undefined) {
    const head = headOf(given)
    const saved = head === undefined ? undefined : given
    this.latest = head?.at ?? 0
    this.newest = head?.newest ?? 0
    const kept = saved === undefined ? new Map<string, ReadonlyMap<string, string>>() : byRule(saved)
    for (const field of Object.keys(given ?? {})) if (field !== "") this.gone.add(field)
    const places = new Map<string, number>()
    const room = () => this.size < sizeMax
    for (const rule of rules) {
      if (!rule.enabled) continue
      const issues = ruleTypes[rule.type].validate(rule)
      if (issues.length > 0) {
        this.refused.push({ ruleId: rule.id, issues })
        continue
      }
      const fields = kept.get(rule.id) ?? new Map<string, string>()
      const one = new Case(rule, fields, groupsOf(fields), this.latest)
      one.room = room
      one.sourceSeen = head?.heard[one.source ?? ""] ?? 0
      this.heard[one.source ?? ""] = one.sourceSeen
      for (const field of fields.keys()) this.gone.delete(`${rule.id} ${field}`)
      const place = places.get(one.watch.query) ?? this.queries.length
      if (place === this.queries.length) {
        places.set(one.watch.query, place)
        this.queries.push(one.watch.query)
        this.casesOf.push([])
      }
      this.casesOf[place]!.push(one)
      this.cases.push(one)
    }
    this.listeners = this.cases.filter(({ rule }) => rule.noData === "alert" || rule.noData === "keep")
    this.matching = Matching.make(this.queries)
  }

  private get size(): number {
    return this.cases.reduce((total, { size }) => total + size, 0)
  }

  readonly tick = (at: number): Array<Verdict> => {
    const verdicts: Array<Verdict> = []
    if (at > this.latest) {
      this.latest = at
    }
    for (const one of this.cases) one.advance(this.latest, verdicts)
    return verdicts
  }

  private listen(events: ReadonlyArray<LogEvent>, now: number, verdicts: Array<Verdict>): void {
    this.heard[""] = now
    const named = Object.keys(this.heard).length > 1
    if (named) {
      let last: string | undefined
      for (const { service } of events) {
        if (service === last) continue
        last = service
        const name = service.toLowerCase()
        if (Object.hasOwn(this.heard, name)) this.heard[name] = now
      }
    }
    for (const one of this.listeners) if (this.heard[one.source ?? ""] === now) one.heard(now, verdicts)
  }

  readonly batch = (events: ReadonlyArray<LogEvent>, at: number, batchId: string): Array<Verdict> => {
    const verdicts = this.tick(at)
    if (events.length === 0 || this.cases.length === 0) return verdicts
    const now = this.latest
    for (const { time } of events) if (time > this.newest && time <= at) this.newest = time
    this.moved = true
    this.listen(events, now, verdicts)
    const { recent } = this
    let around: Around | undefined
    const batch: Batch = {
      events,
      arrival: at,
      now,
      newest: this.newest,
      id: batchId,
      around: () => (around ??= aroundOf(events, recent))
    }
    for (const [place, lines] of this.matching.run(events)) {
      for (const one of this.casesOf[place]!) one.observe(batch, lines, verdicts)
    }
    this.recent = recentOf(recent, events)
    return verdicts
  }

  readonly changes = (): ReadonlyMap<string, string> => {
    const changes = new Map<string, string>()
    for (const field of this.gone) changes.set(field, "")
    this.gone.clear()
    for (const one of this.cases) {
      for (const [field, text] of one.changes()) changes.set(`${one.rule.id} ${field}`, text)
    }
    if (this.moved || changes.size > 0) changes.set("", this.headText)
    this.moved = false
    return changes
  }

  private get headText(): string {
    const head: Head = { version, at: this.latest, newest: this.newest, heard: this.heard }
    return JSON.stringify(head)
  }

  get state(): JudgeState {
    const state: Record<string, string> = { "": this.headText }
    for (const one of this.cases) for (const [field, text] of one.written()) state[`${one.rule.id} ${field}`] = text
    return state
  }

  get nextTickAt(): number | undefined {
    let least: number | undefined
    for (const { due } of this.cases) if (due !== undefined && (least === undefined || due < least)) least = due
    return least
  }

  readonly status = (at: number): Readonly<Record<string, CaseStatus>> => {
    const found: Record<string, CaseStatus> = {}
    for (const one of this.cases) {
      one.sourceSeen = this.heard[one.source ?? ""] ?? 0
      found[one.rule.id] = one.statusAt(at)
    }
    return found
  }

  readonly active = (): ReadonlyArray<Verdict> => this.cases.flatMap((one) => one.active())

  get at(): number {
    return this.latest
  }
}

/** A judge of a project's rules. States of unchanged rules go on, those of rules that are gone are forgotten. */
export const make = (rules: ReadonlyArray<AlertRule>, saved?: JudgeState): Judge => new Bench(rules, saved)
