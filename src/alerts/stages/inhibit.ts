/** Finds the alert that makes this one not worth telling: the site is down, so that its parts are down goes without saying. */
import type { Mute } from "../../domain/Incident.ts"
import { matches } from "../../domain/Matcher.ts"
import { pass, type Passing, type Stage, subjectOf } from "./Stage.ts"

const muteOf = ({ alert, scene }: Passing): Mute | null => {
  const subject = subjectOf(alert)
  for (const { equal, name, source, target } of scene.inhibitions) {
    if (!matches(target, subject)) continue
    // What stands on both sides would silence itself, or two would silence each other.
    if (matches(source, subject)) continue
    const cause = scene.firing.find((other) => {
      if (other.id === alert.id) return false
      const theirs = subjectOf(other)
      return matches(source, theirs) && equal.every((label) => (theirs[label] ?? "") === (subject[label] ?? ""))
    })
    if (cause !== undefined) {
      const reason = `inhibited by ${cause.ruleName} (alert ${cause.id}), after ${name}`
      return { by: "inhibition", id: cause.id, reason, until: null }
    }
  }
  return null
}

export const inhibit: Stage = {
  name: "inhibit",
  run: (passing) => {
    if (passing.mute !== null) return pass(passing, "not asked: it is silenced")
    const mute = muteOf(passing)
    return pass({ ...passing, mute }, mute?.reason ?? "no other alert inhibits it")
  }
}
