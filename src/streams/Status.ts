/**
 * What has become of a job, told in one word and in full, as users of Celery's AsyncResult ask. Promises a look at the moment
 * of asking that changes nothing; waiting for an end is the engine's `await`.
 */
import { Context, Effect, Layer } from "effect"
import type { Failure } from "../jobs/Engine.ts"
import { type QueueName, queueOf } from "../jobs/JobQueue.ts"
import { celeryState } from "../jobs/Outcome.ts"
import type { JobRecord, WorkerRow } from "./Inspect.ts"
import { keysOf } from "./Keys.ts"
import * as Look from "./Look.ts"
import { Redis, type RedisError } from "./Redis.ts"
import * as Scripts from "./Scripts.ts"

/**
 * `QUEUED` waits for a worker · `DELAYED` waits for its time or for another job · `RECEIVED` held by a worker, perhaps just
 * begun · `STARTED` runs · `RETRY` waits for another try · `DEAD` gave up, can be replayed · `FAILURE` failed with another job
 * that it waited for · `NOT_FOUND` never enqueued, forgotten, expired or ignored.
 */
export type StatusName =
  | "QUEUED"
  | "DELAYED"
  | "RECEIVED"
  | "STARTED"
  | "RETRY"
  | "SUCCESS"
  | "FAILURE"
  | "REVOKED"
  | "DEAD"
  | "NOT_FOUND"

export interface JobStatus {
  readonly id: string
  /** A `StatusName`, or what the running job calls it (`job.state`). */
  readonly state: StatusName | (string & {})
  /** The state in Celery's words: PENDING, RECEIVED, STARTED, RETRY, SUCCESS, FAILURE, REVOKED, or the job's own. */
  readonly celery: string
  /** True where nothing more will happen to it by itself. */
  readonly ready: boolean
  readonly task: string
  readonly queue: QueueName | undefined
  /** Runs so far. */
  readonly attempt: number
  readonly result: unknown
  readonly error: Failure | undefined
  readonly progress: unknown
  /** The job in whose handler it was enqueued. */
  readonly parent: string | undefined
  /** Jobs that were enqueued in its handler, oldest first, the newest 10,000; kept for a day. */
  readonly children: ReadonlyArray<string>
  readonly enqueuedAt: number | null
  readonly startedAt: number | null
  readonly finishedAt: number | null
}

export class Results extends Context.Service<
  Results,
  {
    /** All that is known of a job. An id that nobody knows is no error: its state is `NOT_FOUND`. */
    readonly status: (id: string) => Effect.Effect<JobStatus, RedisError>
    /** Deletes what is kept of a job that has ended; false where it has not, or is not known. Dead letters stay. */
    readonly forget: (id: string) => Effect.Effect<boolean, RedisError>
  }
>()("loglytics/streams/Results") {
  static readonly layer = Layer.effect(
    Results,
    Effect.gen(function* () {
      const redis = yield* Redis
      const keys = keysOf(redis.namespace)
      return Results.of({
        status: (id) => {
          const queue = queueOf(id)
          if (queue === undefined) return Effect.succeed(notFound(id))
          return redis.use("status", async (client) => {
            const [record, children] = await Promise.all([
              Look.job(client, keys.queue(queue), id),
              client.lrange(keys.queue(queue).children(id), 0, -1)
            ])
            if (record === undefined) return { ...notFound(id), children }
            const workers = record.state === "running" ? await Look.workers(client, keys.workers) : []
            return statusOf(record, children, workers)
          })
        },
        forget: (id) => {
          const queue = queueOf(id)
          if (queue === undefined) return Effect.succeed(false)
          const k = keys.queue(queue)
          const all = [k.job(id), k.result(id), k.children(id)]
          return Effect.map(
            redis.use("forget", (client) => Scripts.forget(client, all, [])),
            (n) => n === 1
          )
        }
      })
    })
  )
}

const notFound = (id: string): JobStatus => ({
  id,
  state: "NOT_FOUND",
  celery: "PENDING",
  ready: false,
  task: "",
  queue: queueOf(id),
  attempt: 0,
  result: undefined,
  error: undefined,
  progress: undefined,
  parent: undefined,
  children: [],
  enqueuedAt: null,
  startedAt: null,
  finishedAt: null
})

const statusOf = (record: JobRecord, children: ReadonlyArray<string>, workers: ReadonlyArray<WorkerRow>): JobStatus => {
  const state = nameOf(record, workers)
  const { attempt, enqueuedAt, error, finishedAt, id, parent, progress, queue, result, startedAt, task } = record
  const final = record.state === "done" || record.state === "dead" || record.state === "cancelled"
  return {
    id,
    state,
    celery: record.custom !== undefined && state === record.custom ? state : celeryOf(record, state),
    ready: final,
    task,
    queue,
    attempt,
    result,
    error,
    progress,
    parent,
    children,
    enqueuedAt,
    startedAt,
    finishedAt
  }
}

const celeryOf = (record: JobRecord, state: string): string =>
  state === "RECEIVED" ? "RECEIVED" : celeryState(record.state)

/** The state in one word. A worker's record tells what runs a moment ago, so a job just begun may still be `RECEIVED`. */
const nameOf = (record: JobRecord, workers: ReadonlyArray<WorkerRow>): StatusName | (string & {}) => {
  switch (record.state) {
    case "queued":
      return "QUEUED"
    case "scheduled":
      return "DELAYED"
    case "running": {
      if (record.custom !== undefined) return record.custom
      const begun = record.progress !== undefined || workers.some((w) => w.running.some((r) => r.jobId === record.id))
      return begun || workers.every((w) => w.reserved === 0) ? "STARTED" : "RECEIVED"
    }
    case "retrying":
      return "RETRY"
    case "done":
      return "SUCCESS"
    case "cancelled":
      return "REVOKED"
    case "dead":
      return record.replayable ? "DEAD" : "FAILURE"
  }
}
