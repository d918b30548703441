/** Every contestant, in the order of the table. */
import { beeQueue } from "./bee-queue.ts"
import { bullmq } from "./bullmq.ts"
import { celery } from "./celery.ts"
import { graphileWorker } from "./graphile-worker.ts"
import { loglytics } from "./loglytics.ts"
import type { Peer } from "./Peer.ts"
import { raw } from "./raw.ts"

export const contestants: Readonly<Record<string, Peer>> = {
  loglytics,
  raw,
  bullmq,
  "bee-queue": beeQueue,
  "graphile-worker": graphileWorker,
  celery
}
