/** What waits in the log stream, by partition. Promises plain reads: whoever looks needs no right to write, and nothing is made. */
import { Effect } from "effect"
import type { Redis, RedisError } from "./Redis.ts"
import * as scripts from "./scripts/logs.ts"

/** What waits in one partition. */
export interface PartitionDepth {
  readonly partition: number
  readonly stream: string
  /** Batches not yet processed. */
  readonly backlog: number
  readonly bytes: number
  /** Age of the oldest unprocessed batch, ms; 0 when none waits. */
  readonly oldestAgeMs: number
  readonly owner: string | null
}

/** All partitions, one after the other. */
export const all = (
  redis: Redis["Service"],
  partitions: number
): Effect.Effect<ReadonlyArray<PartitionDepth>, RedisError> =>
  Effect.forEach(
    Array.from({ length: partitions }, (_, p) => p),
    (partition) => one(redis, partition)
  )

const one = Effect.fnUntraced(function* (redis: Redis["Service"], partition: number) {
  const key = scripts.keys(redis.namespace, partition)
  const [backlog, first, bytes, lease, time] = yield* redis.use("log depth", (client) =>
    Promise.all([
      client.xlen(key.batches),
      client.xrange(key.batches, "-", "+", "COUNT", 1),
      client.hget(key.meta, "bytes"),
      client.get(key.lease),
      client.time()
    ])
  )
  const now = Number(time[0]) * 1_000 + Math.floor(Number(time[1]) / 1_000)
  const oldest = first[0]?.[0]
  return {
    partition,
    stream: key.batches,
    backlog,
    bytes: Number(bytes ?? 0),
    oldestAgeMs: oldest === undefined ? 0 : Math.max(0, now - Number(oldest.split("-")[0])),
    owner: lease?.replace(/:\d+$/u, "") ?? null
  } satisfies PartitionDepth
})
