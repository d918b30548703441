/** Every type of alert rule. To add one: a file in rules/, its spec in domain/Alert.ts and one line here. */
import type { AlertRule } from "../domain/Alert.ts"
import type { Issue, RuleType, Spec } from "./Rule.ts"
import { threshold } from "./rules/threshold.ts"

/** States are each type's own JSON; who holds one hands it back unseen. */
export const ruleTypes: Readonly<Record<AlertRule["type"], RuleType<unknown>>> = {
  threshold: threshold as RuleType<unknown>
}

/** What is wrong with a rule before it is kept: its query, durations and numbers. Empty when nothing is. */
export const validate = (spec: Spec): ReadonlyArray<Issue> => ruleTypes[spec.type].validate(spec)
