/** Names the channels that hear of an alert, and writes what they say. So far everybody hears in the application. */
import type { Alert } from "../../domain/Alert.ts"
import { type Dispatch, type Stage, pass } from "./Stage.ts"

/** Characters of a title and of a body, at most: what channels accept. */
const titleMax = 200
const bodyMax = 4000

const cut = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max - 1).toWellFormed()}…`

const messageOf = (alert: Alert, state: "firing" | "resolved"): Dispatch["message"] => {
  const firing = state === "firing"
  const samples = firing && alert.samples.length > 0 ? `\n\n${alert.samples.join("\n")}` : ""
  // An alert that moved on since has the words of its last change: they would not fit this one.
  const reason = alert.state === state ? alert.reason : `threshold ${alert.threshold}`
  return {
    title: cut(`${firing ? "Firing" : "Resolved"}: ${alert.ruleName}`, titleMax),
    body: cut(`${reason}${samples}`, bodyMax),
    severity: firing ? "critical" : "info"
  }
}

export const route: Stage = {
  name: "route",
  run: (passing) => {
    const state = passing.state === "resolved" ? "resolved" : "firing"
    return pass({ ...passing, dispatches: [{ channel: "in_app", message: messageOf(passing.alert, state) }] })
  }
}
