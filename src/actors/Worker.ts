/** What every actor of one worker process shares: its name, its limits, its desk and its ways to Redis. */
import { Context, type Deferred, type Effect } from "effect"
import type { QueueName } from "../jobs/JobQueue.ts"
import type { Registry } from "../jobs/Registry.ts"
import type { Keys } from "../streams/Keys.ts"
import type { Client, Redis } from "../streams/Redis.ts"
import type { Desk } from "./Desk.ts"
import type { Gatekeeper } from "./Gatekeeper.ts"
import type { Retired } from "./MemoryGuard.ts"
import type { Settler } from "./Settler.ts"
import type { ServerClock } from "../streams/ServerClock.ts"
import type { PerQueue } from "./Share.ts"
import type { Threads } from "./threads/Threads.ts"
import type { Stalls } from "./Watchdog.ts"

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
  /** Jobs read at once; default 256. */
  readonly readMax: number
  /** Workers (or threads) lost under one job at which it is set apart as dead; default 3. */
  readonly maxCrashes: number
  /** Threads for tasks that run in threads; default all cores but one, at least 1. They start when first needed. */
  readonly threads: number | undefined
  /** The event loop stands still for so long: told as a stall, ms; default 1,000, 0 = not watched. */
  readonly stallMs: number
  /** Memory (RSS) of the process in MiB, above which it asks to be replaced (`Workers.retired`); default no limit. */
  readonly maxMemoryMb: number | undefined
  /** Dead letters older than this are forgotten, ms; default none by age (the newest 100,000 of each queue are kept). */
  readonly deadMaxAgeMs: number | undefined
  readonly maxResultBytes: number
  /** Results of more characters than this are kept in a key of their own beside the job; default: none. */
  readonly resultApartOver: number | undefined
  /** How often finished entries are trimmed, in ms; default 500. */
  readonly trimEveryMs: number
  /** ms that an attempt has to end after it was interrupted, before it is abandoned; default 10,000. */
  readonly graceMs: number
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
  readonly clock: ServerClock
  readonly threads: Threads
  /** Stalls of the event loop so far; the record tells of them. */
  readonly stalls: Stalls
  /** Resolves when stalls are seen; at once where nothing watches. */
  readonly watched: Promise<void>
  /** Done when this process should be replaced. */
  readonly retired: Deferred.Deferred<Retired>
  readonly startedAt: number
  readonly gatekeeper: Gatekeeper
  /** Readers by queue; a queue that is added at run time gets one, too. */
  readonly consuming: Map<QueueName, Client>
  /** Begins to read a queue that is not read yet. */
  readonly consume: (queue: QueueName) => Effect.Effect<void>
  /** Cuts reads under way short. */
  readonly unblock: (of: ReadonlyArray<QueueName>) => Effect.Effect<void>
  /** Done when this worker was told from outside to shut down; whoever runs it then closes its scope. */
  readonly stopped: Deferred.Deferred<void>
}

/** The worker of this process, for those who look at it from inside (metrics, tests). */
export class LocalWorker extends Context.Service<LocalWorker, Worker>()("loglytics/actors/LocalWorker") {}
