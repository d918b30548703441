/**
 * The three queues and the ids of jobs. Promises that the queue of a job can be told from its id alone, so that a look-up
 * by id is one read. How a queue travels is the matter of `streams/`.
 */
import { randomBytes } from "node:crypto"

/** A priority and its stream. `high-priority` goes before `default`, `default` before `low-priority`. */
export type QueueName = "high-priority" | "default" | "low-priority"

/** Every queue, in the order in which they are served. */
export const queues: ReadonlyArray<QueueName> = ["high-priority", "default", "low-priority"]

/** The id of a job: the `task_id` of the HTTP API. `h-…`, `d-…` or `l-…`, the letter being its queue. */
export type JobId = string & { readonly JobId: "JobId" }

const letters: Record<QueueName, string> = { "high-priority": "h-", default: "d-", "low-priority": "l-" }
const byLetter: Record<string, QueueName> = { "h-": "high-priority", "d-": "default", "l-": "low-priority" }

/** The queue an id belongs to; undefined where it is no id of ours. */
export const queueOf = (id: string): QueueName | undefined => byLetter[id.slice(0, 2)]

const allowed = /^[\w.:@/+-]{1,200}$/u

/** The id of a job whose caller chose it; undefined where it holds other characters than `A-Z a-z 0-9 _ . : @ / + -` or over 200. */
export const chosenId = (queue: QueueName, id: string): JobId | undefined =>
  allowed.test(id) ? ((queueOf(id) === queue ? id : letters[queue] + id) as JobId) : undefined

/** The id of the n-th helper of a job with a chosen id. */
export const derivedId = (queue: QueueName, id: JobId, n: number): JobId =>
  `${letters[queue]}${id.slice(2)}.${n}` as JobId

const fresh = /^[hdl]-([0-9a-z]{8})[0-9a-f]{10}[0-9a-z]{1,6}$/u

/** When a fresh id was made, epoch ms by the clock of whoever made it; undefined for a chosen one. */
export const madeAt = (id: string): number | undefined => {
  const time = fresh.exec(id)?.[1]
  return time === undefined ? undefined : Number.parseInt(time, 36)
}

const origin = randomBytes(5).toString("hex")
let count = 0

/** When this very process made a fresh id, epoch ms; undefined for the ids of others. */
export const madeHereAt = (id: string): number | undefined => (id.startsWith(origin, 10) ? madeAt(id) : undefined)

/** A fresh id: sorts by time, unique by process and counter. `now` in epoch ms. */
export const freshId = (queue: QueueName, now: number): JobId => {
  count = (count + 1) % 2_176_782_336
  return (letters[queue] + now.toString(36) + origin + count.toString(36)) as JobId
}
