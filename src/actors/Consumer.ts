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

/** Reads of one turn, at most. */
const readsMax = 64

/** Reads while there is more and room for it. Returns how many jobs were claimed. */
export const turn = (worker: Worker, queue: QueueName, reader: Client): Effect.Effect<number, RedisError> => {
  const { desk } = worker
  if (desk.free(queue) === 0 || !desk.wants(queue)) {
    if (desk.closed(queue)) desk.expect(queue, false)
    return Effect.as(
      Effect.promise(() => desk.room[queue].wait(1_000)),
      0
    )
  }
  return attempt("xreadgroup", async () => {
    try {
      return await readOn(worker, queue, reader)
    } catch (error) {
      desk.expect(queue, false)
      if (!JobQueues.isGroupLost(error)) throw error
      await JobQueues.ensureGroup(worker.redis.client, worker.keys.queue(queue))
      return 0
    }
  })
}

const readOn = async (worker: Worker, queue: QueueName, reader: Client): Promise<number> => {
  const { desk, keys, name, options } = worker
  const read = (count: number, waitMs: number) => JobQueues.read(reader, keys.queue(queue), name, count, waitMs)
  let asked = Math.min(desk.free(queue), options.readMax)
  // While more is expected, queues below this one are held back: not for as long as a read may wait for a job.
  let coming: Promise<ReadonlyArray<JobQueues.Claimed>> | undefined = read(asked, desk.expects(queue) ? 0 : blockMs)
  let total = 0
  for (let i = 0; coming !== undefined; i++) {
    const jobs: ReadonlyArray<JobQueues.Claimed> = await coming
    const more = jobs.length === asked
    // The next read is under way while these are handled.
    const room = Math.min(desk.free(queue) - jobs.length, options.readMax)
    coming = undefined
    if (more && room >= asked && i < readsMax) {
      asked = room
      coming = read(asked, 0)
      // Whoever awaits it hears of its failure; until then it is nobody's.
      coming.catch(() => {})
    }
    total += jobs.length
    desk.expect(queue, more)
    desk.take(jobs)
    // Closed while the read was under way: what came is not begun.
    if (jobs.length > 0 && desk.closed(queue)) await Effect.runPromise(giveBack(worker, desk.unstarted([queue]), false))
    Feeder.after(worker, queue, jobs)
  }
  return total
}
