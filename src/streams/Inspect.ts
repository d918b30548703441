/**
 * Looking at queues, jobs and workers. Promises figures that are read from Redis at the moment of asking, each look bounded
 * in what it returns; it changes nothing.
 */
import { Context, Effect, Layer } from "effect"
import type { Failure } from "../jobs/Engine.ts"
import { type QueueName, queueOf, queues } from "../jobs/JobQueue.ts"
import type { JobState } from "../jobs/Outcome.ts"
import * as Events from "./Events.ts"
import * as FlowStore from "./FlowStore.ts"
import { keysOf } from "./Keys.ts"
import * as Look from "./Look.ts"
import { Redis, type RedisError } from "./Redis.ts"
import * as Requests from "./Requests.ts"
import * as Settings from "./Settings.ts"

export interface QueueRow {
  readonly name: QueueName
  /** Jobs nobody has claimed: XINFO lag, and what waits in lanes. */
  readonly backlog: number
  /** Jobs a worker holds. */
  readonly inFlight: number
  readonly delayed: number
  readonly dead: number
  /** Age of the oldest job nobody has claimed; 0 where none waits. */
  readonly oldestAgeMs: number
  readonly paused: boolean
}

/** Upper bounds of the histograms of `TaskTally`, in seconds; what is slower is in `count` alone. */
export const tallyBounds: ReadonlyArray<number> = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300
]

/** Seconds, by bucket (each its own, not summed up). */
export interface Histogram {
  readonly counts: ReadonlyArray<number>
  readonly count: number
  readonly sum: number
}

/** What a worker has done of one task since its start. */
export interface TaskTally {
  readonly started: number
  readonly ends: {
    readonly succeeded: number
    readonly failed: number
    readonly retried: number
    readonly revoked: number
    readonly rejected: number
  }
  /** How long attempts ran. */
  readonly runtime: Histogram
  /** Seconds for which the job that began last was held before. */
  readonly prefetchTime: number
  /** Jobs held that have not begun. */
  readonly prefetched: number
  /** How long jobs waited from when they could be taken to their first start. */
  readonly wait: Histogram
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
  /** Told to finish what it runs and to take nothing new. */
  readonly draining?: boolean
  /** Attempts ended since its start. */
  readonly processed: number
  readonly failed: number
  readonly queues: ReadonlyArray<QueueName>
  readonly tasks: ReadonlyArray<string>
  /** Stalls of its event loop since its start; absent for workers of an older version, as the next two. */
  readonly stalls?: { readonly count: number; readonly longestMs: number; readonly lastAt: number | null }
  /** Memory of the process, bytes. */
  readonly rss?: number
  /** Worker threads that live, and those that ended under a job since its start. */
  readonly threads?: { readonly alive: number; readonly crashed: number }
  /** By task; absent for workers of an older version. */
  readonly tally?: Readonly<Record<string, TaskTally>>
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
  /** What the job itself calls its state, while it runs. */
  readonly custom: string | undefined
  /** The job in whose handler it was enqueued. */
  readonly parent: string | undefined
  /** True of a dead job that stands among the dead letters. */
  readonly replayable: boolean
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

export interface ClockRow {
  readonly worker: string
  readonly skewMs: number
  readonly withinMs: number
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
    /** A group of a flow: how many members have ended, results so far; undefined where the id is none of a group. */
    readonly group: (id: string) => Ask<FlowStore.GroupView | undefined>
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
    /** Asks workers what they alone know (see `Requests.Asks`); both lists of the answer are empty where none runs. */
    readonly ask: <W extends Requests.Ask>(
      what: W,
      args: Requests.Asks[W]["args"],
      options?: Requests.AskOptions
    ) => Ask<Requests.Replies<Requests.Asks[W]["answer"]>>
    /** Who answers. */
    readonly ping: (options?: Requests.AskOptions) => Ask<Requests.Replies<{ readonly at: number }>>
    /** Which workers hold these jobs. */
    readonly queryTask: (
      ids: ReadonlyArray<string>,
      options?: Requests.AskOptions
    ) => Ask<Requests.Replies<ReadonlyArray<Requests.HeldRow>>>
    /** By how many ms each worker's clock is ahead of that of Redis, give or take half of `within`. */
    readonly clock: (options?: Requests.AskOptions) => Ask<ReadonlyArray<ClockRow>>
    /** Ids revoked lately (1 day), newest last; at most 1,000 per queue. */
    readonly revoked: Ask<ReadonlyArray<{ readonly id: string; readonly at: number }>>
    /** What was set for tasks at run time. */
    readonly settings: Ask<Settings.TaskSettings>
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
      const ask = <W extends Requests.Ask>(what: W, args: Requests.Asks[W]["args"], options?: Requests.AskOptions) =>
        Requests.ask(redis, what, args, options)
      return Inspect.of({
        queues: rows,
        workers,
        active,
        ask,
        ping: (options) => ask("ping", {}, options),
        queryTask: (ids, options) => ask("query_task", { ids }, options),
        clock: (options) =>
          Effect.gen(function* () {
            const all = yield* workers
            return yield* Effect.forEach(
              all.filter((w) => options?.to?.includes(w.id) ?? true),
              ({ id }) =>
                Effect.gen(function* () {
                  const before = yield* redis.use("time", Look.time)
                  const { replies } = yield* ask("ping", {}, { ...options, to: [id] })
                  const after = yield* redis.use("time", Look.time)
                  const reply = replies[0]
                  if (reply?.ok !== true) return []
                  const skewMs = Math.round(reply.value.at - (before + after) / 2)
                  return [{ worker: id, skewMs, withinMs: Math.ceil(after - before) }]
                }),
              { concurrency: 16 }
            ).pipe(Effect.map((found) => found.flat()))
          }),
        revoked: redis.use("revoked", async (client) =>
          (await Promise.all(queues.map((q) => Look.revoked(client, keys.queue(q), 1_000)))).flat()
        ),
        settings: redis.use("settings", (client) => Settings.load(client, redis.namespace)),
        group: (id) => redis.use("group", (client) => FlowStore.view(client, keys, id)),
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
