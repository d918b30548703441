/**
 * The tasks that this process can run, by name. Promises look-up only: a name maps to how its payload is decoded, its
 * handler run and its outcome encoded. Running it is the matter of the actors.
 */
import { Context, type Duration, Effect, Layer, Result } from "effect"
import { type Failure, type Issue, PayloadInvalid, UnknownTask } from "./Engine.ts"
import type { Job } from "./Job.ts"
import type { QueueName } from "./JobQueue.ts"
import type { Rate } from "./Rate.ts"
import type { Retry } from "./Retry.ts"
import type { ThreadTask } from "./Thread.ts"

/** What a handler knows of its job. */
export interface JobContext {
  readonly id: string
  /** 1 for the first run. */
  readonly attempt: number
  readonly task: string
  /** Keeps a JSON value with the job that anyone may look at while it runs (at most 64 KB). */
  readonly progress: (value: unknown) => Effect.Effect<void>
  /**
   * Shows a state of one's own while it runs ("PROGRESS", "DOWNLOADING": 1-40 of `A-Z 0-9 _`), with a JSON value kept as
   * its progress. Celery's `update_state`.
   */
  readonly state: (name: string, value?: unknown) => Effect.Effect<void>
}

/** How often jobs of a task may start, and how many may run at once, over all workers; `key`: for each value of it. */
export interface TaskLimits {
  readonly rate: { readonly limit: Rate; readonly key: ((payload: unknown) => string) | undefined } | undefined
  readonly concurrency: { readonly limit: number; readonly key: ((payload: unknown) => string) | undefined } | undefined
}

/** A task as the runner sees it: everything encoded. */
export interface Registration {
  readonly name: string
  readonly queue: QueueName
  readonly timeoutMs: number | undefined
  /** ms after which an attempt that did not end is abandoned; undefined: some time after `timeoutMs`. */
  readonly hardTimeoutMs?: number | undefined
  /** Limits over all workers; undefined where the task has none. */
  readonly limits?: TaskLimits | undefined
  readonly retry: Retry
  readonly resultTtlMs: number
  readonly decode: (payload: unknown) => Result.Result<unknown, ReadonlyArray<Issue>>
  readonly encodeResult: (value: unknown) => Result.Result<unknown, ReadonlyArray<Issue>>
  /** A declared error as data; undefined where the schema does not know it. */
  readonly encodeError: (error: unknown) => Failure | undefined
  readonly run: (payload: unknown, job: JobContext) => Effect.Effect<unknown, unknown>
  readonly context: Context.Context<never>
  /** Set where the handler runs in threads; `run` then runs it in this one, for tests. */
  readonly thread?: ThreadTask
}

export class Registry extends Context.Service<
  Registry,
  {
    readonly tasks: ReadonlyMap<string, Registration>
    readonly add: (registration: Registration) => void
  }
>()("loglytics/jobs/Registry") {
  static readonly layer = Layer.sync(Registry, () => {
    const tasks = new Map<string, Registration>()
    return Registry.of({ tasks, add: (r) => void tasks.set(r.name, r) })
  })
}

/** What `jobFrom` needs of a task; every `Task` is one. */
export interface AnyTask {
  readonly name: string
  readonly queue: QueueName
  readonly timeout: Duration.Duration | undefined
  /** A job from encoded JSON data, told by path where it does not fit. */
  readonly jobFromJson: (payload: unknown) => Result.Result<Job<unknown>, PayloadInvalid>
}

/** The job that a name and JSON data from outside ask for. */
export const jobFrom = (
  tasks: Iterable<AnyTask>,
  name: string,
  payload: unknown
): Effect.Effect<Job<unknown>, UnknownTask | PayloadInvalid> => {
  for (const task of tasks) if (task.name === name) return Effect.fromResult(task.jobFromJson(payload))
  return Effect.fail(new UnknownTask({ task: name }))
}
