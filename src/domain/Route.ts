/** Routes: which alerts are told by which channels, together with which others, when again, and to whom if nobody answers. */
import { Schema } from "effect"
import { durationMs, durationOf } from "./Rule.ts"
import { ChannelId } from "./Channel.ts"
import { ProjectId } from "./Ids.ts"
import { Matchers } from "./Matcher.ts"
import type { Severity } from "./Outgoing.ts"

export const RouteId = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/u))
  .pipe(Schema.brand("RouteId"))
  .annotate({ identifier: "RouteId" })
export type RouteId = typeof RouteId.Type

/** Ids of channels (`in_app` is one that every project has), or all that are enabled. */
const ChannelsOf = Schema.Union([Schema.Literal("all"), Schema.Array(ChannelId).check(Schema.isMaxLength(20))])

const Escalation = Schema.Struct({
  /** Since people were first told. */
  after: durationOf("1 second", "30 days"),
  channels: ChannelsOf
})

/** What a maker of a route says. */
export const RouteSpec = Schema.Struct({
  name: Schema.NonEmptyString.check(Schema.isMaxLength(200)),
  /** All must hold; without any, every alert. */
  match: Matchers,
  channels: ChannelsOf,
  /** Alerts with the same values of these are one incident: `rule`, `severity`, labels, names of groups; `...` is all of them. */
  groupBy: Schema.optionalKey(
    Schema.Array(Schema.NonEmptyString.check(Schema.isMaxLength(100))).check(Schema.isMaxLength(10))
  ),
  /** How long the first alert waits for others; default 0 s for critical ones, 30 s for the rest. */
  groupWait: Schema.optionalKey(durationOf("0 seconds", "1 day")),
  /** How long news of an incident wait for more of it; default 5 minutes. */
  groupInterval: Schema.optionalKey(durationOf("1 second", "1 day")),
  /** When it is told again that nobody acknowledged; default 4 hours. */
  repeatInterval: Schema.optionalKey(durationOf("1 minute", "30 days")),
  sendResolved: Schema.optionalKey(Schema.Boolean),
  /** Whether routes after this one are asked too. */
  continue: Schema.optionalKey(Schema.Boolean),
  escalate: Schema.optionalKey(Schema.Array(Escalation).check(Schema.isMaxLength(10)))
}).annotate({ identifier: "RouteSpec" })
export type RouteSpec = typeof RouteSpec.Type

export const Route = Schema.Struct({
  id: RouteId,
  project: ProjectId,
  /** Routes are asked in this order. */
  position: Schema.Natural,
  ...RouteSpec.fields,
  createdAt: Schema.String
}).annotate({ identifier: "Route" })
export type Route = typeof Route.Type

/** A route's settings with defaults, in ms. */
export interface Policy {
  readonly name: string
  readonly channels: "all" | ReadonlyArray<ChannelId>
  /** Null: by severity. */
  readonly groupWaitMs: number | null
  readonly groupIntervalMs: number
  readonly repeatIntervalMs: number
  readonly sendResolved: boolean
  /** Soonest first. */
  readonly escalate: ReadonlyArray<{ readonly afterMs: number; readonly channels: "all" | ReadonlyArray<ChannelId> }>
}

const groupIntervalMs = 300_000
const repeatIntervalMs = 4 * 3_600_000
const groupWaitMs = 30_000

/** The route of alerts for which no other is configured: every rule by itself, to all channels, at once. */
export const defaultRoute = RouteId.make("default")
export const defaultPolicy: Policy = {
  name: "default",
  channels: "all",
  groupWaitMs: 0,
  groupIntervalMs,
  repeatIntervalMs,
  sendResolved: true,
  escalate: []
}

export const policyOf = (spec: RouteSpec): Policy => ({
  name: spec.name,
  channels: spec.channels,
  groupWaitMs: spec.groupWait === undefined ? null : durationMs(spec.groupWait),
  groupIntervalMs: spec.groupInterval === undefined ? groupIntervalMs : durationMs(spec.groupInterval),
  repeatIntervalMs: spec.repeatInterval === undefined ? repeatIntervalMs : durationMs(spec.repeatInterval),
  sendResolved: spec.sendResolved ?? true,
  escalate: (spec.escalate ?? [])
    .map(({ after, channels }) => ({ afterMs: durationMs(after), channels }))
    .toSorted((a, b) => a.afterMs - b.afterMs)
})

/** How long alerts of this severity wait for others of their incident, ms. */
export const waitMs = (policy: Policy, severity: Severity): number =>
  policy.groupWaitMs ?? (severity === "critical" ? 0 : groupWaitMs)
