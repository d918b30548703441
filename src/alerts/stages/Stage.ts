/**
 * What happens between an alert's change and the people who hear of it, as a list of stages (all.ts): each passes the alert on
 * with what it found, or stops it with a reason. Pure: what is kept and sent is the store's and the tasks' part.
 */
import type { Alert } from "../../domain/Alert.ts"
import type { Mute, Placement, Scene } from "../../domain/Incident.ts"
import type { Route } from "../../domain/Route.ts"

/** What the stages look at: an alert, or one that somebody imagines. */
export type Judged = Pick<Alert, "id" | "ruleId" | "ruleName" | "state" | "severity" | "labels" | "group" | "firedAt">

/** An alert on its way. */
export interface Passing {
  readonly alert: Judged
  readonly scene: Scene
  /** Epoch ms. */
  readonly now: number
  /** Why it is not told for now. It goes on all the same, so that it can be told when that ends. */
  readonly mute: Mute | null
  /** The routes that want it; empty stands for the default one. */
  readonly routes: ReadonlyArray<Route>
  /** The incidents it belongs to. */
  readonly placements: ReadonlyArray<Placement>
}

export type Outcome =
  | { readonly _tag: "Pass"; readonly passing: Passing; readonly reason: string }
  | { readonly _tag: "Stop"; readonly reason: string }

export interface Stage {
  readonly name: string
  readonly run: (passing: Passing) => Outcome
}

export const pass = (passing: Passing, reason: string): Outcome => ({ _tag: "Pass", passing, reason })
export const stop = (reason: string): Outcome => ({ _tag: "Stop", reason })

/** An alert as matchers see it: its labels, its group over them, and `severity`, `rule` and `rule_id` over both. */
export const subjectOf = (alert: Judged): Readonly<Record<string, string>> => ({
  ...alert.labels,
  ...alert.group,
  severity: alert.severity,
  rule: alert.ruleName,
  rule_id: alert.ruleId
})
