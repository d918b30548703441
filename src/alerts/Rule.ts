/**
 * The contract of the alert rule types: what a type remembers of the lines that pass and what it measures. A type is pure
 * and its state is plain JSON, because it is kept in Redis beside the stream's position. What a measurement does to an
 * alert is State's part, which rules there are is all.ts's.
 */
import type { AlertRule } from "../domain/Alert.ts"
import type { LogEvent } from "../domain/LogEvent.ts"
import * as Query from "../domain/Query.ts"

export interface Measurement {
  /** Whether the rule's condition holds. */
  readonly met: boolean
  readonly value: number
  /** The next moment (epoch ms) at which time alone can change the measurement; undefined when it can't. */
  readonly nextAt?: number
}

/** One rule, made ready to judge: its text parsed, its durations in ms. */
export interface Watch<State> {
  readonly start: () => State
  /** Whether the event counts for this rule. */
  readonly selects: (event: LogEvent) => boolean
  /** The state after a batch that arrived at `at`: `matched` of its `total` events were selected. */
  readonly observe: (state: State, matched: ReadonlyArray<LogEvent>, at: number, total: number) => State
  readonly evaluate: (state: State, at: number) => Measurement
  /** What the value is, in words: "7 lines in 1 minute, threshold 5". */
  readonly describe: (value: number) => string
  readonly threshold: number
  readonly forMs: number
}

export interface RuleType<State> {
  readonly type: AlertRule["type"]
  /** What is wrong with a rule's own settings; empty when nothing is. */
  readonly validate: (spec: Spec) => ReadonlyArray<Issue>
  /** Called with valid specs only. */
  readonly watch: (spec: Spec) => Watch<State>
}

/** What a rule says, without who and when. */
export type Spec = Pick<AlertRule, "type" | "query" | "window" | "threshold" | "for">

/** A fault of a rule, with the path of the field it is in. */
export interface Issue {
  readonly path: ReadonlyArray<string>
  readonly message: string
}

const units: Readonly<Record<string, number | undefined>> = {
  milli: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000
}

/** Milliseconds of a duration as rules write it ("1 minute"), or undefined when the text is none. */
export const millisOf = (text: string): number | undefined => {
  const [, count, unit] = /^(\d{1,9}(?:\.\d{1,6})?) ([a-z]+?)s?$/u.exec(text.trim()) ?? []
  const factor = unit === undefined || !Object.hasOwn(units, unit) ? undefined : units[unit]
  return count === undefined || factor === undefined ? undefined : Math.round(Number(count) * factor)
}

/** The fault of a duration that must lie between two others, if it has one. */
export const durationIssue = (field: string, text: string, min: string, max: string): ReadonlyArray<Issue> => {
  const ms = millisOf(text)
  if (ms !== undefined && ms >= millisOf(min)! && ms <= millisOf(max)!) return []
  return [{ path: [field], message: `expected a duration from ${min} to ${max}, got "${text}"` }]
}

/** The fault of a query's text, if it has one. */
export const queryIssue = (field: string, text: string): ReadonlyArray<Issue> => {
  const parsed = Query.parse(text)
  if (parsed.ok) return []
  return [{ path: [field], message: `at position ${parsed.position}: expected ${parsed.expected}, got ${parsed.got}` }]
}

/** A predicate of a valid query. */
export const selector = (text: string): ((event: LogEvent) => boolean) => {
  const parsed = Query.parse(text)
  return parsed.ok ? Query.compile(parsed.query) : () => false
}
