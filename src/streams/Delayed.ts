/** Jobs that wait for their time. Promises one script per step, server time only, and nothing moved twice. */
import type { QueueKeys } from "./Keys.ts"
import type { Client } from "./Redis.ts"
import { scriptMax } from "./JobQueues.ts"
import * as Scripts from "./Scripts.ts"

/** Moves up to `scriptMax` due jobs into their stream. `nextMs`: until the next is due; undefined where none waits. */
export const promote = async (
  client: Client,
  keys: QueueKeys
): Promise<{ readonly moved: number; readonly nextMs: number | undefined }> => {
  const [moved, next] = await Scripts.promote(client, [keys.delayed, keys.jobs], [keys.prefix, scriptMax])
  return { moved, nextMs: next < 0 ? undefined : next }
}
