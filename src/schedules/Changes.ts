/** Changes of a stored schedule: what it says afterwards, and whether it then fires at other times. Pure. */
import type { Spec } from "./Schedule.ts"

/** The fields to change; null takes one away. */
export type Changes = { readonly [K in keyof Omit<Spec, "name">]?: Spec[K] | null | undefined }

/** A spec with changes; another way of saying when replaces the one before. */
export const merge = (spec: Spec, changes: Changes): Spec => {
  const says = (["cron", "crontab", "every"] as const).some(
    (way) => changes[way] !== undefined && changes[way] !== null
  )
  const { cron: _, crontab: __, every: ___, ...rest } = spec
  const merged = { ...(says ? rest : spec), ...changes, name: spec.name }
  return Object.fromEntries(Object.entries(merged).filter(([, v]) => v !== null && v !== undefined)) as unknown as Spec
}

/** What says at which times it fires, to tell whether they change. */
export const timing = ({ cron, crontab, endAt, every, startAt, timeZone }: Spec): string =>
  JSON.stringify({ cron, crontab, every, timeZone, startAt, endAt })
