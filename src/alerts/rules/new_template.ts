/** Fires when lines of a template come that the rule had not seen: a kind of message that is new. One alert per template. */
import { type NovelState, novelWatch } from "../Novel.ts"
import { type RuleType, commonIssues, durationIssue, numberIssue } from "../Rule.ts"

export const newTemplate: RuleType<NovelState, "new_template"> = {
  type: "new_template",
  validate: (spec) => [
    ...commonIssues(spec),
    ...numberIssue("count", spec.count, 1, 1_000_000),
    ...durationIssue("learn", spec.learn, "0 seconds", "30 days")
  ],
  watch: (spec) => novelWatch({ ...spec, field: "template" })
}
