/** All decisions about telling alerts, joined for those who keep and send: the stages, the incident's step and its words. Pure. */
import type { Alert } from "../domain/Alert.ts"
import { type ChannelId, type ChannelKind, inApp } from "../domain/Channel.ts"
import type { Mute, Scene } from "../domain/Incident.ts"
import { defaultPolicy, defaultRoute, type Policy, policyOf } from "../domain/Route.ts"
import type { Judge } from "../store/Incidents.ts"
import { type Resolve, step, worst } from "./Incident.ts"
import { inhibit } from "./stages/inhibit.ts"
import { silence } from "./stages/silence.ts"
import type { Passing } from "./stages/Stage.ts"
import { way } from "./stages/all.ts"
import { telling } from "./Telling.ts"

/**
 * Which channels a route means: those that are there, enabled, and of a kind that can be sent by. Where all that it names have been
 * removed since, it means all: nobody said that nobody is to hear.
 */
export const resolveIn = (scene: Scene, canSend: (kind: ChannelKind) => boolean): Resolve => {
  const enabled = scene.channels.flatMap(({ enabled: on, id, kind }) => (on && canSend(kind) ? [id] : []))
  const all = [inApp, ...enabled]
  const known = new Set([inApp, ...scene.channels.map(({ id }) => id)])
  const gone = (wanted: ReadonlyArray<ChannelId>) => wanted.length > 0 && !wanted.some((id) => known.has(id))
  return (wanted) => (wanted === "all" || gone(wanted) ? all : all.filter((id) => wanted.includes(id)))
}

/** Why an alert is not told now. */
const muteOf = (alert: Alert, scene: Scene, now: number): Mute | null => {
  const begin: Passing = { alert, scene, now, mute: null, routes: [], placements: [] }
  const asked = silence.run(begin)
  if (asked._tag === "Stop") return null
  const outcome = inhibit.run(asked.passing)
  return outcome._tag === "Stop" ? null : outcome.passing.mute
}

/** Numbers in keys sort as texts. */
const digits = 6

/** The decisions of one moment. `now` in epoch ms; `base` is where the dashboard is opened, for links. */
export const judgeAt = (now: number, canSend: (kind: ChannelKind) => boolean, base?: string): Judge => ({
  place: (alert, scene) => {
    const { findings, placements } = way(alert, scene, now)
    return { placements, reason: findings.at(-1)?.reason ?? "" }
  },
  mute: (alert, scene) => muteOf(alert, scene, now),
  refreshed: (route, kept, scene): Policy => {
    if (route === defaultRoute) return defaultPolicy
    const found = scene.routes.find(({ id }) => id === route)
    return found === undefined ? kept : policyOf(found)
  },
  decide: ({ id, members, policy, standing }, scene) => {
    const decided = step(standing, members, policy, resolveIn(scene, canSend), now)
    const messages = decided.messages.flatMap((message) => {
      const words = telling(id, message, now, base)
      const about = message.members.map(({ alert }) => alert.id)
      const seq = String(message.seq).padStart(digits, "0")
      return message.channels.map((channel) => ({
        channel,
        about,
        message: { ...words, key: `${id}.${seq}.${channel}` }
      }))
    })
    const firing = members.filter(({ alert }) => alert.state === "firing")
    return {
      standing: decided.standing,
      severity: worst(firing.length > 0 ? firing : members),
      messages,
      told: decided.told,
      decisions: decided.decisions,
      nextAt: decided.nextAt
    }
  }
})
