/**
 * Takes over jobs whose worker has gone silent. Promises that an orphan starts again within two leases, as long as anyone
 * has room, and that an entry which vanished while claimed raises an alarm. Also sweeps consumers long gone.
 */
import { Effect } from "effect"
import type { QueueName } from "../jobs/JobQueue.ts"
import * as JobQueues from "../streams/JobQueues.ts"
import { attempt, type RedisError } from "../streams/Redis.ts"
import type { Worker } from "./Worker.ts"

/** Entries taken in one script; it takes fewer where they are large. */
const perScript = 50
/** Scripts in one look at a queue. */
const pagesMax = 200
const sweepEveryMs = 60_000
/** A consumer without pending jobs that said nothing for an hour is deleted. */
const silentMs = 3_600_000

interface Memory {
  readonly cursors: Map<QueueName, string>
  sweptAt: number
}

const memories = new WeakMap<Worker, Memory>()
const memoryOf = (worker: Worker): Memory => {
  const known = memories.get(worker)
  if (known !== undefined) return known
  const made = { cursors: new Map<QueueName, string>(), sweptAt: Date.now() }
  memories.set(worker, made)
  return made
}

/** One look at each queue with room for orphans. Returns how many jobs were taken over. */
export const turn = (worker: Worker): Effect.Effect<number, RedisError> =>
  Effect.gen(function* () {
    const memory = memoryOf(worker)
    let total = 0
    if (!worker.desk.knowsOrphans()) return 0
    for (const queue of worker.consuming.keys()) {
      // On through the list of claims, not one page in each half lease.
      for (let page = 0; page < pagesMax; page++) {
        const count = Math.min(perScript, worker.desk.roomForOrphans(queue))
        if (count === 0) break
        const { cursor, gone, jobs } = yield* attempt("reclaim", () => reclaim(worker, queue, memory, count))
        memory.cursors.set(queue, cursor)
        if (gone.length > 0) {
          yield* Effect.logError("claimed entries have vanished from their stream", { queue, entries: gone })
        }
        worker.desk.take(jobs)
        total += jobs.length
        if (cursor === "0-0") break
      }
    }
    if (Date.now() - memory.sweptAt > sweepEveryMs) {
      memory.sweptAt = Date.now()
      for (const queue of worker.consuming.keys()) {
        yield* attempt("sweep", () => JobQueues.sweep(worker.redis.client, worker.keys.queue(queue), silentMs))
      }
    }
    return total
  })

const reclaim = async (worker: Worker, queue: QueueName, memory: Memory, count: number) => {
  const { keys, name, options, redis } = worker
  try {
    const cursor = memory.cursors.get(queue) ?? "0-0"
    const at = worker.clock.now()
    const given = Math.min(count, worker.desk.roomForGiven(queue))
    return await JobQueues.reclaim(redis.client, keys.queue(queue), name, options.leaseMs, cursor, count, at, given)
  } catch (error) {
    if (!JobQueues.isGroupLost(error)) throw error
    await JobQueues.ensureGroup(redis.client, keys.queue(queue))
    return { cursor: "0-0", jobs: [], gone: [] }
  }
}

/** While orphans are found, the next look follows as soon as there is room; else after half a lease, or when jobs are given back. */
export const run = (worker: Worker) =>
  Effect.forever(
    Effect.flatMap(turn(worker), (found) =>
      Effect.promise(() => worker.desk.orphans.wait(found > 0 ? 20 : worker.options.leaseMs / 2))
    )
  )
