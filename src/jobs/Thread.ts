/**
 * Tasks that burn CPU and therefore run in a thread of their own: their options, and how a thread's failure is told.
 * Promises that everything which crosses over is JSON by the task's schemas. The threads themselves are the actors' matter.
 */
import { Effect, Result } from "effect"
import type { Failure, Issue } from "./Engine.ts"
import { handlerOf, type ThreadJob, type Thrown, thrownOf } from "./ThreadHandler.ts"

export interface ThreadOptions {
  /**
   * The file whose default export is the handler, `new URL("./hash.thread.ts", import.meta.url)`. Node loads it as it is, so
   * it must be a file that Node can run, and should import little: each thread loads it anew.
   */
  readonly module: URL
  /** Jobs of this task that run at once in one worker process; default as many as there are threads. */
  readonly concurrency?: number
  /** Jobs after which a thread is replaced by a new one; default 1,000. What leaks is bounded by it. */
  readonly maxTasksPerChild?: number
  /** Heap of one thread in MiB, at most; beyond it the job fails. A thread at three quarters of it is replaced after its job. */
  readonly memoryMb?: number
}

/** As many as there are threads. */
const unlimited = Number.MAX_SAFE_INTEGER
const maxTasksPerChild = 1_000

/** The options of a task in threads, completed. Throws where a limit is no whole number from 1 on. */
export const specOf = (task: string, options: ThreadOptions): ThreadSpec => {
  const whole = (name: keyof ThreadOptions, value: number): number => {
    if (Number.isInteger(value) && value >= 1) return value
    throw new Error(`${task}: expected ${name} to be a whole number from 1 on, got ${value}`)
  }
  return {
    task,
    module: options.module.href,
    concurrency: whole("concurrency", options.concurrency ?? unlimited),
    maxTasksPerChild: whole("maxTasksPerChild", options.maxTasksPerChild ?? maxTasksPerChild),
    memoryMb: options.memoryMb === undefined ? undefined : whole("memoryMb", options.memoryMb)
  }
}

/** A task in threads as the pool sees it. */
export interface ThreadSpec {
  readonly task: string
  readonly module: string
  readonly concurrency: number
  readonly maxTasksPerChild: number
  readonly memoryMb: number | undefined
}

/** What the registry keeps of a task in threads. */
export interface ThreadTask {
  readonly spec: ThreadSpec
  readonly encodePayload: (payload: unknown) => Result.Result<unknown, ReadonlyArray<Issue>>
  readonly decodeResult: (value: unknown) => Result.Result<unknown, ReadonlyArray<Issue>>
  /** What was thrown, as one of the task's declared errors where it is one. */
  readonly decodeError: (thrown: Thrown) => unknown
}

/** The handler in the thread failed with what its task does not declare. */
export class ThreadError extends Error {
  readonly failure: Failure
  readonly retryable: boolean
  constructor(failure: Failure, retryable = true) {
    super(failure.message)
    this.failure = failure
    this.retryable = retryable
  }
}

/** The thread ended under its job: it called `process.exit`, ran out of memory, or let an error escape. */
export class ThreadCrashed extends ThreadError {
  constructor(message: string) {
    super({ _tag: "ThreadCrashed", message })
  }
}

/** The error that a task in threads fails with: one that it declares, else a `ThreadError` with tag, message and stack. */
export const errorOf = (task: ThreadTask, thrown: Thrown): unknown =>
  task.decodeError(thrown) ??
  new ThreadError({ _tag: thrown.tag, message: thrown.message, stack: thrown.stack }, thrown.retryable)

/** Runs one encoded job somewhere: in a thread, or here. Fails with what was thrown, or a `ThreadCrashed`. */
export type Execute = (
  spec: ThreadSpec,
  payload: unknown,
  job: Omit<ThreadJob, "progress">,
  progress: (value: unknown) => void
) => Effect.Effect<unknown, { readonly thrown: Thrown } | ThreadCrashed>

/** Runs a job of a task in threads by means of `execute`, everything encoded on the way. */
export const run = (
  task: ThreadTask,
  payload: unknown,
  job: Omit<ThreadJob, "progress"> & { readonly progress: (value: unknown) => Effect.Effect<void> },
  execute: Execute
): Effect.Effect<unknown, unknown> => {
  const encoded = task.encodePayload(payload)
  if (Result.isFailure(encoded)) return Effect.die(new Error(`payload of ${task.spec.task} can't be encoded`))
  const { attempt, id, progress, task: name } = job
  return execute(task.spec, encoded.success, { id, attempt, task: name }, (value) =>
    Effect.runFork(progress(value))
  ).pipe(
    Effect.mapError((error) => (error instanceof ThreadCrashed ? error : errorOf(task, error.thrown))),
    Effect.flatMap((value) => {
      const result = task.decodeResult(value)
      if (Result.isSuccess(result)) return Effect.succeed(result.success)
      const message = result.failure.map((i) => `${i.path || "(all)"}: ${i.message}`).join("; ")
      return Effect.fail(new ThreadError({ _tag: "ResultInvalid", message, issues: result.failure }, false))
    })
  )
}

/** Runs the handler in this very thread, which it holds up: for tests without workers. */
export const here: Execute = (spec, payload, job, progress) =>
  Effect.tryPromise({
    try: async () => {
      const handler = handlerOf(spec.module, await import(spec.module))
      // Through text and back, as it would travel.
      return JSON.parse(JSON.stringify(await handler(payload, { ...job, progress })) ?? "null") as unknown
    },
    catch: (error) => ({ thrown: thrownOf(error) })
  })
