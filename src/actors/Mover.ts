/**
 * Moves delayed jobs into their streams when they are due. Promises to sleep until the next is due (half a second at most,
 * since another process may have added one) and to wake when told of one that is due soon.
 */
import { Effect } from "effect"
import * as Delayed from "../streams/Delayed.ts"
import { scriptMax } from "../streams/JobQueues.ts"
import { attempt, type RedisError } from "../streams/Redis.ts"
import type { Worker } from "./Worker.ts"

const longestSleepMs = 500

/** Moves all that is due. Returns ms until it should be asked again. */
export const turn = (worker: Worker): Effect.Effect<number, RedisError> =>
  attempt("promote", async () => {
    let sleep = longestSleepMs
    for (const queue of worker.consuming.keys()) {
      // Bounded: 100 scripts, then the other queues and the sleepers get their turn.
      for (let i = 0; i < 100; i++) {
        const { moved, nextMs } = await Delayed.promote(worker.redis.client, worker.keys.queue(queue))
        if (nextMs !== undefined) sleep = Math.min(sleep, nextMs)
        if (moved < scriptMax) break
      }
    }
    return sleep
  })

export const run = (worker: Worker) =>
  Effect.forever(Effect.flatMap(turn(worker), (ms) => Effect.promise(() => worker.desk.due.wait(ms))))
