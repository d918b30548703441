/**
 * The door of the library: typed background jobs on Redis Streams. Everything a user of the engine needs is named here;
 * what is not named may change.
 *
 *     const Hello = Task.make("hello", { payload: { name: Schema.String }, result: Schema.String })
 *     const tasks = Hello.toLayer(Effect.succeed(({ name }) => Effect.succeed(`Hello, ${name}`)))
 *     const worker = Workers.layer().pipe(Layer.provide(tasks))
 *     const app = worker.pipe(Layer.provideMerge(layer({ url: "redis://127.0.0.1:6379" })))
 *     Hello.run({ name: "world" }).pipe(Effect.provide(app), Effect.runPromise)
 */
import { Layer, Redacted } from "effect"
import { Inspect } from "./streams/Inspect.ts"
import type { Limits } from "./streams/Limits.ts"
import { Redis } from "./streams/Redis.ts"
import { StreamsLive } from "./streams/Streams.ts"

export * as Task from "./jobs/Task.ts"
export * as Flow from "./jobs/Flow.ts"
export * as Retry from "./jobs/Retry.ts"
export type { Failing, Job, Step } from "./jobs/Job.ts"
export type { JobId, QueueName } from "./jobs/JobQueue.ts"
export { celeryState, type CeleryState, type JobState } from "./jobs/Outcome.ts"
export {
  type AwaitError,
  type AwaitOptions,
  AwaitTimedOut,
  BulkRefused,
  Engine,
  type EnqueueError,
  type EnqueueOptions,
  EngineUnavailable,
  JobCancelled,
  JobFailed,
  JobUnknown,
  PayloadInvalid,
  PayloadTooLarge,
  QueueFull,
  UnknownTask
} from "./jobs/Engine.ts"
export { type FlowRevoked, type GroupView } from "./streams/FlowStore.ts"
export { jobFrom } from "./jobs/Registry.ts"
export type { Rate, RateInput } from "./jobs/Rate.ts"
export { Control, NotAllowed, type Revoked } from "./streams/Control.ts"
export type { Ask, AskOptions, Asks, Consumers, Replies, Reply } from "./streams/Requests.ts"
export type { RevokedTask } from "./streams/Steering.ts"
export { type DeadLetter, DeadLetters, DeadLetterUnknown, UniqueKeyHeld } from "./streams/DeadLetters.ts"
export { Events, type JobRow } from "./streams/Events.ts"
export { Inspect }
export { type JobStatus, Results } from "./streams/Status.ts"
export * as Lanes from "./streams/Lanes.ts"
export { Redis, RedisError } from "./streams/Redis.ts"
export { StreamsLive } from "./streams/Streams.ts"
export * as Workers from "./actors/Supervisor.ts"
export * as Beat from "./schedules/Beat.ts"
export { type ScheduleRow, Schedules, type ScheduleView, type Spec as ScheduleSpec } from "./schedules/Schedules.ts"

export interface Options extends Partial<Limits> {
  /** `redis://` or `rediss://` URL. */
  readonly url: string | Redacted.Redacted
  /** First part of every key; default `lg`. */
  readonly namespace?: string
}

/** Only looks (`Inspect`): makes nothing in Redis, so a user without the right to write is enough. */
export const look = ({ namespace = "lg", url }: Pick<Options, "namespace" | "url">) =>
  Inspect.layer.pipe(
    Layer.provideMerge(Redis.layer({ url: typeof url === "string" ? Redacted.make(url) : url, namespace }))
  )

/** Everything but the workers and the beat: enqueue, wait, look, steer, listen. */
export const layer = ({ namespace = "lg", url, ...limits }: Options) =>
  StreamsLive(limits).pipe(
    Layer.provideMerge(Redis.layer({ url: typeof url === "string" ? Redacted.make(url) : url, namespace }))
  )
