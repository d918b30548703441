/**
 * The contract of the alert rule types: what a type remembers of the lines that pass and what it measures. A type is pure, takes
 * time as a parameter, and its state is plain JSON, because it is kept in Redis beside the stream's position. What a
 * measurement does to an alert is State's part, which lines a rule is shown is Matching's, which types there are all.ts's.
 */
import type { LogEvent } from "../domain/LogEvent.ts"
import * as Query from "../domain/Query.ts"
import type { RuleSpec, RuleTypeName, SpecOf } from "../domain/Rule.ts"

export interface Measurement {
  /** Whether the rule's condition holds. */
  readonly met: boolean
  readonly value: number
  /** The next moment (epoch ms) at which time alone can change the measurement; undefined when it can't. */
  readonly nextAt?: number
  /** What there is to say beside the value. */
  readonly why?: string
}

/** A line as rules see it. */
export interface Seen {
  readonly event: LogEvent
  /** Event time, epoch ms; never after its arrival. */
  readonly time: number
}

/** One rule, made ready to judge: its text parsed, its durations in ms. Each of its groups has a state. */
export interface Watch<State> {
  /** The lines that it is shown. */
  readonly query: string
  /** What a group begins with. */
  readonly start: (at: number) => State
  /** The state with lines counted, each at its event time, `at` being now. May change `state` in place. */
  readonly observe: (state: State, lines: ReadonlyArray<Seen>, at: number) => State
  /** What holds at the event time `at`, as far as lines have come; may be asked for times past. */
  readonly evaluate: (state: State, at: number) => Measurement
  /** Event times in `from` … `to` at which a condition may have held that did not before lines came for `from`. */
  readonly moments: (state: State, from: number, to: number) => ReadonlyArray<number>
  /** What the value is, in words: "7 lines in 1 minute, threshold 5". */
  readonly describe: (value: number) => string
  readonly threshold: number
  readonly windowMs: number
  /** How far behind the clock it is evaluated, because lines that are still to come could make it wrong, ms. */
  readonly waitMs: number
  /** Whether a group that no alert is about can be forgotten. */
  readonly idle: (state: State, at: number) => boolean
  /** Groups that are kept, at most. */
  readonly groupsMax: number
  /** Whether the rule has its one group before the first line (it waits for lines that do not come). */
  readonly waits?: boolean
  /** A rule that fires for values it had not seen: the field. */
  readonly novel?: { readonly field: string; readonly learnMs: number }
  /** Lets time pass up to the event time `at`, where that changes the state; asked before a measurement of now. */
  readonly settle?: (state: State, at: number) => State
  /** Which of its lines an alert shows; all, without it. */
  readonly shows?: (event: LogEvent) => boolean
  /** State as it is written, and read back. */
  readonly pack?: (state: State) => unknown
  readonly unpack?: (kept: unknown) => State
}

export interface RuleType<State, Name extends RuleTypeName = RuleTypeName> {
  readonly type: Name
  /** What is wrong with a rule beyond the shape of its fields; empty when nothing is. */
  readonly validate: (spec: SpecOf<Name>) => ReadonlyArray<Issue>
  /** Called with valid specs only. */
  readonly watch: (spec: SpecOf<Name>) => Watch<State>
}

/** What a rule says, without who and when. */
export type Spec = RuleSpec

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
export const durationIssue = (
  field: string,
  text: string | undefined,
  min: string,
  max: string
): ReadonlyArray<Issue> => {
  if (text === undefined) return []
  const ms = millisOf(text)
  if (ms !== undefined && ms >= millisOf(min)! && ms <= millisOf(max)!) return []
  return [{ path: [field], message: `expected a duration from ${min} to ${max}, got ${JSON.stringify(text)}` }]
}

/** The fault of a query's text, if it has one. */
export const queryIssue = (field: string, text: string): ReadonlyArray<Issue> => {
  const parsed = Query.parse(text)
  if (parsed.ok) return []
  return [{ path: [field], message: `at position ${parsed.position}: expected ${parsed.expected}, got ${parsed.got}` }]
}

/** The fault of a number that must lie between two others, if it has one. */
export const numberIssue = (
  field: string,
  value: number | undefined,
  min: number,
  max: number,
  whole = true
): ReadonlyArray<Issue> => {
  if (value === undefined || (value >= min && value <= max && (!whole || Number.isInteger(value)))) return []
  const kind = whole ? "a whole number" : "a number"
  return [{ path: [field], message: `expected ${kind} from ${min} to ${max}, got ${value}` }]
}

/** The faults of what all types have in common. */
export const commonIssues = (spec: Spec): ReadonlyArray<Issue> => [
  ...queryIssue("query", spec.query),
  ...durationIssue("window", spec.window, "1 second", "1 day"),
  ...durationIssue("for", spec.for, "0 seconds", "1 day"),
  ...durationIssue("keepFiringFor", spec.keepFiringFor, "0 seconds", "1 day"),
  ...durationIssue("lateness", spec.lateness, "0 seconds", "1 hour"),
  ...durationIssue("noDataAfter", spec.noDataAfter, "10 seconds", "1 day")
]

/** A predicate of a valid query. */
export const selector = (text: string): ((event: LogEvent) => boolean) => {
  const parsed = Query.parse(text)
  return parsed.ok ? Query.compile(parsed.query) : () => false
}

export const latenessDefaultMs = 30_000

/** How late a line of this rule may come and still be in time, ms. */
export const latenessOf = (spec: Spec): number =>
  spec.lateness === undefined ? latenessDefaultMs : millisOf(spec.lateness)!

export const plural = (count: number, noun: string): string => `${count} ${count === 1 ? noun : `${noun}s`}`

/** Groups of a rule, at most. */
export const groupsMax = 1_000
