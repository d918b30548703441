/**
 * Drops finished entries from the streams, so that memory is bounded and lag is a number, also after a restart of Redis. Promises MINID only, short
 * scripts, and never to touch what is pending or not yet delivered.
 */
import { Effect } from "effect"
import * as JobQueues from "../streams/JobQueues.ts"
import { attempt, type RedisError } from "../streams/Redis.ts"
import type { Worker } from "./Worker.ts"

/** Trims each queue until nothing more goes (at most 200 scripts each). Returns how many entries were dropped. */
export const turn = (worker: Worker): Effect.Effect<number, RedisError> =>
  attempt("trim", async () => {
    let total = 0
    for (const queue of worker.consuming.keys()) {
      for (let i = 0; i < 200; i++) {
        const { again, dropped } = await JobQueues.trim(worker.redis.client, worker.keys.queue(queue))
        total += dropped
        if (!again) break
      }
    }
    return total
  })

export const run = (worker: Worker) =>
  Effect.forever(Effect.flatMap(turn(worker), () => Effect.sleep(worker.options.trimEveryMs)))
