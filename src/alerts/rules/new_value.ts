/** Fires when `field` has a value that the rule had not seen (in this group, where it has groups). One alert per value. */
import { type NovelState, novelWatch } from "../Novel.ts"
import { type RuleType, commonIssues, durationIssue, numberIssue } from "../Rule.ts"

export const newValue: RuleType<NovelState, "new_value"> = {
  type: "new_value",
  validate: (spec) => [
    ...commonIssues(spec),
    ...numberIssue("count", spec.count, 1, 1_000_000),
    ...durationIssue("learn", spec.learn, "0 seconds", "30 days")
  ],
  watch: novelWatch
}
