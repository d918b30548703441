/** Stops what need not be told: states that no one waits for, and the end of what never fired. */
import { pass, type Stage, stop } from "./Stage.ts"

export const dedup: Stage = {
  name: "dedup",
  run: (passing) => {
    const { firedAt, state } = passing.alert
    if (state !== "firing" && state !== "resolved") return stop(`a ${state} alert is not told`)
    if (firedAt === null) return stop("the alert never fired")
    return pass(passing, `a ${state} alert is told once`)
  }
}
