/** The words of an incident's messages. Pure: who hears them and when is decided by Incident.ts. */
import type { Alert } from "../domain/Alert.ts"
import type { Member } from "../domain/Incident.ts"
import { type Outgoing, textMax, titleMax, type ToldAlert } from "../domain/Outgoing.ts"
import { cut } from "../domain/Text.ts"
import { type Message, worst } from "./Incident.ts"

/** What is told, by whatever channel; the channel's part of the key is the sender's to add. */
export type Telling = Omit<Outgoing, "key">

/** Alerts and sample lines that a message names; `count` tells how many there are. */
const alertsMax = 20
const samplesMax = 5
const sampleMax = 500
const urlMax = 2_000
const namesMax = 3
/** Summaries and runbooks of one message. */
const adviceMax = 6

/** Lines before the first one that is shown, where they are known. */
const beforeOf = ({ lines, samples, state }: Alert): Pick<ToldAlert, "before"> => {
  const [first] = lines
  if (state !== "firing" || first === undefined || first.message !== samples[0]) return {}
  return first.before.length === 0 ? {} : { before: first.before }
}

const toldAlert = (alert: Alert): ToldAlert => ({
  id: alert.id,
  rule: alert.ruleName,
  state: alert.state,
  value: alert.value,
  threshold: alert.threshold,
  reason: alert.reason,
  labels: alert.labels,
  group: alert.group,
  ...alert.annotations,
  samples: alert.state === "firing" ? alert.samples.slice(0, samplesMax).map((line) => cut(line, sampleMax)) : [],
  ...beforeOf(alert),
  startedAt: alert.startedAt,
  resolvedAt: alert.resolvedAt
})

const heads: Readonly<Record<Message["kind"], string>> = {
  firing: "Firing",
  reopened: "Firing again",
  updated: "Firing",
  resolved: "Resolved",
  acknowledged: "Acknowledged",
  repeat: "Still firing",
  escalation: "Nobody has acknowledged"
}

const states: Readonly<Record<Message["kind"], NonNullable<Outgoing["state"]>>> = {
  firing: "firing",
  reopened: "firing",
  updated: "updated",
  resolved: "resolved",
  acknowledged: "acknowledged",
  repeat: "firing",
  escalation: "firing"
}

const groupOf = ({ group }: Alert): string => {
  const words = Object.entries(group).map(([name, value]) => `${name}=${value}`)
  return words.length === 0 ? "" : ` (${words.join(", ")})`
}

const titleOf = ({ firing, kind, members }: Message): string => {
  const shown = kind === "resolved" ? members : members.filter(({ alert }) => alert.state === "firing")
  const [first] = shown
  if (first === undefined) return heads[kind]
  if (shown.length === 1) return `${heads[kind]}: ${first.alert.ruleName}${groupOf(first.alert)}`
  const names = [...new Set(shown.map(({ alert }) => alert.ruleName))]
  const more = names.length > namesMax ? ` and ${names.length - namesMax} more` : ""
  const count = kind === "resolved" ? shown.length : firing
  return `${heads[kind]}: ${count} alerts, ${names.slice(0, namesMax).join(", ")}${more}`
}

const lineOf = ({ alert, told }: Member, several: boolean): string => {
  const over = alert.state === "firing" ? "" : told === null ? "Fired and is over: " : "Over: "
  const name = several ? `${alert.ruleName}${groupOf(alert)}: ` : ""
  // The reason of an alert that is over says so, too.
  return `${over}${name}${over === "" ? alert.reason : alert.reason.replace(/^over: /u, "")}`
}

/** What the rules say for people, each once. */
const adviceOf = (members: ReadonlyArray<Member>): ReadonlyArray<string> => {
  const firing = members.filter(({ alert }) => alert.state === "firing")
  const summaries = firing.flatMap(({ alert }) => alert.annotations.summary ?? [])
  const runbooks = firing.flatMap(({ alert }) => alert.annotations.runbookUrl ?? [])
  return [...new Set([...summaries, ...runbooks.map((url) => `Runbook: ${url}`)])].slice(0, adviceMax)
}

const textOf = (message: Message): string => {
  const { kind, members } = message
  const lines = members.slice(0, alertsMax).map((member) => lineOf(member, members.length > 1))
  if (members.length > alertsMax) lines.push(`… and ${members.length - alertsMax} more`)
  const who = members.find(({ alert }) => alert.acknowledged !== null)?.alert.acknowledged
  if (kind === "acknowledged" && who) lines.unshift(`by ${who.by}${who.note === null ? "" : `: ${who.note}`}`)
  // What to do is for those who have something to do.
  if (kind !== "resolved") lines.push(...adviceOf(members.slice(0, alertsMax)))
  return lines.join("\n")
}

/** Where the lines of an alert are to be seen. */
const linkOf = (base: string, { project, query }: Alert): string =>
  `${base}/logs?project=${encodeURIComponent(project)}${query === "" ? "" : `&q=${encodeURIComponent(query)}`}`

/** A message of an incident in words. `at` in epoch ms; `base` is where the dashboard is opened, where that is known. */
export const telling = (incident: string, message: Message, at: number, base?: string): Telling => {
  const { kind, members } = message
  const first = members.find(({ alert }) => alert.state === "firing") ?? members[0]
  const url = base === undefined || first === undefined ? undefined : linkOf(base, first.alert)
  return {
    kind: "alert",
    title: cut(titleOf(message), titleMax),
    text: cut(textOf(message), textMax),
    severity: kind === "resolved" ? "info" : worst(members.filter(({ alert }) => alert.state === "firing")),
    state: states[kind],
    incident: {
      id: incident,
      count: members.length,
      alerts: members.slice(0, alertsMax).map(({ alert }) => toldAlert(alert))
    },
    // One that is too long to be followed is better left out.
    ...(url === undefined || url.length > urlMax ? {} : { url }),
    at: new Date(at).toISOString()
  }
}
