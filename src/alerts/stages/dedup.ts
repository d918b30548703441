/** Stops what need not be told: states that no one waits for, and a firing whose end is known already. */
import { type Stage, pass, stop } from "./Stage.ts"

export const dedup: Stage = {
  name: "dedup",
  run: (passing) => {
    const { alert, state } = passing
    if (state !== "firing" && state !== "resolved") return stop(`a ${state} alert is not told`)
    if (state === "resolved" && alert.firedAt === null) return stop("the alert never fired")
    return pass(passing)
  }
}
