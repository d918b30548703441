/** Whether jobs of a task are as a test wants them, and how to say that they are not. Pure. */
import { Duration, Equal, Schema } from "effect"
import type { QueueName } from "../jobs/JobQueue.ts"
import { isFinal } from "../jobs/Outcome.ts"
import type { Kept } from "./Kept.ts"

/** What jobs are asked for. */
export interface Wanted<P> {
  readonly task: { readonly name: string; readonly payload: Schema.Top & { readonly Type: P } }
  /** Fields of the payload; those left out may be anything. */
  readonly payload: Partial<P>
  readonly options: WantedOptions
}

export interface WantedOptions {
  /** The delay that it was enqueued with; 0 = none. */
  readonly delay?: Duration.Input
  readonly queue?: QueueName
  /** The tenant. */
  readonly key?: string
  /** How many there are to be; default: at least one. */
  readonly count?: number
}

/** The payload as the handler would get it. Throws where it does not fit the task's schema. */
export const decoded = <P>(task: Wanted<P>["task"], { payload }: Kept): P =>
  Schema.decodeUnknownSync(Schema.toCodecJson(task.payload) as unknown as Schema.Codec<P, unknown>)(JSON.parse(payload))

/** Jobs of a task that have not ended, oldest first. */
export const open = (all: Iterable<Kept>, name: string): ReadonlyArray<Kept> =>
  [...all].filter((kept) => kept.entry.task === name && !isFinal(kept.state))

/** Those that are as wanted. */
export const matching = <P>(all: Iterable<Kept>, { options, payload, task }: Wanted<P>): ReadonlyArray<Kept> => {
  const { delay, key, queue } = options
  return open(all, task.name).filter(
    (kept) =>
      (delay === undefined || kept.delayMs === Duration.toMillis(Duration.fromInputUnsafe(delay))) &&
      (queue === undefined || kept.entry.queue === queue) &&
      (key === undefined || kept.entry.meta?.k === key) &&
      includes(decoded(task, kept), payload)
  )
}

const includes = <P>(payload: P, part: Partial<P>): boolean =>
  Object.keys(part).every((name) => Equal.equals(payload[name as keyof P], part[name as keyof P]))

/** Why the jobs are not as wanted; undefined where they are. */
export const complaint = <P>(all: Iterable<Kept>, wanted: Wanted<P>): string | undefined => {
  const found = matching(all, wanted).length
  const { count } = wanted.options
  if (count === undefined ? found > 0 : found === count) return undefined
  const many = count === undefined ? "a job" : `${count} ${count === 1 ? "job" : "jobs"}`
  return `expected ${many} of ${wish(wanted)}, got ${found === 0 ? "none" : found}; ${listing(all, wanted.task)}`
}

/** Why there are jobs where none are wanted; undefined where there are none. */
export const surplus = <P>(all: Iterable<Kept>, wanted: Wanted<P>): string | undefined => {
  const found = matching(all, wanted).length
  return found === 0 ? undefined : `expected no job of ${wish(wanted)}, got ${found}; ${listing(all, wanted.task)}`
}

const wish = <P>({ options, payload, task }: Wanted<P>): string => {
  const { delay, key, queue } = options
  return [
    task.name,
    ...(Object.keys(payload).length === 0 ? [] : [`with ${JSON.stringify(payload)}`]),
    ...(delay === undefined ? [] : [`delayed by ${Duration.toMillis(Duration.fromInputUnsafe(delay))} ms`]),
    ...(queue === undefined ? [] : [`in queue ${queue}`]),
    ...(key === undefined ? [] : [`for ${key}`])
  ].join(" ")
}

const listedMax = 20

const listing = (all: Iterable<Kept>, task: { readonly name: string }): string => {
  const jobs = open(all, task.name)
  if (jobs.length === 0) {
    const others = [...new Set([...all].filter((k) => !isFinal(k.state)).map((k) => k.entry.task))]
    return others.length === 0 ? "nothing is enqueued" : `only these are enqueued: ${others.join(", ")}`
  }
  const rows = jobs.slice(0, listedMax).map(({ delayMs, entry, payload, state }) => {
    const key = entry.meta?.k === undefined ? "" : `, for ${entry.meta.k}`
    const delay = Number.isFinite(delayMs) ? `delayed by ${delayMs} ms` : "waits for another job"
    return `  ${entry.id} ${payload} (${state}, ${delay}, queue ${entry.queue}${key})`
  })
  const more = jobs.length > listedMax ? [`  … and ${jobs.length - listedMax} more`] : []
  return ["enqueued are:", ...rows, ...more].join("\n")
}
