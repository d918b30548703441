/** The stages in their order. To add one: a file beside this one and a line in the list. */
import type { Alert, AlertState } from "../../domain/Alert.ts"
import { dedup } from "./dedup.ts"
import { route as routing } from "./route.ts"
import { type Passing, type Stage, type Telling } from "./Stage.ts"

export const stages: ReadonlyArray<Stage> = [dedup, routing]

/** What is told of an alert that came to `state`; empty when nobody is. */
export const route = (alert: Alert, state: AlertState): ReadonlyArray<Telling> => {
  let passing: Passing = { alert, state, tellings: [] }
  for (const stage of stages) {
    const outcome = stage.run(passing)
    if (outcome._tag === "Stop") return []
    passing = outcome.passing
  }
  return passing.tellings
}
