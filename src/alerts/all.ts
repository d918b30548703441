/** Every type of alert rule. To add one: a file in rules/, its spec in domain/Rule.ts and one line here. */
import type { RuleTypeName, SpecOf } from "../domain/Rule.ts"
import type { Issue, RuleType, Spec } from "./Rule.ts"
import { absence } from "./rules/absence.ts"
import { anomaly } from "./rules/anomaly.ts"
import { cardinality } from "./rules/cardinality.ts"
import { newTemplate } from "./rules/new_template.ts"
import { newValue } from "./rules/new_value.ts"
import { rateOfChange } from "./rules/rate_of_change.ts"
import { ratio } from "./rules/ratio.ts"
import { threshold } from "./rules/threshold.ts"

const known: { readonly [Name in RuleTypeName]: { readonly validate: (spec: SpecOf<Name>) => ReadonlyArray<Issue> } } =
  {
    threshold,
    rate_of_change: rateOfChange,
    absence,
    new_template: newTemplate,
    new_value: newValue,
    cardinality,
    ratio,
    anomaly
  }

/** Specs and states are each type's own; who holds one hands it to the type it came from. */
export const ruleTypes = known as unknown as Readonly<Record<RuleTypeName, RuleType<unknown>>>

/** What is wrong with a rule before it is kept: its query, durations and numbers. Empty when nothing is. */
export const validate = (spec: Spec): ReadonlyArray<Issue> => ruleTypes[spec.type].validate(spec)
