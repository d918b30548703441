/**
 * Jobs whose task nobody in this process knows: they go back for a while, a short one at first, since the next worker may know it.
 * Promises that such a job is dead only once it came back for about a minute and no living worker knows its task.
 */
import type * as Outcome from "../jobs/Outcome.ts"
import * as Look from "../streams/Look.ts"
import type { Client } from "../streams/Redis.ts"
import type { Held } from "./Held.ts"

const firstWaitMs = 50
const longestWaitMs = 5_000
/** Times that it goes back, 51 s in all, before others are asked for. */
const timesMax = 16

export type Decide = (held: Held) => Promise<Outcome.Outcome>

/** `key`: where the records of the workers are. */
export const decider =
  (client: Client, key: string): Decide =>
  async ({ job, meta }) => {
    const times = meta?.s ?? 0
    const back = { _tag: "Snoozed", delayMs: Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(times, 16)) } as const
    if (times < timesMax) return back
    // Who can't ask does not condemn.
    const known = await Look.workers(client, key).then(
      (rows) => rows.some(({ tasks }) => tasks.includes(job.task)),
      () => true
    )
    if (known) return back
    return { _tag: "Dead", error: { _tag: "UnknownTask", message: `no worker knows a task named ${job.task}` } }
  }
