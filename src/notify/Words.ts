/** How messages put things for people: the same words on every channel. Pure. */
import type { Outgoing, ToldAlert } from "../domain/Outgoing.ts"

/** `service=api, host=a` of an alert's labels and group. */
export const labelsOf = ({ group, labels }: Pick<ToldAlert, "group" | "labels">): string =>
  Object.entries({ ...labels, ...group })
    .map(([name, value]) => `${name}=${value}`)
    .join(", ")

/** The sample lines of a message, at most `max` of them. */
export const samplesOf = (message: Outgoing, max: number): ReadonlyArray<string> =>
  (message.incident?.alerts ?? []).flatMap(({ samples }) => samples).slice(0, max)

/** A name for the incident that may stand in labels, subjects and ids of other systems. */
export const incidentTag = (id: string): string => `loglytics-${id.replace(/[^\w-]/gu, "-").slice(0, 80)}`
