/**
 * Who is next: shares a worker's permits between the queues. Promises high before default before low, that low never
 * starves, and a pure decision; holding and running the jobs is left to the desk.
 */
import { type QueueName, queues } from "../jobs/JobQueue.ts"

export type PerQueue = Readonly<Record<QueueName, number>>

/** Permits that only this queue may use, by default: one each for high and low where there are at least 3, else none. */
export const defaultReserved = (concurrency: number): PerQueue =>
  concurrency >= 3
    ? { "high-priority": 1, default: 0, "low-priority": 1 }
    : { "high-priority": 0, default: 0, "low-priority": 0 }

/** Every so many starts without reserved permits, the lowest waiting queue goes first, so that it cannot starve. */
export const turnsOfLow = 16

export interface Shares {
  readonly concurrency: number
  readonly reserved: PerQueue
}

/** Queues of which more is about to be read, by whether that is so. */
export type MorePerQueue = Readonly<Record<QueueName, boolean>>
const noMore: MorePerQueue = { "high-priority": false, default: false, "low-priority": false }

/**
 * The queue whose job starts next; undefined where none may. A queue may take a permit as long as what the others have
 * reserved and do not use stays free. Where a queue has none waiting but `more` on its way, those below it only use what
 * is reserved for them until it is here. `started` counts starts so far.
 */
export const pick = (
  shares: Shares,
  waiting: PerQueue,
  running: PerQueue,
  started: number,
  more: MorePerQueue = noMore
): QueueName | undefined => {
  let total = 0
  let kept = 0
  for (const q of queues) {
    total += running[q]
    kept += Math.max(0, shares.reserved[q] - running[q])
  }
  const free = shares.concurrency - total
  if (free <= 0) return undefined
  const own = (q: QueueName) => Math.max(0, shares.reserved[q] - running[q])
  const may = (q: QueueName) => waiting[q] > 0 && free - (kept - own(q)) > 0
  if (started % turnsOfLow === turnsOfLow - 1) {
    for (let i = queues.length - 1; i >= 0; i--) {
      const q = queues[i] as QueueName
      if (shares.reserved[q] === 0 && may(q)) return q
    }
  }
  let held = false
  for (const q of queues) {
    if (may(q) && (!held || own(q) > 0)) return q
    if (more[q] && waiting[q] === 0) held = true
  }
  return undefined
}
