/**
 * What is judged: rules as people write them, one shape per type over fields that all have in common. What a field means to
 * the lines that pass is told in alerts/rules; what came of a rule is an alert (Alert.ts).
 */
import { Duration, Schema } from "effect"
import { ProjectId, RuleId } from "./Ids.ts"
import { Name } from "./Name.ts"
import { Severity } from "./Outgoing.ts"
import * as Query from "./Query.ts"

const durationPattern = /^\d{1,12}(\.\d{1,6})? (milli|second|minute|hour|day|week)s?$/u

/** A length of time in words, as Effect reads it: "1 minute", "30 seconds", "0 seconds", "250 millis". */
export const DurationText = Schema.String.check(
  Schema.isPattern(durationPattern, {
    expected: 'a number and a unit from millis to weeks, such as "1 minute" or "30 seconds"'
  })
).annotate({
  identifier: "DurationText",
  description: 'number and unit, for example "1 minute"'
})

const toMs = (text: string): number => Duration.toMillis(Duration.fromInputUnsafe(text as Duration.Input))

/** The milliseconds of a DurationText. */
export const durationMs = (text: typeof DurationText.Type): number => toMs(text)

/** A DurationText between two others. */
export const durationOf = (minimum: string, maximum: string) =>
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
    if (text.length > 4_000) return `expected at most 4000 characters, got ${text.length}`
    if (text.includes("\0")) return "expected text without NUL characters"
    const parsed = Query.parse(text)
    return parsed.ok || `at ${parsed.position}: expected ${parsed.expected}, got ${parsed.got}`
  })
)

/** A field of lines: `service`, `level`, `template`, or the path of an attribute ("http.status"). */
const FieldPath = Schema.String.check(
  Schema.isPattern(/^[^\s\p{Cc}]{1,200}$/u, {
    message: "expected the name of a field, 1 to 200 characters without spaces"
  })
)

const Label = Schema.String.check(Schema.isPattern(/^[A-Za-z_][\w.\-/]{0,99}$/u))
const shortText = (max: number) => Schema.String.check(Schema.isMaxLength(max))

const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const windowText = durationOf("1 second", "1 day")

/** What people are told beside what was measured. */
export const Annotations = Schema.Struct({
  summary: Schema.optionalKey(shortText(1_000)),
  runbookUrl: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^https?:\/\/\S{1,2000}$/u)))
})

/** What rules of every type may say. */
const common = {
  /** Which lines count. */
  query: QueryText,
  /** How long the condition must hold before the alert fires; at once without it. */
  for: Schema.optionalKey(durationOf("0 seconds", "1 day")),
  /** How long an alert goes on firing after its condition has ended, against flapping. */
  keepFiringFor: Schema.optionalKey(durationOf("0 seconds", "1 day")),
  /** `warning` without it. */
  severity: Schema.optionalKey(Severity),
  /** Carried by its alerts, for routes and silences. */
  labels: Schema.optionalKey(Schema.Record(Label, shortText(500)).check(Schema.isMaxProperties(20))),
  /** One alert for each combination of values of these fields. */
  groupBy: Schema.optionalKey(Schema.Array(FieldPath).check(Schema.isMaxLength(3))),
  /** How late a line may come and still count as in time, 30 seconds without it. */
  lateness: Schema.optionalKey(durationOf("0 seconds", "1 hour")),
  /** Lines that are more than an hour late count when they arrive (`arrival`, without it), or not at all. */
  tooOld: Schema.optionalKey(Schema.Literals(["arrival", "ignore"])),
  /** When no line at all comes: as zero lines (`ok`, without it), an alert of its own, or alerts stay as they are. */
  noData: Schema.optionalKey(Schema.Literals(["ok", "alert", "keep"])),
  /** After how long without any line there is no data; the window, at least 5 minutes, without it. */
  noDataAfter: Schema.optionalKey(durationOf("10 seconds", "1 day")),
  annotations: Schema.optionalKey(Annotations)
}

/** Fires while at least `threshold` lines that match `query` fall within `window`. */
const threshold = {
  ...common,
  type: Schema.Literal("threshold"),
  window: windowText,
  threshold: whole(1, 1_000_000_000)
}

/** Fires while the lines of a window are `factor` times as many, or as few, as those of the window before. */
const rateOfChange = {
  ...common,
  type: Schema.Literal("rate_of_change"),
  window: windowText,
  /** `up` without it. */
  direction: Schema.optionalKey(Schema.Literals(["up", "down", "both"])),
  factor: Schema.Finite.check(Schema.isBetween({ minimum: 1.01, maximum: 1_000_000 })),
  /** Lines that the larger of the two windows must have; 10 without it. */
  minimum: Schema.optionalKey(whole(1, 1_000_000_000))
}

/** Fires while no line came for `window`; with groups, of a group that was seen before. */
const absence = { ...common, type: Schema.Literal("absence"), window: windowText }

/** Fires when lines of a template come that the rule had not seen. */
const newTemplate = {
  ...common,
  type: Schema.Literal("new_template"),
  /** Lines of the template that must fall within `window`; 1 without it. */
  count: Schema.optionalKey(whole(1, 1_000_000)),
  window: windowText,
  /** How long from its first line on the rule takes what it sees for known; 1 hour without it. */
  learn: Schema.optionalKey(durationOf("0 seconds", "30 days"))
}

/** Fires when `field` has a value that the rule had not seen. */
const newValue = { ...newTemplate, type: Schema.Literal("new_value"), field: FieldPath }

/** Fires while `field` has at least `threshold` distinct values within `window`. */
const cardinality = {
  ...common,
  type: Schema.Literal("cardinality"),
  field: FieldPath,
  window: windowText,
  threshold: whole(2, 5_000)
}

/** Fires while at least `threshold` (0 to 1) of the lines that match `of` also match `query`. */
const ratio = {
  ...common,
  type: Schema.Literal("ratio"),
  /** All lines, without it. */
  of: Schema.optionalKey(QueryText),
  window: windowText,
  threshold: Schema.Finite.check(Schema.isBetween({ minimum: 0.0001, maximum: 1 })),
  /** Lines that must match `of`; 20 without it. */
  minimum: Schema.optionalKey(whole(1, 1_000_000_000))
}

/** Fires when the lines per `window` are unlike what the rule has learnt of them. */
const anomaly = {
  ...common,
  type: Schema.Literal("anomaly"),
  /** Length of a bucket. */
  window: durationOf("10 seconds", "1 hour"),
  /** `medium` without it. */
  sensitivity: Schema.optionalKey(Schema.Literals(["low", "medium", "high"])),
  /** Buckets that it learns from in silence; 200 without it. */
  learnBuckets: Schema.optionalKey(whole(20, 10_000)),
  /** `both` without it. */
  direction: Schema.optionalKey(Schema.Literals(["up", "down", "both"]))
}

const fieldsOf = [threshold, rateOfChange, absence, newTemplate, newValue, cardinality, ratio, anomaly] as const

export const RuleSpec = Schema.Union([
  Schema.Struct(fieldsOf[0]),
  Schema.Struct(fieldsOf[1]),
  Schema.Struct(fieldsOf[2]),
  Schema.Struct(fieldsOf[3]),
  Schema.Struct(fieldsOf[4]),
  Schema.Struct(fieldsOf[5]),
  Schema.Struct(fieldsOf[6]),
  Schema.Struct(fieldsOf[7])
])
export type RuleSpec = typeof RuleSpec.Type
export type RuleTypeName = RuleSpec["type"]
/** What a rule of one type says. */
export type SpecOf<Name extends RuleTypeName> = Extract<RuleSpec, { readonly type: Name }>

const named = { name: Name, enabled: Schema.optionalKey(Schema.Boolean) }

/** A rule as its maker writes it; enabled unless it says that it is not. */
export const NewRule = Schema.Union([
  Schema.Struct({ ...named, ...fieldsOf[0] }),
  Schema.Struct({ ...named, ...fieldsOf[1] }),
  Schema.Struct({ ...named, ...fieldsOf[2] }),
  Schema.Struct({ ...named, ...fieldsOf[3] }),
  Schema.Struct({ ...named, ...fieldsOf[4] }),
  Schema.Struct({ ...named, ...fieldsOf[5] }),
  Schema.Struct({ ...named, ...fieldsOf[6] }),
  Schema.Struct({ ...named, ...fieldsOf[7] })
]).annotate({
  identifier: "NewRule",
  // Told where the type is none of these; what else is wrong with a rule is told with its field.
  message: `expected a rule whose type is one of ${fieldsOf.map(({ type }) => type.literal).join(", ")}`
})
export type NewRule = typeof NewRule.Type

const kept = {
  id: RuleId,
  project: ProjectId,
  name: Schema.String,
  enabled: Schema.Boolean,
  createdAt: Schema.String,
  /** When somebody changed it last, ISO 8601. */
  updatedAt: Schema.optionalKey(Schema.String)
}

export const AlertRule = Schema.Union([
  Schema.Struct({ ...kept, ...fieldsOf[0] }),
  Schema.Struct({ ...kept, ...fieldsOf[1] }),
  Schema.Struct({ ...kept, ...fieldsOf[2] }),
  Schema.Struct({ ...kept, ...fieldsOf[3] }),
  Schema.Struct({ ...kept, ...fieldsOf[4] }),
  Schema.Struct({ ...kept, ...fieldsOf[5] }),
  Schema.Struct({ ...kept, ...fieldsOf[6] }),
  Schema.Struct({ ...kept, ...fieldsOf[7] })
]).annotate({ identifier: "AlertRule" })
export type AlertRule = typeof AlertRule.Type
