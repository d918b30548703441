/**
 * The shares of tenants whose jobs wait in fair lanes (enqueue option `key`). Promises that a weight counts from the next
 * turn on; which job goes next is decided in the scripts.
 */
import { Effect } from "effect"
import type { QueueName } from "../jobs/JobQueue.ts"
import { keysOf } from "./Keys.ts"
import { Redis, type RedisError } from "./Redis.ts"

/** Gives a key `weight` turns where others have one (0.01–100; 1 again takes the entry away). */
export const weigh = (queue: QueueName, key: string, weight: number): Effect.Effect<void, RedisError, Redis> =>
  Redis.use((redis) => {
    if (!(weight >= 0.01 && weight <= 100)) {
      return Effect.die(new Error(`weight of ${key}: expected 0.01 to 100, got ${weight}`))
    }
    const { weights } = keysOf(redis.namespace).queue(queue)
    return Effect.asVoid(
      redis.use("weigh", (client) => (weight === 1 ? client.hdel(weights, key) : client.hset(weights, key, weight)))
    )
  })

/** How many jobs wait in a key's lane. Cancelled ones count until their turn. */
export const depth = (queue: QueueName, key: string): Effect.Effect<number, RedisError, Redis> =>
  Redis.use((redis) =>
    redis.use("depth", (client) => client.llen(`${keysOf(redis.namespace).queue(queue).prefix}lane:${key}`))
  )
