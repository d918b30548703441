/** Writes what is said of an alert. So far every enabled channel of the project hears it. */
import type { Alert } from "../../domain/Alert.ts"
import { textMax, titleMax } from "../../domain/Outgoing.ts"
import { cut } from "../../domain/Text.ts"
import { type Stage, type Telling, pass } from "./Stage.ts"

const tellingOf = (alert: Alert, state: "firing" | "resolved"): Telling => {
  const firing = state === "firing"
  // An alert that moved on since has the words of its last change: they would not fit this one.
  const reason = alert.state === state ? alert.reason : `threshold ${alert.threshold}`
  return {
    kind: "alert",
    title: cut(`${firing ? "Firing" : "Resolved"}: ${alert.ruleName}`, titleMax),
    text: cut(reason, textMax),
    severity: firing ? "critical" : "info",
    state,
    incident: {
      id: alert.id,
      count: 1,
      alerts: [
        {
          id: alert.id,
          rule: alert.ruleName,
          state,
          value: alert.value,
          threshold: alert.threshold,
          reason,
          labels: {},
          group: {},
          samples: firing ? alert.samples : [],
          startedAt: alert.startedAt,
          resolvedAt: alert.resolvedAt
        }
      ]
    }
  }
}

export const route: Stage = {
  name: "route",
  run: (passing) => {
    const state = passing.state === "resolved" ? "resolved" : "firing"
    return pass({ ...passing, tellings: [tellingOf(passing.alert, state)] })
  }
}
