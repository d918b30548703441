/** Forgets dead letters that are older than the workers' `deadMaxAgeMs`. Without that option there is nothing to do. */
import { Effect } from "effect"
import { queues } from "../jobs/JobQueue.ts"
import * as DeadSteps from "../streams/DeadSteps.ts"
import { attempt, type RedisError } from "../streams/Redis.ts"
import type { Worker } from "./Worker.ts"

const everyMs = 60_000

/** One look at each queue. Returns how many letters were forgotten. */
export const turn = (worker: Worker, maxAgeMs: number): Effect.Effect<number, RedisError> =>
  attempt("expire", async () => {
    let total = 0
    for (const queue of queues) {
      total += await DeadSteps.expire(worker.redis.client, worker.keys.queue(queue), maxAgeMs)
    }
    return total
  })

export const run = (worker: Worker): Effect.Effect<never, RedisError> => {
  const maxAgeMs = worker.options.deadMaxAgeMs
  return maxAgeMs === undefined
    ? Effect.never
    : Effect.forever(Effect.andThen(turn(worker, maxAgeMs), Effect.sleep(everyMs)))
}
