/** What the beats of all processes remember of schedules. Promises that a slot is only ever remembered forward. */
import { Effect } from "effect"
import { keysOf } from "./Keys.ts"
import type { Redis, RedisError } from "./Redis.ts"
import * as Scripts from "./Scripts.ts"

/** What is kept of a schedule: its latest slot, and the ids of its last jobs, newest first. */
export interface Remembered {
  readonly slot: number
  readonly jobs: ReadonlyArray<string>
}

/** Everything remembered, by schedule, and the server's time in epoch ms. */
export const recall = (
  redis: Redis["Service"]
): Effect.Effect<{ readonly now: number; readonly all: ReadonlyMap<string, Remembered> }, RedisError> =>
  redis.use("recall", async (client) => {
    const [hash, time] = await Promise.all([
      client.hgetall(keysOf(redis.namespace).beat),
      client.time() as unknown as Promise<readonly [string, string]>
    ])
    const all = new Map(Object.entries(hash).map(([name, text]) => [name, JSON.parse(text) as Remembered]))
    return { now: Number(time[0]) * 1_000 + Math.floor(Number(time[1]) / 1_000), all }
  })

/** Remembers a slot, unless a later one is known. `job` = "" where the slot was left out. */
export const remember = (redis: Redis["Service"], name: string, slot: number, job: string) =>
  redis.use("remember", (client) => Scripts.slots(client, [keysOf(redis.namespace).beat], [name, slot, job]))
