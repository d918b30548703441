/**
 * What may not grow without end, with its unit, and the refusals that follow. Promises that a full queue or a full Redis
 * is told to whoever enqueues, instead of dropping what is there.
 */
import { type EnqueueError, EngineUnavailable, QueueFull } from "../jobs/Engine.ts"
import type { QueueName } from "../jobs/JobQueue.ts"

export interface Limits {
  /** Jobs in one queue (backlog, in flight and delayed) before `QueueFull`. */
  readonly maxQueued: number
  /** Bytes of one encoded payload. */
  readonly maxPayloadBytes: number
  /** Bytes of one encoded result; a larger one makes the job dead. */
  readonly maxResultBytes: number
}

export const defaults: Limits = { maxQueued: 1_000_000, maxPayloadBytes: 1_048_576, maxResultBytes: 1_048_576 }

/** ms after which a refused caller should try again. */
const retryAfterMs = 1_000

export const full = (queue: QueueName, limits: Limits): QueueFull =>
  new QueueFull({ queue, limit: limits.maxQueued, retryAfterMs })

/** A failed command as the caller of enqueue sees it: Redis without memory is a full queue that frees itself more slowly. */
export const refusal = (queue: QueueName, limits: Limits, op: string, cause: unknown): EnqueueError =>
  cause instanceof Error && /^OOM|used memory > 'maxmemory'/u.test(cause.message)
    ? new QueueFull({ queue, limit: limits.maxQueued, retryAfterMs: 5 * retryAfterMs })
    : new EngineUnavailable({ op, cause })
