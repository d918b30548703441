/**
 * What must be true of what people heard, whatever was done to the processes and servers: one check each, from the evidence
 * alone. A finding is a sentence. Pure.
 */
import type { Told } from "./Receiver.ts"

export interface Evidence {
  /** Rules whose line was accepted, and those whose line was never sent. */
  readonly fired: ReadonlyArray<string>
  readonly quiet: ReadonlyArray<string>
  /** Alerts that are kept: rule → states. */
  readonly alerts: ReadonlyMap<string, ReadonlyArray<string>>
  readonly told: ReadonlyArray<Told>
}

type Check = (evidence: Evidence) => ReadonlyArray<string>

const about = (told: ReadonlyArray<Told>, rule: string, type?: string): number =>
  told.filter((one) => one.rules.includes(rule) && (type === undefined || one.type === type)).length

/** Each alert was told. */
export const nothingLost: Check = ({ fired, told }) =>
  fired.flatMap((rule) => (about(told, rule) > 0 ? [] : [`nobody was told of ${rule}`]))

/** Nobody was told of what did not happen. */
export const nothingFalse: Check = ({ alerts, quiet, told }) =>
  quiet.flatMap((rule) => (about(told, rule) > 0 || alerts.has(rule) ? [`${rule} was told, and nothing happened`] : []))

/** Each state of each alert was told once. */
export const nothingDoubled: Check = ({ fired, told }) =>
  fired.flatMap((rule) =>
    ["alert.firing", "alert.resolved"].flatMap((type) => {
      const times = about(told, rule, type)
      return times > 1 ? [`${rule} was told ${times} times as ${type}`] : []
    })
  )

/** Each line that was accepted made one alert. */
export const firedOnce: Check = ({ alerts, fired }) =>
  fired.flatMap((rule) => {
    const states = alerts.get(rule) ?? []
    return states.length === 1 ? [] : [`expected one alert of ${rule}, got ${states.length} (${states.join(", ")})`]
  })

/** Whoever heard last of an alert that is over has heard that it is. */
export const endsTold: Check = ({ alerts, fired, told }) =>
  fired.flatMap((rule) =>
    alerts.get(rule)?.at(-1) === "resolved" && about(told, rule, "alert.resolved") === 0
      ? [`${rule} is over and nobody was told`]
      : []
  )

const checks: Readonly<Record<string, Check>> = {
  "nothing lost": nothingLost,
  "nothing false": nothingFalse,
  "nothing doubled": nothingDoubled,
  "fired once": firedOnce,
  "ends told": endsTold
}

/** The findings of all checks, each with its check's name. */
export const judge = (evidence: Evidence): ReadonlyArray<string> =>
  Object.entries(checks).flatMap(([name, check]) => {
    const findings = check(evidence)
    const shown = findings.slice(0, 10).map((finding) => `${name}: ${finding}`)
    return findings.length > 10 ? [...shown, `${name}: … and ${findings.length - 10} more`] : shown
  })
