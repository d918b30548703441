/** A job that this worker holds, from claim to settlement. Plain data with the few facts that change on the way. */
import { madeAt } from "../jobs/JobQueue.ts"
import * as MetaText from "../jobs/MetaText.ts"
import type { Meta } from "../jobs/Plan.ts"
import type { Claimed } from "../streams/JobQueues.ts"

/** Why a running job was stopped from outside. */
export type Stop = "revoked" | "timeout" | "lost" | "drain"

export interface Held {
  readonly job: Claimed
  /** Delivery count: the fence. Raised only where this very process has claimed the entry again. */
  count: number
  meta: Meta | undefined
  readonly attempt: number
  readonly enqueuedAt: number
  /** When it could first be taken: when its entry was added. Epoch ms. */
  readonly queuedAt: number
  readonly claimedAt: number
  /** Its number among all that this process has claimed. */
  readonly order: number
  startedAt: number
  phase: "reserved" | "running" | "settling"
  /** Set where the job was told to stop, with the reason. */
  stopped: Stop | undefined
  /** Interrupts the fiber. */
  interrupt: (() => void) | undefined
  /** True once it was announced as running. */
  announced: boolean
}

/** Since when a job has been there, epoch ms. Those with a fairness key or of a flow have waited before they were queued. */
export const since = ({ job, meta, queuedAt }: Held): number =>
  meta?.k === undefined && meta?.r === undefined ? queuedAt : Math.min(queuedAt, madeAt(job.id) ?? queuedAt)

let claims = 0

/** A job just claimed; `now` in epoch ms. */
export const hold = (job: Claimed, now: number): Held => {
  const meta = MetaText.read(job.meta)
  const queuedAt = Number(job.entry.slice(0, job.entry.indexOf("-")))
  return {
    job,
    count: job.count,
    meta,
    attempt: (meta?.a ?? 0) + job.count,
    enqueuedAt: meta?.t ?? queuedAt,
    queuedAt,
    claimedAt: now,
    order: claims++,
    startedAt: 0,
    phase: "reserved",
    stopped: undefined,
    interrupt: undefined,
    announced: false
  }
}
