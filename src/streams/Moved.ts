/**
 * Which rows of an outbox are in their streams already. Promises that a mover that died after adding a job and before deleting
 * its row is not repeated by the next, also where the job has ended and its record is gone. Bounded in number and age.
 */
import { Effect } from "effect"
import { keysOf } from "./Keys.ts"
import type { Redis, RedisError } from "./Redis.ts"

/** Most rows that are remembered; a mover forgets its own as soon as they are deleted. */
const keptMax = 100_000
/** How long they are remembered: 30 days. */
const keptMs = 30 * 86_400_000

/** Those of the ids that are in their streams. */
export const known = (
  redis: Redis["Service"],
  ids: ReadonlyArray<string>
): Effect.Effect<ReadonlySet<string>, RedisError> =>
  redis.use("moved", async (client) => {
    const scores = await client.zmscore(keysOf(redis.namespace).outbox, ...ids)
    return new Set(ids.filter((_, i) => scores[i] !== null))
  })

/** Remembers rows before they are deleted. */
export const mark = (redis: Redis["Service"], ids: ReadonlyArray<string>): Effect.Effect<void, RedisError> =>
  redis.use("moved", async (client) => {
    const key = keysOf(redis.namespace).outbox
    const now = Date.now()
    await client
      .multi()
      .zadd(key, ...ids.flatMap((id) => [now, id]))
      .zremrangebyscore(key, "-inf", now - keptMs)
      .zremrangebyrank(key, 0, -keptMax - 1)
      .exec()
  })

/** Forgets rows that are deleted. */
export const forget = (redis: Redis["Service"], ids: ReadonlyArray<string>): Effect.Effect<void, RedisError> =>
  Effect.asVoid(redis.use("moved", (client) => client.zrem(keysOf(redis.namespace).outbox, ...ids)))
