/**
 * The engine's port on Redis Streams: enqueue, wait, register. Promises that a job carries what its caller's fiber says (trace
 * and parent job); how it travels is the sender's matter, how one waits that of `Results`.
 */
import { Effect, type Fiber, Result } from "effect"
import * as Calling from "../jobs/Calling.ts"
import { BulkRefused, Engine, type Enqueued, type EnqueueError, type EnqueueOptions } from "../jobs/Engine.ts"
import type { Job } from "../jobs/Job.ts"
import type { JobId } from "../jobs/JobQueue.ts"
import type { Registry } from "../jobs/Registry.ts"
import * as Trace from "../jobs/Trace.ts"
import type { Waiters } from "./Results.ts"
import type { Sender, SendOptions } from "./Sender.ts"

/** The caller's options, with what its fiber says of where it stands. */
const standing = (
  fiber: Fiber.Fiber<unknown, unknown>,
  options: EnqueueOptions | undefined,
  traceparent: string | undefined
): SendOptions | undefined => {
  const parent = fiber.getRef(Calling.CurrentJob)
  return traceparent === undefined && parent === undefined ? options : { ...options, traceparent, parent }
}

/** The port, over a sender and those who wait. */
export const engine = (sender: Sender, waiters: Waiters, registry: Registry["Service"]): Engine["Service"] => {
  /** Sends a job and tells what `pick` takes of the answer. */
  const send = <A>(job: Job<unknown>, options: EnqueueOptions | undefined, pick: (enqueued: Enqueued) => A) =>
    Trace.producing({ task: job.task, queue: options?.queue ?? job.queue }, (traceparent, fiber) =>
      Effect.callback<A, EnqueueError>((resume) => {
        sender.send(job, standing(fiber, options, traceparent), (r) =>
          resume(Result.isSuccess(r) ? Effect.succeed(pick(r.success)) : Effect.fail(r.failure))
        )
      })
    )
  const all = (jobs: ReadonlyArray<Job<unknown>>, options: SendOptions | undefined) =>
    Effect.callback<ReadonlyArray<JobId>, BulkRefused>((resume) => {
      if (jobs.length === 0) return resume(Effect.succeed([]))
      const ids: Array<JobId | undefined> = Array.from({ length: jobs.length })
      const refused: Array<{ readonly index: number; readonly error: EnqueueError }> = []
      let left = jobs.length
      jobs.forEach((job, index) =>
        sender.send(job, options, (r) => {
          if (Result.isSuccess(r)) ids[index] = r.success.id
          else refused.push({ index, error: r.failure })
          if (--left > 0) return
          refused.sort((a, b) => a.index - b.index)
          resume(
            refused.length === 0 ? Effect.succeed(ids as Array<JobId>) : Effect.fail(new BulkRefused({ ids, refused }))
          )
        })
      )
    })
  return Engine.of({
    offer: (job, options) => send(job, options, (enqueued) => enqueued),
    enqueue: (job, options) => send(job, options, (enqueued) => enqueued.id),
    enqueueAll: (jobs, options) =>
      Trace.producing({ task: jobs[0]?.task ?? "nothing", queue: options?.queue ?? "default" }, (traceparent, fiber) =>
        all(jobs, standing(fiber, options, traceparent))
      ),
    await: (id, options) => waiters.await(id, options?.timeout),
    register: (registration) => Effect.sync(() => registry.add(registration))
  })
}
