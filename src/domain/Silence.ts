/** What keeps alerts from being told: silences (for a time, or at the same hours again and again) and inhibitions. */
import { Schema } from "effect"
import { ProjectId } from "./Ids.ts"
import { Matchers } from "./Matcher.ts"

const Opaque = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/u))
export const SilenceId = Opaque.pipe(Schema.brand("SilenceId")).annotate({ identifier: "SilenceId" })
export type SilenceId = typeof SilenceId.Type
export const InhibitionId = Opaque.pipe(Schema.brand("InhibitionId")).annotate({ identifier: "InhibitionId" })
export type InhibitionId = typeof InhibitionId.Type

export const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const

const TimeOfDay = Schema.String.check(
  Schema.isPattern(/^(?:[01]\d|2[0-3]):[0-5]\d$/u, { message: "expected a time of day such as 22:00" })
)

const Zone = Schema.String.check(
  Schema.makeFilter((zone: string) => {
    try {
      return new Intl.DateTimeFormat("en", { timeZone: zone }) instanceof Intl.DateTimeFormat
    } catch {
      return `expected an IANA time zone such as Europe/Berlin, got ${JSON.stringify(zone.slice(0, 60))}`
    }
  })
)

/** The same hours again and again, by the clock on the wall of a zone. `to` not after `from` means the next day. */
export const Recurrence = Schema.Struct({
  zone: Zone,
  /** Days on which it begins; without any, every day. */
  days: Schema.Array(Schema.Literals(weekdays)).check(Schema.isMaxLength(7)),
  from: TimeOfDay,
  to: TimeOfDay
}).annotate({ identifier: "Recurrence" })
export type Recurrence = typeof Recurrence.Type

/** ISO 8601 with a zone. */
const Instant = Schema.String.check(
  Schema.makeFilter(
    (text: string) =>
      (/(?:Z|[+-]\d\d:?\d\d)$/u.test(text) && Number.isFinite(Date.parse(text))) ||
      `expected a time such as 2026-03-01T22:00:00Z, got ${JSON.stringify(text.slice(0, 40))}`
  )
)

/** What a maker of a silence says. */
export const SilenceSpec = Schema.Struct({
  matchers: Matchers.check(Schema.isMinLength(1)),
  /** Default: at once. */
  startsAt: Schema.optionalKey(Instant),
  /** Default: when it is ended, which only recurring ones may wait for. */
  endsAt: Schema.optionalKey(Instant),
  recurring: Schema.optionalKey(Recurrence),
  comment: Schema.String.check(Schema.isMaxLength(1_000))
}).annotate({ identifier: "SilenceSpec" })
export type SilenceSpec = typeof SilenceSpec.Type

/** What is wrong with a silence as a whole; undefined when nothing is. */
export const silenceFault = (
  spec: SilenceSpec,
  now: number
): { readonly path: string; readonly message: string } | undefined => {
  if (spec.endsAt === undefined) {
    return spec.recurring === undefined
      ? { path: "endsAt", message: "expected an end, as the silence does not recur, got none" }
      : undefined
  }
  const starts = spec.startsAt === undefined ? now : Date.parse(spec.startsAt)
  return Date.parse(spec.endsAt) > starts
    ? undefined
    : { path: "endsAt", message: `expected a time after its start, got ${spec.endsAt}` }
}

/** A silence as it is kept. Times are ISO 8601; `endsAt` is null for what recurs until somebody ends it. */
export const Silence = Schema.Struct({
  id: SilenceId,
  project: ProjectId,
  matchers: Matchers,
  startsAt: Schema.String,
  endsAt: Schema.NullOr(Schema.String),
  recurring: Schema.NullOr(Recurrence),
  comment: Schema.String,
  /** Name of the key that made it. */
  createdBy: Schema.String,
  createdAt: Schema.String
}).annotate({ identifier: "Silence" })
export type Silence = typeof Silence.Type

/** While an alert matches `source`, those that match `target` and have the same values of `equal` are not told. */
export const InhibitionSpec = Schema.Struct({
  name: Schema.NonEmptyString.check(Schema.isMaxLength(200)),
  source: Matchers.check(Schema.isMinLength(1)),
  target: Matchers.check(Schema.isMinLength(1)),
  equal: Schema.Array(Schema.NonEmptyString.check(Schema.isMaxLength(100))).check(Schema.isMaxLength(10))
}).annotate({ identifier: "InhibitionSpec" })
export type InhibitionSpec = typeof InhibitionSpec.Type

export const Inhibition = Schema.Struct({
  id: InhibitionId,
  project: ProjectId,
  ...InhibitionSpec.fields,
  createdAt: Schema.String
}).annotate({ identifier: "Inhibition" })
export type Inhibition = typeof Inhibition.Type
