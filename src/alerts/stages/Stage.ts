/**
 * What happens between an alert's change and the people who hear of it, as a list of stages (all.ts): each passes the
 * change on, enriched, or stops it with a reason. Pure: sending is the tasks' part.
 */
import type { Alert, AlertState } from "../../domain/Alert.ts"

/** One message for one channel. */
export interface Dispatch {
  readonly channel: "in_app"
  readonly message: {
    readonly title: string
    readonly body: string
    readonly severity: "info" | "warning" | "critical"
  }
}

/** An alert's change on its way. */
export interface Passing {
  /** The alert as it is kept. */
  readonly alert: Alert
  /** The state that is to be told; the alert may be further by now. */
  readonly state: AlertState
  readonly dispatches: ReadonlyArray<Dispatch>
}

export type Outcome =
  | { readonly _tag: "Pass"; readonly passing: Passing }
  | { readonly _tag: "Stop"; readonly reason: string }

export interface Stage {
  readonly name: string
  readonly run: (passing: Passing) => Outcome
}

export const pass = (passing: Passing): Outcome => ({ _tag: "Pass", passing })
export const stop = (reason: string): Outcome => ({ _tag: "Stop", reason })
