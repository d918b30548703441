/**
 * The language of tasks: a definition with a name, and what one may do with it. Promises that payload, result and error are
 * typed at both ends and encoded in between; where and when a job runs is left to the engine behind the port.
 */
import { Context, Duration, Effect, Layer, Result, Schema } from "effect"
import { codecOf, partialCodec } from "./Codec.ts"
import {
  type AwaitError,
  Engine,
  type EnqueueError,
  type EnqueueOptions,
  type Failure,
  JobFailed,
  PayloadInvalid
} from "./Engine.ts"
import * as Job from "./Job.ts"
import { type JobId, type QueueName, queues } from "./JobQueue.ts"
import { Cancelled, type Signal, Snoozed } from "./Outcome.ts"
import type { AnyTask, JobContext, Registration, TaskLimits } from "./Registry.ts"
import * as Rate from "./Rate.ts"
import * as Retry from "./Retry.ts"
import * as Thread from "./Thread.ts"
import { type Unique, uniquenessOf } from "./Unique.ts"

export type { AnyTask, JobContext } from "./Registry.ts"
export type { ThreadOptions } from "./Thread.ts"
export type { Unique } from "./Unique.ts"
export type { ThreadHandler, ThreadJob } from "./ThreadHandler.ts"

type Fields = Schema.Struct.Fields
type Payload<P extends Fields> = Schema.Struct.Type<P>
type Handler<P extends Fields, R, E, X> = (payload: Payload<P>, job: JobContext) => Effect.Effect<R, E | Signal, X>

export interface Task<Name extends string, P extends Fields, R, E> extends Job.Target<P, R>, AnyTask {
  readonly name: Name
  readonly payload: Schema.Struct<P>
  readonly retry: Retry.Retry
  /** This task's job as data, for chains, groups and schedules. */
  readonly job: (payload: Payload<P>) => Job.Job<R>
  /** Adds a job; its id comes back at once. */
  readonly enqueue: (payload: Payload<P>, options?: EnqueueOptions) => Effect.Effect<JobId, EnqueueError, Engine>
  /** Adds a job and waits: its result, or its declared error, typed. */
  readonly run: (
    payload: Payload<P>,
    options?: EnqueueOptions
  ) => Effect.Effect<R, E | EnqueueError | AwaitError, Engine>
  /** Makes the task runnable: `build` is run once and gives the handler; its services are those of the layer. */
  readonly toLayer: <RX, RB = never, EB = never>(
    build: Effect.Effect<Handler<P, R, E, RX>, EB, RB>
  ) => Layer.Layer<never, EB, RB | RX | Engine>
  /**
   * Makes the task runnable in worker threads, for work that burns CPU: the module's default export is its handler
   * (`ThreadHandler<typeof ThisTask>`). A time limit, a revoke or a crash ends the thread for good.
   */
  readonly inThreads: (options: Thread.ThreadOptions) => Layer.Layer<never, never, Engine>
}

export interface Options<P extends Fields, R extends Schema.Top, E extends Schema.Top> {
  readonly payload: P
  /** Default: no result. */
  readonly result?: R
  /** Errors a handler may fail with; default none. An error with `retryable: false` is not tried again. */
  readonly error?: E
  readonly queue?: QueueName
  /** How long one attempt may run: then it is interrupted, and its finalizers run. Default without limit. */
  readonly timeout?: Duration.Input
  /**
   * How long until an attempt that does not end is abandoned: the job goes on as timed out, the fiber is left to itself and
   * reported. Default: 10 s after `timeout`.
   */
  readonly hardTimeout?: Duration.Input
  /** How often jobs may start, over all workers: "10/s", "600/m", "100/h" or a number per second; for each value of `key`. */
  readonly rateLimit?:
    | Rate.RateInput
    | { readonly limit: Rate.RateInput; readonly key: (payload: Payload<P>) => string }
  /** How many jobs may run at the same time, over all workers; for each value of `key`. */
  readonly concurrency?: number | { readonly limit: number; readonly key: (payload: Payload<P>) => string }
  /** Default: 3 retries, base 60 s. */
  readonly retry?: Retry.Retry
  /**
   * Jobs with the same key are one job. A function: while a job with the key is unfinished, enqueue adds nothing and returns
   * that job's id. For windows, replacing and debouncing see `Unique`.
   */
  readonly unique?: ((payload: Payload<P>) => string) | Unique<P>
  /** Keep nothing of a job that is done or cancelled; `run` then gives no result. Default false. */
  readonly ignoreResult?: boolean
  /** How long the result is kept, 15 s at least: until then the enqueue may be repeated by the driver. Default 1 day. */
  readonly resultTtl?: Duration.Input
}

/** A command without an answer fails after 10 s; until it has, the driver may send it again, and the job must be known. */
const ttlMinMs = 15_000
/** Redis takes whole ms and no Infinity: 100 years are for ever. */
const ttlMaxMs = 3_155_760_000_000
const namePattern = /^[a-z][\w.-]{0,99}$/u

/** Defines a task. `name` is its name on the wire: lower case, stable. */
export const make = <
  const Name extends string,
  const P extends Fields,
  R extends Schema.Top = typeof Schema.Void,
  E extends Schema.Top = typeof Schema.Never
>(
  name: Name,
  options: Options<P, R, E>
): Task<Name, P, R["Type"], E["Type"]> => {
  if (!namePattern.test(name)) throw new Error(`expected a task name like "clean_up", got ${JSON.stringify(name)}`)
  const payload = Schema.Struct(options.payload)
  const codec = codecOf(payload)
  const result = codecOf(options.result ?? Schema.Void)
  const error = options.error === undefined ? undefined : codecOf(options.error)
  const queue = options.queue ?? "default"
  if (!queues.includes(queue)) throw new Error(`task ${name}: expected a queue of ${queues.join(", ")}, got ${queue}`)
  const retry = options.retry ?? Retry.standard
  const timeout = options.timeout === undefined ? undefined : Duration.fromInputUnsafe(options.timeout)
  const resultTtlMs = Math.min(
    ttlMaxMs,
    Math.max(ttlMinMs, Math.ceil(Duration.toMillis(Duration.fromInputUnsafe(options.resultTtl ?? "1 day"))))
  )
  const partial = partialCodec(options.payload)
  const unique: Unique<P> | undefined = typeof options.unique === "function" ? { key: options.unique } : options.unique
  const uniqueness = unique === undefined ? undefined : uniquenessOf(name, unique)

  const jobOf = (p: Payload<P>, encoded: Job.Encoded): Job.Job<R["Type"]> =>
    Job.make({
      task: name,
      queue,
      payload: encoded,
      unique: unique === undefined || Result.isFailure(encoded) ? undefined : unique.key(p),
      uniqueness,
      ignoreResult: options.ignoreResult
    })
  const job = (p: Payload<P>): Job.Job<R["Type"]> => jobOf(p, codec.encode(p))
  const encodeError = (e: unknown): Failure | undefined => {
    const encoded = error?.encode(e)
    return encoded !== undefined && Result.isSuccess(encoded) ? failureOf(e, encoded.success) : undefined
  }
  const ignores = (o: EnqueueOptions | undefined) => (o?.ignoreResult ?? options.ignoreResult) === true
  const awaited = (engine: Engine["Service"], id: JobId, o: EnqueueOptions | undefined) =>
    // A job that keeps nothing is unknown once it has ended; it may have done so before anybody waited.
    ignores(o) ? Effect.catchTag(engine.await(id), "JobUnknown", () => Effect.succeed(null)) : engine.await(id)
  const decodeFailure = (failed: JobFailed): Effect.Effect<never, E["Type"] | JobFailed> => {
    const decoded = error?.decode("value" in failed.error ? failed.error["value"] : undefined)
    return Effect.fail(decoded !== undefined && Result.isSuccess(decoded) ? (decoded.success as E["Type"]) : failed)
  }
  const registration = {
    name,
    queue,
    timeoutMs: timeout === undefined ? undefined : Duration.toMillis(timeout),
    hardTimeoutMs:
      options.hardTimeout === undefined ? undefined : Duration.toMillis(Duration.fromInputUnsafe(options.hardTimeout)),
    limits: limitsOf(name, options.rateLimit, options.concurrency),
    retry,
    resultTtlMs,
    decode: codec.decode,
    encodeResult: result.encode,
    encodeError
  }
  return {
    name,
    queue,
    payload,
    retry,
    timeout,
    limited: registration.limits !== undefined,
    job,
    encodePart: partial,
    jobFromJson: (json) => {
      const decoded = codec.decode(json)
      return Result.isFailure(decoded)
        ? Result.fail(new PayloadInvalid({ task: name, issues: decoded.failure }))
        : Result.succeed(job(decoded.success as Payload<P>))
    },
    enqueue: (p, o) => Engine.use((engine) => engine.enqueue(job(p), o)),
    run: (p, o) =>
      Engine.use((engine) =>
        Effect.flatMap(engine.enqueue(job(p), o), (id) =>
          Effect.flatMap(Effect.catchTag(awaited(engine, id, o), "JobFailed", decodeFailure), (value) => {
            if (ignores(o)) return Effect.succeed(undefined)
            const decoded = result.decode(value)
            return Result.isSuccess(decoded)
              ? Effect.succeed(decoded.success)
              : Effect.fail(new JobFailed({ id, error: { _tag: "ResultInvalid", issues: decoded.failure } }))
          })
        )
      ),
    toLayer: <RX, RB, EB>(build: Effect.Effect<Handler<P, R["Type"], E["Type"], RX>, EB, RB>) =>
      Layer.effectDiscard(
        Effect.gen(function* () {
          const engine = yield* Engine
          const run = yield* build
          const context = yield* Effect.context<RX>()
          // The context below holds all that the handler asks for.
          yield* engine.register({ ...registration, run: run as Registration["run"], context })
        })
      ),
    inThreads: (threads) => {
      const thread: Thread.ThreadTask = {
        spec: Thread.specOf(name, threads),
        encodePayload: codec.encode,
        decodeResult: result.decode,
        decodeError: ({ value }) => {
          const decoded = error?.decode(value)
          return decoded !== undefined && Result.isSuccess(decoded) ? decoded.success : undefined
        }
      }
      return Layer.effectDiscard(
        Effect.flatMap(Engine, (engine) =>
          engine.register({
            ...registration,
            encodeError: (e) => (e instanceof Thread.ThreadError ? e.failure : encodeError(e)),
            run: (p, held) => Thread.run(thread, p, held, Thread.here),
            context: Context.empty(),
            thread
          })
        )
      )
    }
  }
}

type Keyed<L> = L | { readonly limit: L; readonly key: (payload: never) => string }

/** The limits of a task, checked. */
const limitsOf = (
  name: string,
  rate: Keyed<Rate.RateInput> | undefined,
  concurrency: Keyed<number> | undefined
): TaskLimits | undefined => {
  if (rate === undefined && concurrency === undefined) return undefined
  const split = <L>(option: Keyed<L>) => {
    const keyed = typeof option === "object" && option !== null && "limit" in option
    // The payload has been decoded by the task's own schema when the key is asked for.
    return keyed
      ? { limit: option.limit, key: option.key as (payload: unknown) => string }
      : { limit: option, key: undefined }
  }
  const paced = rate === undefined ? undefined : split(rate)
  const permits = concurrency === undefined ? undefined : split(concurrency)
  if (permits !== undefined && !(Number.isInteger(permits.limit) && permits.limit >= 1)) {
    throw new Error(`task ${name}: expected a concurrency of at least 1, got ${permits.limit}`)
  }
  return { rate: paced === undefined ? undefined : { ...paced, limit: Rate.make(paced.limit) }, concurrency: permits }
}

/** Said by a handler: not now, again after `wait`. Counts as no attempt. */
export const snooze = (wait: Duration.Input): Effect.Effect<never, Snoozed> =>
  Effect.fail(new Snoozed({ wait: Duration.fromInputUnsafe(wait) }))

/** Said by a handler: there is nothing left to do; the job ends as cancelled. */
export const cancel = (reason: string): Effect.Effect<never, Cancelled> => Effect.fail(new Cancelled({ reason }))

/** A declared error as it is kept: its tag and message to be read by people, its encoded value to be decoded by `run`. */
const failureOf = (error: unknown, value: unknown): Failure => {
  const tagged = typeof error === "object" && error !== null ? (error as { _tag?: unknown; message?: unknown }) : {}
  return {
    _tag: typeof tagged._tag === "string" ? tagged._tag : "Error",
    message: typeof tagged.message === "string" ? tagged.message : String(error),
    value
  }
}
