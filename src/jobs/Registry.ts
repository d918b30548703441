/**
 * The tasks that this process can run, by name. Promises look-up only: a name maps to how its payload is decoded, its
 * handler run and its outcome encoded. Running it is the matter of the actors.
 */
import { Context, type Duration, Effect, Layer, Result } from "effect"
import { type Failure, type Issue, PayloadInvalid, UnknownTask } from "./Engine.ts"
import type { Job } from "./Job.ts"
import type { QueueName } from "./JobQueue.ts"
import type { Retry } from "./Retry.ts"

/** What a handler knows of its job. */
export interface JobContext {
  readonly id: string
  /** 1 for the first run. */
  readonly attempt: number
  readonly task: string
  /** Keeps a JSON value with the job that anyone may look at while it runs (at most 64 KB). */
  readonly progress: (value: unknown) => Effect.Effect<void>
}

/** A task as the runner sees it: everything encoded. */
export interface Registration {
  readonly name: string
  readonly queue: QueueName
  readonly timeoutMs: number | undefined
  readonly retry: Retry
  readonly resultTtlMs: number
  readonly decode: (payload: unknown) => Result.Result<unknown, ReadonlyArray<Issue>>
  readonly encodeResult: (value: unknown) => Result.Result<unknown, ReadonlyArray<Issue>>
  /** A declared error as data; undefined where the schema does not know it. */
  readonly encodeError: (error: unknown) => Failure | undefined
  readonly run: (payload: unknown, job: JobContext) => Effect.Effect<unknown, unknown>
  readonly context: Context.Context<never>
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
