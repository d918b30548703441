/** Finds the silence that keeps an alert from being told: of several the one that lasts longest. */
import type { Mute } from "../../domain/Incident.ts"
import { matches } from "../../domain/Matcher.ts"
import { activeAt } from "../Windows.ts"
import { pass, type Passing, type Stage, subjectOf } from "./Stage.ts"

const muteOf = ({ alert, now, scene }: Passing): Mute | null => {
  const subject = subjectOf(alert)
  let longest: { readonly id: string; readonly until: number; readonly words: string } | undefined
  for (const silence of scene.silences) {
    if (!matches(silence.matchers, subject)) continue
    const window = activeAt(silence, now)
    if (window === undefined || window.to <= (longest?.until ?? now)) continue
    const words = silence.comment === "" ? `made by ${silence.createdBy}` : `${silence.comment} (${silence.createdBy})`
    longest = { id: silence.id, until: window.to, words }
  }
  if (longest === undefined) return null
  const { id, until, words } = longest
  const known = Number.isFinite(until)
  const reason = `silenced ${known ? `until ${new Date(until).toISOString()}` : "until somebody ends it"}: ${words}`
  return { by: "silence", id, reason, until: known ? until : null }
}

export const silence: Stage = {
  name: "silence",
  run: (passing) => {
    const mute = muteOf(passing)
    return pass({ ...passing, mute }, mute?.reason ?? "no silence is in force")
  }
}
