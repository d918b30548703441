/** A finding of `detect_anomalies`: something that came unlike it usually comes, with what is shown for it. */
import { Schema } from "effect"
import { ProjectId } from "./Ids.ts"

export const anomalyKinds = ["template_rate", "service_rate", "new_template", "vanished_template", "sequence"] as const
export const AnomalyKind = Schema.Literals(anomalyKinds)
export type AnomalyKind = typeof AnomalyKind.Type

/** A line that is shown for a finding. */
export const AnomalySample = Schema.Struct({
  /** Position in the store; absent for the line that a template was found in. */
  id: Schema.optionalKey(Schema.String),
  time: Schema.optionalKey(Schema.String),
  service: Schema.optionalKey(Schema.String),
  /** At most 500 characters. */
  message: Schema.String
})
export type AnomalySample = typeof AnomalySample.Type

export const Anomaly = Schema.Struct({
  id: Schema.String,
  project: ProjectId,
  kind: AnomalyKind,
  /** What it is about: a template's id, a service's name and figure, or what is odd about sessions. */
  subject: Schema.String,
  title: Schema.String,
  /** Its span, ISO 8601. */
  from: Schema.String,
  to: Schema.String,
  /** 0 to 1; from 0.5 on it is told at all. */
  score: Schema.Finite,
  /** Lines, or sessions, that there were; null where nothing was counted. */
  got: Schema.NullOr(Schema.Finite),
  /** As many as were expected. */
  expected: Schema.NullOr(Schema.Finite),
  /** Why it is told, in words. */
  explanation: Schema.String,
  /** Finds its lines in the search; "" where no query does. */
  query: Schema.String,
  /** Text of the template that it is about, or null. */
  template: Schema.NullOr(Schema.String),
  samples: Schema.Array(AnomalySample),
  /** When a run found it first, and when one last saw more of it. */
  foundAt: Schema.String,
  updatedAt: Schema.String
}).annotate({ identifier: "Anomaly" })
export type Anomaly = typeof Anomaly.Type

/** What a run has found, before it is kept. Times in epoch ms. */
export interface Finding extends Omit<Anomaly, "id" | "project" | "from" | "to" | "foundAt" | "updatedAt"> {
  readonly from: number
  readonly to: number
  /** A finding of the same kind and subject that is at most so far away, ms, is the same; Infinity: one for ever. */
  readonly joinMs: number
}
