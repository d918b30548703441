/** Leaves claims to other workers: at once, not after a lease. Promises to be bounded in time, and never to fail. */
import { Effect } from "effect"
import { queues } from "../jobs/JobQueue.ts"
import * as JobQueues from "../streams/JobQueues.ts"
import type { Held } from "./Held.ts"
import type { Worker } from "./Worker.ts"

/** `ran: false`: jobs that never began, for which waiting here was no attempt. */
export const giveBack = (
  worker: Pick<Worker, "keys" | "name" | "redis">,
  helds: ReadonlyArray<Held>,
  ran: boolean
): Effect.Effect<unknown> =>
  Effect.promise(async () => {
    for (const queue of queues) {
      const claims = helds
        .filter((h) => h.job.queue === queue && h.phase !== "settling")
        .map((h) => ({ entry: h.job.entry, count: h.count, id: h.job.id, ran }))
      for (let i = 0; i < claims.length; i += JobQueues.scriptMax) {
        const part = claims.slice(i, i + JobQueues.scriptMax)
        await JobQueues.release(
          worker.redis.client,
          worker.keys.queue(queue),
          worker.keys.control,
          worker.name,
          part
        ).catch(() => 0)
      }
    }
  }).pipe(Effect.timeoutOption("2 seconds"))
