/** One thing worth knowing about a project's lines: a sentence with numbers and a way to the lines behind it. */
import { Schema } from "effect"
import { ProjectId } from "./Ids.ts"

export const insightKinds = [
  "error_spike",
  "error_rate",
  "new_template",
  "vanished_service",
  "vanished_template",
  "slow_endpoint",
  "top_talker",
  "volume_growth",
  "retention",
  "flapping_alert"
] as const
export const InsightKind = Schema.Literals(insightKinds).annotate({ identifier: "InsightKind" })
export type InsightKind = typeof InsightKind.Type

export const Insight = Schema.Struct({
  /** The same for the same finding, whenever it is made: kind and subject. */
  id: Schema.String,
  kind: InsightKind,
  severity: Schema.Literals(["info", "warning", "critical"]),
  title: Schema.String,
  /** What was counted and what it means. */
  text: Schema.String,
  /** 0 to 100; ranked by it. */
  score: Schema.Finite,
  /** The numbers of the text, by name. */
  numbers: Schema.Record(Schema.String, Schema.Finite),
  /** Finds the lines: a query of the search and its time range. */
  link: Schema.Struct({ query: Schema.String, from: Schema.String, to: Schema.String }),
  /** Who worded it. What was found, its numbers and its link are always by statistics. */
  source: Schema.Literals(["statistics", "llm"])
}).annotate({ identifier: "Insight" })
export type Insight = typeof Insight.Type

/** All that was found in one go. */
export const InsightRun = Schema.Struct({
  id: Schema.String,
  project: ProjectId,
  from: Schema.String,
  to: Schema.String,
  madeAt: Schema.String,
  /** Whether a language model worded it. */
  source: Schema.Literals(["statistics", "llm"]),
  /** Why no language model did, where one is set; null otherwise. */
  note: Schema.NullOr(Schema.String),
  /** A few sentences on all of it. */
  summary: Schema.String,
  insights: Schema.Array(Insight)
}).annotate({ identifier: "InsightRun" })
export type InsightRun = typeof InsightRun.Type
