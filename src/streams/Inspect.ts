/**
 * Looking at queues, jobs and workers. Promises figures that are read from Redis at the moment of asking, each look bounded
 * in what it returns; it changes nothing.
 */
import { Context, Effect, Layer } from "effect"
import type { Failure } from "../jobs/Engine.ts"
import { type QueueName, queueOf, queues } from "../jobs/JobQueue.ts"
import type { JobState } from "../jobs/Outcome.ts"
import * as Events from "./Events.ts"
import { keysOf } from "./Keys.ts"
import * as Look from "./Look.ts"
import { Redis, type RedisError } from "./Redis.ts"

export interface QueueRow {
  readonly name: QueueName
  /** Jobs nobody has claimed: XINFO lag. */
  readonly backlog: number
  /** Jobs a worker holds. */
  readonly inFlight: number
  readonly delayed: number
  readonly dead: number
  /** Age of the oldest job nobody has claimed; 0 where none waits. */
  readonly oldestAgeMs: number
  readonly paused: boolean
}

export interface WorkerRow {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly version: string
  readonly concurrency: number
  readonly running: ReadonlyArray<{ readonly jobId: string; readonly task: string; readonly startedAt: number }>
  readonly heartbeatAt: number
  readonly startedAt: number
  /** Jobs held but not begun. */
  readonly reserved: number
  /** Attempts ended since its start. */
  readonly processed: number
  readonly failed: number
  readonly queues: ReadonlyArray<QueueName>
  readonly tasks: ReadonlyArray<string>
}

/** Everything that is known of one job. */
export interface JobRecord {
  readonly id: string
  readonly task: string
  readonly queue: QueueName
  readonly state: JobState
  readonly attempt: number
  /** Encoded JSON; undefined once the finished job's entry has been trimmed. */
  readonly payload: unknown
  readonly result: unknown
  readonly error: Failure | undefined
  readonly progress: unknown
  readonly enqueuedAt: number | null
  readonly startedAt: number | null
  readonly finishedAt: number | null
  readonly durationMs: number | null
}

/** A job that waits, for its time or in a queue. */
export interface WaitingRow {
  readonly id: string
  readonly task: string
  readonly queue: QueueName
  readonly state: JobState
  /** When it is due, epoch ms; of a reserved job: since when it is held. */
  readonly at: number
}

export interface Stats {
  readonly workers: number
  readonly concurrency: number
  readonly running: number
  readonly reserved: number
  readonly processed: number
  readonly failed: number
  readonly queues: ReadonlyArray<QueueRow>
}

export interface RecentOptions {
  /** At most 1,000; default 50. */
  readonly limit?: number | undefined
  readonly task?: string | undefined
  readonly state?: JobState | undefined
}

type Ask<A> = Effect.Effect<A, RedisError>

export class Inspect extends Context.Service<
  Inspect,
  {
    readonly queues: Ask<ReadonlyArray<QueueRow>>
    /** Workers heard of within the last 15 s. */
    readonly workers: Ask<ReadonlyArray<WorkerRow>>
    readonly job: (id: string) => Ask<JobRecord | undefined>
    /** Newest first, one row per job, from the last 100,000 or so events. */
    readonly recent: (options?: RecentOptions) => Ask<ReadonlyArray<Events.JobRow>>
    /** Jobs that run now, by what workers last said. */
    readonly active: Ask<ReadonlyArray<WorkerRow["running"][number] & { readonly worker: string }>>
    /** Jobs that a worker holds and has not begun; at most 1,000 per queue. */
    readonly reserved: Ask<ReadonlyArray<WaitingRow>>
    /** Jobs that wait for their time, soonest first; at most 1,000 per queue. */
    readonly scheduled: Ask<ReadonlyArray<WaitingRow>>
    /** Names of the tasks that some living worker can run. */
    readonly registered: Ask<ReadonlyArray<string>>
    readonly stats: Ask<Stats>
    /** Id of the newest event, to listen from there on; "0-0" where there is none. */
    readonly lastEvent: Ask<string>
  }
>()("loglytics/streams/Inspect") {
  static readonly layer = Layer.effect(
    Inspect,
    Effect.gen(function* () {
      const redis = yield* Redis
      const keys = keysOf(redis.namespace)
      const rows = redis.use("queues", (client) => Promise.all(queues.map((q) => Look.queueRow(client, keys.queue(q)))))
      const workers = redis.use("workers", (client) => Look.workers(client, keys.workers))
      const active = Effect.map(workers, (all) =>
        all.flatMap((w) => w.running.map((r) => Object.assign({ worker: w.id }, r)))
      )
      return Inspect.of({
        queues: rows,
        workers,
        active,
        job: (id) => {
          const queue = queueOf(id)
          if (queue === undefined) return Effect.succeed(undefined)
          return redis.use("job", async (client) => {
            const record = await Look.job(client, keys.queue(queue), id)
            if (record?.state !== "running") return record
            // The pending list knows when the lease was last renewed; only the worker knows when the job began.
            const running = (await Look.workers(client, keys.workers)).flatMap((w) => w.running)
            const startedAt = running.find((r) => r.jobId === id)?.startedAt ?? record.startedAt
            return { ...record, startedAt }
          })
        },
        recent: (options) => redis.use("recent", (client) => Look.recent(client, keys.events, options ?? {})),
        reserved: Effect.flatMap(active, (running) =>
          redis.use("reserved", async (client) => {
            const begun = new Set(running.map((r) => r.jobId))
            const all = await Promise.all(queues.map((q) => Look.held(client, keys.queue(q), 1_000)))
            return all.flat().filter((row) => !begun.has(row.id))
          })
        ),
        scheduled: redis.use("scheduled", async (client) =>
          (await Promise.all(queues.map((q) => Look.delayed(client, keys.queue(q), 1_000)))).flat()
        ),
        registered: Effect.map(workers, (all) => [...new Set(all.flatMap((w) => w.tasks))].toSorted()),
        stats: Effect.gen(function* () {
          const all = yield* workers
          const sum = (f: (w: WorkerRow) => number) => all.reduce((n, w) => n + f(w), 0)
          return {
            workers: all.length,
            concurrency: sum((w) => w.concurrency),
            running: sum((w) => w.running.length),
            reserved: sum((w) => w.reserved),
            processed: sum((w) => w.processed),
            failed: sum((w) => w.failed),
            queues: yield* rows
          }
        }),
        lastEvent: redis.use("events", async (client) => {
          const newest = (await client.xrevrange(keys.events, "+", "-", "COUNT", 1)) as ReadonlyArray<Events.Entry>
          return newest[0]?.[0] ?? "0-0"
        })
      })
    })
  )
}
