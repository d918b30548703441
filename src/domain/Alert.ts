/** What is judged (rules) and what came of it (alerts, notifications). */
import { Duration, Schema } from "effect"
import { AlertId, NotificationId, ProjectId, RuleId } from "./Ids.ts"
import * as Query from "./Query.ts"

const durationPattern = /^\d{1,12}(\.\d{1,6})? (milli|second|minute|hour|day|week)s?$/u

/** A length of time in words, as Effect reads it: "1 minute", "30 seconds", "0 seconds", "250 millis". */
export const DurationText = Schema.String.check(Schema.isPattern(durationPattern)).annotate({
  identifier: "DurationText",
  description: 'number and unit, for example "1 minute"'
})

const toMs = (text: string): number => Duration.toMillis(Duration.fromInputUnsafe(text as Duration.Input))

/** The milliseconds of a DurationText. */
export const durationMs = (text: typeof DurationText.Type): number => toMs(text)

const durationOf = (minimum: string, maximum: string) =>
  DurationText.check(
    Schema.makeFilter(
      (text: string) =>
        // What is no duration at all has been told by the pattern.
        !durationPattern.test(text) ||
        (toMs(text) >= toMs(minimum) && toMs(text) <= toMs(maximum)) ||
        `expected ${minimum} to ${maximum}, got ${JSON.stringify(text)}`
    )
  )

/** A query of the search language (see Query.ts). */
export const QueryText = Schema.String.check(
  Schema.makeFilter((text: string) => {
    if (text.includes("\0")) return "expected text without NUL characters"
    const parsed = Query.parse(text)
    return parsed.ok || `at ${parsed.position}: expected ${parsed.expected}, got ${parsed.got}`
  })
)

/** What a maker of a `threshold` rule says: fire while at least `threshold` lines that match `query` came within `window`. */
export const ThresholdSpec = Schema.Struct({
  type: Schema.Literal("threshold"),
  query: QueryText,
  window: durationOf("1 second", "1 day"),
  threshold: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000_000 })),
  /** How long the condition must hold before the alert fires. */
  for: durationOf("0 seconds", "1 day")
})
export type ThresholdSpec = typeof ThresholdSpec.Type

export const AlertRule = Schema.Struct({
  id: RuleId,
  project: ProjectId,
  name: Schema.String,
  ...ThresholdSpec.fields,
  enabled: Schema.Boolean,
  createdAt: Schema.String
}).annotate({ identifier: "AlertRule" })
export type AlertRule = typeof AlertRule.Type

/** pending → firing → resolved; a pending alert whose condition ends before `for` has passed becomes inactive. */
export const AlertState = Schema.Literals(["pending", "firing", "resolved", "inactive"]).annotate({
  identifier: "AlertState"
})
export type AlertState = typeof AlertState.Type

export const Alert = Schema.Struct({
  id: AlertId,
  project: ProjectId,
  ruleId: RuleId,
  ruleName: Schema.String,
  state: AlertState,
  /** The measured value when the state last changed (for a threshold: lines in the window). */
  value: Schema.Finite,
  threshold: Schema.Finite,
  /** Why the state is what it is, in words. */
  reason: Schema.String,
  /** Up to five of the lines that matched last. */
  samples: Schema.Array(Schema.String),
  startedAt: Schema.String,
  firedAt: Schema.NullOr(Schema.String),
  resolvedAt: Schema.NullOr(Schema.String),
  updatedAt: Schema.String
}).annotate({ identifier: "Alert" })
export type Alert = typeof Alert.Type

/** One change of one alert, as a judge says it. Times in epoch ms. */
export interface Verdict {
  readonly ruleId: RuleId
  readonly ruleName: string
  readonly project: ProjectId
  /** The same for all verdicts of one alert. */
  readonly alertId: AlertId
  readonly from: AlertState
  readonly to: AlertState
  readonly at: number
  readonly value: number
  readonly threshold: number
  /** In words. */
  readonly reason: string
  readonly samples: ReadonlyArray<string>
  readonly startedAt: number
  readonly firedAt: number | null
  readonly resolvedAt: number | null
  /** Which of the rule's groups; rules without groups have none. */
  readonly group?: string
}

export const Notification = Schema.Struct({
  id: NotificationId,
  project: ProjectId,
  alertId: Schema.NullOr(AlertId),
  title: Schema.String,
  body: Schema.String,
  severity: Schema.Literals(["info", "warning", "critical"]),
  createdAt: Schema.String,
  readAt: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Notification" })
export type Notification = typeof Notification.Type
