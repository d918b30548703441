/**
 * Claims jobs of one queue, on a connection of its own. Promises to read no more than the desk has room for, to read on
 * while the last batch is still handled, and to make a lost group again. Running the jobs is the desk's matter.
 */
import { Effect } from "effect"
import type { QueueName } from "../jobs/JobQueue.ts"
import * as JobQueues from "../streams/JobQueues.ts"
import { attempt, type Client, type RedisError } from "../streams/Redis.ts"
import * as Feeder from "./Feeder.ts"
import { giveBack } from "./GiveBack.ts"
import type { Worker } from "./Worker.ts"

/** ms that a read waits for the first job; a stop cuts it short. */
const blockMs = 2_000

/** One read. Returns how many jobs were claimed. */
export const turn = (worker: Worker, queue: QueueName, reader: Client): Effect.Effect<number, RedisError> => {
  const { desk, keys, name, options } = worker
  const free = desk.free(queue)
  if (free === 0 || !desk.wants(queue)) {
    if (desk.closed(queue)) desk.expect(queue, false)
    return Effect.as(
      Effect.promise(() => desk.room[queue].wait(1_000)),
      0
    )
  }
  return attempt("xreadgroup", async () => {
    try {
      const asked = Math.min(free, options.readMax)
      const jobs = await JobQueues.read(reader, keys.queue(queue), name, asked, blockMs)
      desk.expect(queue, jobs.length === asked)
      desk.take(jobs)
      // Closed while the read was under way: what came is not begun.
      if (jobs.length > 0 && desk.closed(queue)) await Effect.runPromise(giveBack(worker, desk.unstarted([queue]), false))
      Feeder.after(worker, queue, jobs)
      return jobs.length
    } catch (error) {
      desk.expect(queue, false)
      if (!JobQueues.isGroupLost(error)) throw error
      await JobQueues.ensureGroup(worker.redis.client, keys.queue(queue))
      return 0
    }
  })
}
