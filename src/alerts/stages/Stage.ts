/**
 * What happens between an alert's change and the people who hear of it, as a list of stages (all.ts): each passes the
 * change on, enriched, or stops it with a reason. Pure: sending is the tasks' part.
 */
import type { Alert, AlertState } from "../../domain/Alert.ts"
import type { Outgoing } from "../../domain/Outgoing.ts"

/** What is told, by whatever channel; key and time are the sender's to say. */
export type Telling = Omit<Outgoing, "key" | "at">

/** An alert's change on its way. */
export interface Passing {
  /** The alert as it is kept. */
  readonly alert: Alert
  /** The state that is to be told; the alert may be further by now. */
  readonly state: AlertState
  readonly tellings: ReadonlyArray<Telling>
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
