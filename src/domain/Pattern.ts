/** A pattern as the API tells it: a template of a project's messages and how its lines come. */
import { Schema } from "effect"

export const Trend = Schema.Struct({
  /** Lines in the window of the same length before the one asked for. */
  before: Schema.Natural,
  /** Lines now to lines before; null where there were none before. */
  ratio: Schema.NullOr(Schema.Finite)
})

export const Pattern = Schema.Struct({
  /** The template's id, decimal digits; finds its lines as `template:<id>`. */
  id: Schema.String,
  /** The message with `<*>` for what varies. */
  text: Schema.String,
  /** Lines in the window. */
  count: Schema.Natural,
  /** Part of all lines with a template in the window, 0 to 1. */
  share: Schema.Finite,
  trend: Trend,
  /** Lines per bucket of the window, oldest first. */
  sparkline: Schema.Array(Schema.Natural),
  /** How many of them are warnings, and how many errors or worse. */
  levels: Schema.Struct({ warnings: Schema.Natural, errors: Schema.Natural }),
  firstSeen: Schema.String,
  lastSeen: Schema.String,
  /** A message that it was found in, shortened. */
  sample: Schema.String
}).annotate({ identifier: "Pattern" })
export type Pattern = typeof Pattern.Type

export const patternSorts = ["count", "new", "trend"] as const
export type PatternSort = (typeof patternSorts)[number]
