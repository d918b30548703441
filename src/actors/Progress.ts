/** Keeps what a job shows of itself while it runs. What is too large, or a state of a wrong name, is told and not kept. */
import { Effect } from "effect"
import { keysOf } from "../streams/Keys.ts"
import type { Redis } from "../streams/Redis.ts"
import * as Scripts from "../streams/Scripts.ts"
import type { Held } from "./Held.ts"

/** Characters of JSON. */
const progressMax = 65_536
const stateName = /^[A-Z][A-Z0-9_]{0,39}$/u
export const progress = (redis: Redis["Service"], held: Held, value: unknown, state?: string): Effect.Effect<void> => {
  const { id, queue } = held.job
  const text = JSON.stringify(value)
  if (text !== undefined && text.length > progressMax)
    return Effect.logWarning(`progress of ${id} is over ${progressMax} bytes, not kept`)
  if (state !== undefined && !stateName.test(state))
    return Effect.logWarning(`state of ${id}: expected 1-40 of A-Z 0-9 _, got ${JSON.stringify(state)}, not kept`)
  const fields = [
    ...(state === undefined ? [] : ["custom", state]),
    ...(state !== undefined && text === undefined ? [] : ["progress", text ?? "null"])
  ]
  const key = keysOf(redis.namespace).queue(queue).job(id)
  return Effect.ignore(redis.use("progress", (client) => Scripts.note(client, [key], fields)))
}
