/**
 * The port between those who ask for work and whatever carries it: Redis Streams in production, memory in tests. Promises
 * typed refusals; says nothing about delivery.
 */
import { Context, Data, type Duration, type Effect } from "effect"
import type { Job } from "./Job.ts"
import type { JobId, QueueName } from "./JobQueue.ts"
import type { Registration } from "./Registry.ts"

/** One fault in a payload, by path (`user.email`; empty for the whole). */
export interface Issue {
  readonly path: string
  readonly message: string
}

/** The queue holds as many jobs as it may. Try again after `retryAfterMs`. */
export class QueueFull extends Data.TaggedError("QueueFull")<{
  readonly queue: QueueName
  readonly limit: number
  readonly retryAfterMs: number
}> {
  readonly retryable = true
  override get message(): string {
    return `queue ${this.queue} is full (limit ${this.limit} jobs); try again in ${this.retryAfterMs} ms`
  }
}

/** The encoded payload is larger than a job may carry. */
export class PayloadTooLarge extends Data.TaggedError("PayloadTooLarge")<{
  readonly task: string
  readonly bytes: number
  readonly limit: number
}> {
  readonly retryable = false
  override get message(): string {
    return `payload of ${this.task} has ${this.bytes} bytes, expected at most ${this.limit}`
  }
}

/** The payload does not fit the task's schema (or the chosen id has characters that ids may not have). */
export class PayloadInvalid extends Data.TaggedError("PayloadInvalid")<{
  readonly task: string
  readonly issues: ReadonlyArray<Issue>
}> {
  readonly retryable = false
  override get message(): string {
    return `payload of ${this.task} is invalid: ${this.issues.map((i) => `${i.path || "(all)"}: ${i.message}`).join("; ")}`
  }
}

/** No task of that name is known here. */
export class UnknownTask extends Data.TaggedError("UnknownTask")<{ readonly task: string }> {
  readonly retryable = false
  override get message(): string {
    return `no task is named ${this.task}`
  }
}

/** The engine's store could not be reached or refused. */
export class EngineUnavailable extends Data.TaggedError("EngineUnavailable")<{
  readonly op: string
  readonly cause: unknown
}> {
  readonly retryable = true
  override get message(): string {
    return `the job engine is unavailable (${this.op}): ${this.cause instanceof Error ? this.cause.message : String(this.cause)}`
  }
}

export type EnqueueError = QueueFull | PayloadTooLarge | PayloadInvalid | UnknownTask | EngineUnavailable

/** Some of many jobs were refused. The others are in: their ids are in `ids`, undefined where a job was refused. */
export class BulkRefused extends Data.TaggedError("BulkRefused")<{
  /** By the place of the job. */
  readonly ids: ReadonlyArray<JobId | undefined>
  readonly refused: ReadonlyArray<{ readonly index: number; readonly error: EnqueueError }>
}> {
  get retryable(): boolean {
    return this.refused.every((r) => r.error.retryable)
  }
  override get message(): string {
    const first = this.refused[0]
    return `${this.refused.length} of ${this.ids.length} jobs were refused, the others are in; job ${first?.index}: ${first?.error.message}`
  }
}

/** What is kept of a failure: a declared error as its schema encodes it, else one of ours with `_tag` and `message`. */
export interface Failure {
  readonly _tag: string
  readonly message?: string
  readonly [key: string]: unknown
}

/** The awaited job gave up (or died of a defect, a time limit, a payload that does not fit …). */
export class JobFailed extends Data.TaggedError("JobFailed")<{ readonly id: string; readonly error: Failure }> {
  readonly retryable = false
  override get message(): string {
    return `job ${this.id} failed: ${this.error._tag}${this.error.message === undefined ? "" : `: ${this.error.message}`}`
  }
}

/** The awaited job was cancelled, by its own word or from outside. */
export class JobCancelled extends Data.TaggedError("JobCancelled")<{ readonly id: string; readonly reason: string }> {
  readonly retryable = false
  override get message(): string {
    return `job ${this.id} was cancelled: ${this.reason}`
  }
}

/** No job of that id is known: never enqueued, or its result has expired. */
export class JobUnknown extends Data.TaggedError("JobUnknown")<{ readonly id: string }> {
  readonly retryable = false
  override get message(): string {
    return `no job has the id ${this.id}, or its result has expired`
  }
}

/** The job had not ended when the wait was over. It goes on; one may wait again. */
export class AwaitTimedOut extends Data.TaggedError("AwaitTimedOut")<{
  readonly id: string
  readonly timeoutMs: number
}> {
  readonly retryable = true
  override get message(): string {
    return `job ${this.id} had not ended after ${this.timeoutMs} ms`
  }
}

export type AwaitError = JobFailed | JobCancelled | JobUnknown | AwaitTimedOut | EngineUnavailable

export interface EnqueueOptions {
  /** Run no sooner than this from now. */
  readonly delay?: Duration.Input | undefined
  /** Run no sooner than this (a `Date` or epoch ms); goes before `delay`. A time that has passed means at once. */
  readonly eta?: Date | number | undefined
  /** Another queue than the task's own. */
  readonly queue?: QueueName | undefined
  /** An id of the caller's choice, unique per queue: a second enqueue of a known id adds nothing and returns the known id. */
  readonly id?: string | undefined
  /** Do not start later than this (from now, or a `Date`), be it the first try or a retry: the job is cancelled instead. */
  readonly expires?: Duration.Input | Date | undefined
  /**
   * Whom the job is for, a tenant say. Jobs with a key wait in a lane per key, and the lanes take turns, so that one with
   * very many jobs does not delay the others. 1-100 of `A-Z a-z 0-9 _ . : @ / + -`.
   */
  readonly key?: string | undefined
  /** Retries of this job instead of its task's (0 or more, Infinity = for ever). */
  readonly retries?: number | undefined
  /** How long one attempt of this job may run, instead of its task's limit. */
  readonly timeout?: Duration.Input | undefined
  /** Keep nothing of this job once it is done or cancelled, whatever its task says. */
  readonly ignoreResult?: boolean | undefined
}

export interface AwaitOptions {
  /** How long to wait, then `AwaitTimedOut`; default without limit. */
  readonly timeout?: Duration.Input | undefined
}

/** What became of an enqueue. `duplicate`: the id (or the task's `unique` key) was known, nothing was added. */
export interface Enqueued {
  readonly id: JobId
  readonly duplicate: boolean
  /** The job whose place this one took (`unique` with replace or debounce); `id` itself where it took its payload over. */
  readonly replaced?: JobId
}

export class Engine extends Context.Service<
  Engine,
  {
    /** Adds a job and returns its id (of a chain: the id of its last job, as its result is the chain's). */
    readonly enqueue: (job: Job<unknown>, options?: EnqueueOptions) => Effect.Effect<JobId, EnqueueError>
    /** As `enqueue`, and tells whether the job was known already. */
    readonly offer: (job: Job<unknown>, options?: EnqueueOptions) => Effect.Effect<Enqueued, EnqueueError>
    /** Adds many in few round trips; ids in the order of the jobs. `BulkRefused` tells which are in where some are not. */
    readonly enqueueAll: (
      jobs: ReadonlyArray<Job<unknown>>,
      options?: EnqueueOptions
    ) => Effect.Effect<ReadonlyArray<JobId>, BulkRefused>
    /** Waits for the end of a job without polling; its result as encoded JSON data (null where it was to be ignored). */
    readonly await: (id: string, options?: AwaitOptions) => Effect.Effect<unknown, AwaitError>
    /** Makes a task known to this process; `Task.toLayer` calls it. */
    readonly register: (registration: Registration) => Effect.Effect<void>
  }
>()("loglytics/jobs/Engine") {}
