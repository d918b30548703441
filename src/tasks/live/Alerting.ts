/** What doors ask of alerting without sending anything: when a silence is in force, and what would become of an alert. Pure. */
import { resolveIn } from "../../alerts/Dispatch.ts"
import { way } from "../../alerts/stages/all.ts"
import type { Judged } from "../../alerts/stages/Stage.ts"
import { activeAt, windowAt } from "../../alerts/Windows.ts"
import { AlertId, RuleId } from "../../domain/Ids.ts"
import type { Mute, Scene } from "../../domain/Incident.ts"
import { waitMs } from "../../domain/Route.ts"
import type { Silence } from "../../domain/Silence.ts"
import { isSent } from "../notifications/Senders.ts"

const isoOrNone = (ms: number | null): string | null =>
  ms === null || !Number.isFinite(ms) ? null : new Date(ms).toISOString()

/** A silence with the window that is in force at `now` (epoch ms), else the next. */
export const viewOf = (silence: Silence, now: number) => {
  const next = windowAt(silence, now)
  return {
    ...silence,
    active: activeAt(silence, now) !== undefined,
    next: next === undefined ? null : { from: new Date(next.from).toISOString(), to: isoOrNone(next.to) }
  }
}

/** An alert that somebody imagines. */
export interface Imagined {
  readonly rule?: string
  readonly severity?: Judged["severity"]
  readonly labels?: Judged["labels"]
  readonly group?: Judged["group"]
}

const muteView = (mute: Mute | null, by: Mute["by"]) =>
  mute === null || mute.by !== by ? null : { id: mute.id, reason: mute.reason, until: isoOrNone(mute.until) }

/** What would become of it. */
export const preview = (imagined: Imagined, scene: Scene, now: number) => {
  const { group = {}, labels = {}, rule = "", severity = "warning" } = imagined
  const alert: Judged = {
    id: AlertId.make("imagined"),
    ruleId: RuleId.make("imagined"),
    ruleName: rule,
    state: "firing",
    severity,
    labels,
    group,
    firedAt: new Date(now).toISOString()
  }
  const { findings, mute, placements } = way(alert, scene, now)
  const resolve = resolveIn(scene, isSent)
  return {
    silence: muteView(mute, "silence"),
    inhibition: muteView(mute, "inhibition"),
    routes: placements.map(({ group: values, policy, route }) => ({
      id: route,
      name: policy.name,
      channels: resolve(policy.channels),
      group: values,
      groupWaitMs: waitMs(policy, severity),
      escalate: policy.escalate.map(({ afterMs, channels }) => ({ afterMs, channels: resolve(channels) }))
    })),
    findings
  }
}
