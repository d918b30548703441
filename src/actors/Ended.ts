/** What became of an attempt, as the settler is told. Plain data. */
import * as Outcome from "../jobs/Outcome.ts"
import type { Registration } from "../jobs/Registry.ts"

/** What the settler is told: an outcome with its encoded text, an internal job that needs only an acknowledgement, or nothing to settle. */
export type Ended =
  | {
      readonly _tag: "Outcome"
      readonly outcome: Outcome.Outcome
      readonly task: Registration | undefined
      readonly body: string
      /** Id to settle under, where the entry's own is that of another job. */
      readonly as?: string
    }
  | { readonly _tag: "Told" }
  | { readonly _tag: "Left" }
  /** Its task's limits do not let it start yet. */
  | { readonly _tag: "Later"; readonly delayMs: number; readonly slot: number | undefined }
  /** Its task is paused. */
  | { readonly _tag: "Parked" }

/** Nothing is settled: the job is another's, or is given back. */
export const left: Ended = { _tag: "Left" }

/** An outcome with its encoded text. */
export const outcome = (decided: Outcome.Outcome, task: Registration | undefined): Ended => ({
  _tag: "Outcome",
  outcome: decided,
  task,
  body: bodyOf(decided)
})

export const bodyOf = (decided: Outcome.Outcome): string => {
  switch (decided._tag) {
    case "Done":
      return JSON.stringify(decided.result) ?? "null"
    case "Dead":
    case "Retry":
      return JSON.stringify(decided.error)
    case "Cancelled":
      return JSON.stringify({ _tag: "Cancelled", message: decided.reason })
    case "Snoozed":
      return ""
  }
}
