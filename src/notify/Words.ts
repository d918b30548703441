/** How messages put things for people: the same words on every channel. Pure. */
import type { Outgoing, ToldAlert } from "../domain/Outgoing.ts"
import { cut } from "../domain/Text.ts"

/** `service=api, host=a` of an alert's labels and group. */
export const labelsOf = ({ group, labels }: Pick<ToldAlert, "group" | "labels">): string =>
  Object.entries({ ...labels, ...group })
    .map(([name, value]) => `${name}=${value}`)
    .join(", ")

/**
 * The sample lines of a message, each once, at most `max` of them. Where it is about one alert, the lines before the first stand
 * before it, indented: they did not match.
 */
export const samplesOf = ({ incident }: Outgoing, max: number): ReadonlyArray<string> => {
  const alerts = incident?.alerts ?? []
  const samples = [...new Set(alerts.flatMap((alert) => alert.samples))].slice(0, max)
  const before = alerts.length === 1 && samples.length > 0 ? (alerts[0]?.before ?? []) : []
  return [...before.map((line) => `  ${line}`), ...samples]
}

/** A line for each alert of an incident that has several, at most `max` of them; none where the text has told the only one. */
export const alertsOf = ({ incident }: Outgoing, max: number): ReadonlyArray<string> => {
  if (incident === undefined || incident.alerts.length < 2) return []
  const told = incident.alerts.slice(0, max).map((alert) => {
    const labels = labelsOf(alert)
    return `${alert.state === "firing" ? "" : `${alert.state}: `}${alert.rule}: ${alert.reason}${labels === "" ? "" : ` (${cut(labels, 200)})`}`
  })
  const left = Math.max(incident.count, incident.alerts.length) - told.length
  return left > 0 ? [...told, `and ${left} more`] : told
}

/** A name for the incident that may stand in labels, subjects and ids of other systems. */
export const incidentTag = (id: string): string => `loglytics-${id.replace(/[^\w-]/gu, "-").slice(0, 80)}`
