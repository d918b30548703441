/** What every actor of one worker process shares: its name, its limits, its desk and its ways to Redis. */
import { Context } from "effect"
import type { QueueName } from "../jobs/JobQueue.ts"
import type { Registry } from "../jobs/Registry.ts"
import type { Keys } from "../streams/Keys.ts"
import type { Redis } from "../streams/Redis.ts"
import type { Desk } from "./Desk.ts"
import type { Settler } from "./Settler.ts"
import type { PerQueue } from "./Share.ts"

export interface WorkerOptions {
  /** Jobs that run at the same time; default 4. */
  readonly concurrency: number
  /** Jobs claimed ahead per queue, times concurrency; default 4. */
  readonly prefetchMultiplier: number
  /** A job whose worker has been silent for so long is taken over; default 5,000. */
  readonly leaseMs: number
  /** Queues to serve; default all. */
  readonly queues: ReadonlyArray<QueueName>
  /** Permits that only one queue may use; default 1 for high and low each where concurrency is at least 3. */
  readonly reserved: PerQueue
  /** How long running jobs may go on when the worker is told to stop, in ms; default 10,000. */
  readonly drainTimeoutMs: number
  /** Jobs that this worker may hold per queue; default 10,000 (trimming slows down beyond). */
  readonly maxInFlight: number
  /** Jobs read at once; default 500. */
  readonly readMax: number
  /** Lost workers that a job may survive before it is given up; default 5. */
  readonly maxDeliveries: number
  readonly maxResultBytes: number
  /** How often finished entries are trimmed, in ms; default 500. */
  readonly trimEveryMs: number
  /** Version that the worker's record tells. */
  readonly version: string
  /** Host part of the worker's name; default the machine's. */
  readonly host: string
}

export interface Worker {
  readonly name: string
  /** Tells this process apart from an earlier one of the same name. */
  readonly token: string
  readonly options: WorkerOptions
  readonly redis: Redis["Service"]
  readonly keys: Keys
  readonly registry: Registry["Service"]
  readonly desk: Desk
  readonly settler: Settler
  readonly startedAt: number
}

/** The worker of this process, for those who look at it from inside (metrics, tests). */
export class LocalWorker extends Context.Service<LocalWorker, Worker>()("loglytics/actors/LocalWorker") {}
