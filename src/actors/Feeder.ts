/**
 * Keeps the stream fed from the lanes of jobs with a key, while such jobs are read. Promises one script under way per queue,
 * and another after it where more was read meanwhile. Enqueues feed too; the mover's turn is the fallback when a call fails.
 */
import type { QueueName } from "../jobs/JobQueue.ts"
import * as Delayed from "../streams/Delayed.ts"
import type { Claimed } from "../streams/JobQueues.ts"
import type { Worker } from "./Worker.ts"

/** Queues being fed, true where it must be done again. */
const feeding = new WeakMap<Worker, Map<QueueName, boolean>>()

/** Called with what was just read; jobs without a key cost one look at their meta. */
export const after = (worker: Worker, queue: QueueName, jobs: ReadonlyArray<Claimed>): void => {
  if (!jobs.some((job) => job.meta.startsWith('{"k":'))) return
  const now = feeding.get(worker) ?? new Map<QueueName, boolean>()
  feeding.set(worker, now)
  if (now.has(queue)) {
    now.set(queue, true)
    return
  }
  void feed(worker, queue, now)
}

const feed = async (worker: Worker, queue: QueueName, now: Map<QueueName, boolean>): Promise<void> => {
  try {
    do {
      now.set(queue, false)
      await Delayed.promote(worker.redis.client, worker.keys.queue(queue))
    } while (now.get(queue) === true)
  } catch {
    // Redis is away: the mover feeds at its next turn.
  } finally {
    now.delete(queue)
  }
}
