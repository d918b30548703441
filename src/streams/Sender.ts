/**
 * The engine's port on Redis Streams, client side. Promises that single enqueues of one turn of the event loop travel in
 * one script per queue, and that an id is only told once its job is stored.
 */
import { Duration, Effect, Result } from "effect"
import {
  Engine,
  type Enqueued,
  type EnqueueError,
  type EnqueueOptions,
  PayloadInvalid,
  PayloadTooLarge
} from "../jobs/Engine.ts"
import type { Job } from "../jobs/Job.ts"
import { chosenId, freshId, type JobId, type QueueName, queues } from "../jobs/JobQueue.ts"
import { type Entry, plan } from "../jobs/Plan.ts"
import type { Registry } from "../jobs/Registry.ts"
import * as Events from "./Events.ts"
import * as Flows from "./Flows.ts"
import * as JobQueues from "./JobQueues.ts"
import { keysOf } from "./Keys.ts"
import * as Limits from "./Limits.ts"
import type { Client } from "./Redis.ts"
import type { Waiters } from "./Results.ts"

type Settle = (result: Result.Result<Enqueued, EnqueueError>) => void
interface Pending {
  readonly addition: JobQueues.Addition
  readonly settle: Settle
}

/** Most rows of one flush that are announced as queued; a burst is known by its queue's length anyway. */
const announcedMax = 100
const bytesPerScript = 262_144

export class Sender {
  private readonly client: Client
  private readonly namespace: string
  readonly limits: Limits.Limits
  private readonly pending = new Map<QueueName, Array<Pending>>(queues.map((q) => [q, []]))
  private scheduled = false

  constructor(client: Client, namespace: string, limits: Limits.Limits) {
    this.client = client
    this.namespace = namespace
    this.limits = limits
  }

  /** Plans a job and sends it. `settle` is called once, with the id that the caller waits for. */
  send(job: Job<unknown>, options: EnqueueOptions | undefined, settle: Settle): void {
    const now = Date.now()
    if (job.next === undefined && job.members === undefined) return this.sendOne(job, options, now, settle)
    this.sendPlan(job, options, now).then(settle, (cause: unknown) =>
      settle(Result.fail(Limits.refusal(job.queue, this.limits, "enqueue", cause)))
    )
  }

  private sendOne(job: Job<unknown>, options: EnqueueOptions | undefined, now: number, settle: Settle): void {
    if (Result.isFailure(job.payload)) {
      return settle(Result.fail(new PayloadInvalid({ task: job.task, issues: job.payload.failure })))
    }
    const queue = options?.queue ?? job.queue
    const id = idFor(queue, options, now)
    if (id === undefined) return settle(Result.fail(badId(job.task)))
    const payload = JSON.stringify(job.payload.success) ?? "null"
    const tooLarge = this.tooLarge(job.task, payload)
    if (tooLarge !== undefined) return settle(Result.fail(tooLarge))
    const delayMs = options?.delay === undefined ? undefined : millis(options.delay)
    const unique = job.unique === undefined ? undefined : `${job.task}:${job.unique}`
    let meta = ""
    if (unique !== undefined || delayMs !== undefined || options?.expires !== undefined) {
      meta = JSON.stringify({
        ...(delayMs === undefined ? {} : { t: now }),
        ...(options?.expires === undefined ? {} : { x: now + millis(options.expires) }),
        ...(unique === undefined ? {} : { u: unique })
      })
    }
    const check = unique !== undefined ? `u${unique}` : options?.id !== undefined ? "c" : ""
    this.push(queue, { addition: { id, task: job.task, payload, meta, delayMs, check }, settle })
  }

  private async sendPlan(
    job: Job<unknown>,
    options: EnqueueOptions | undefined,
    now: number
  ): Promise<Result.Result<Enqueued, EnqueueError>> {
    const last = lastOf(job)
    const chosen = options?.id === undefined ? undefined : idFor(last, options, now)
    if (options?.id !== undefined && chosen === undefined) return Result.fail(badId(job.task))
    const planned = plan(job, {
      now,
      maxPayloadBytes: this.limits.maxPayloadBytes,
      id: chosen,
      queue: options?.queue,
      expiresAt: options?.expires === undefined ? undefined : now + millis(options.expires)
    })
    if (Result.isFailure(planned)) return Result.fail(planned.failure)
    const { heads, id } = planned.success
    await Flows.prepare(this.client, keysOf(this.namespace), planned.success)
    const delayMs = options?.delay === undefined ? undefined : millis(options.delay)
    const ends = await Promise.all(heads.map((head) => this.sendEntry(head, delayMs, now)))
    const refused = ends.find((r) => Result.isFailure(r))
    if (refused !== undefined) return refused
    const duplicate = ends.length > 0 && ends.every((r) => Result.isSuccess(r) && r.success.duplicate)
    // A unique head that is held by another job: that job's id is the only one the caller can wait for.
    const held = heads.length === 1 ? ends[0] : undefined
    if (duplicate && held !== undefined && Result.isSuccess(held) && held.success.id !== heads[0]?.id) return held
    return Result.succeed({ id, duplicate })
  }

  private sendEntry(entry: Entry, delayMs: number | undefined, now: number) {
    const meta = delayMs === undefined ? entry.meta : { ...entry.meta, t: now }
    const unique = entry.meta?.u
    return new Promise<Result.Result<Enqueued, EnqueueError>>((settle) =>
      this.push(entry.queue, {
        addition: {
          id: entry.id,
          task: entry.task,
          payload: JSON.stringify(entry.payload) ?? "null",
          meta: meta === undefined ? "" : JSON.stringify(meta),
          delayMs,
          check: unique === undefined ? "c" : `u${unique}`
        },
        settle
      })
    )
  }

  private tooLarge(task: string, payload: string): PayloadTooLarge | undefined {
    const limit = this.limits.maxPayloadBytes
    if (payload.length * 3 <= limit) return undefined
    const bytes = Buffer.byteLength(payload)
    return bytes > limit ? new PayloadTooLarge({ task, bytes, limit }) : undefined
  }

  private push(queue: QueueName, pending: Pending): void {
    this.pending.get(queue)?.push(pending)
    if (this.scheduled) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      for (const name of queues) {
        const all = this.pending.get(name) ?? []
        if (all.length === 0) continue
        this.pending.set(name, [])
        for (const batch of batches(all)) void this.flush(name, batch)
      }
    })
  }

  private async flush(queue: QueueName, batch: ReadonlyArray<Pending>): Promise<void> {
    const keys = keysOf(this.namespace)
    try {
      const control = keys.control
      const jobs = batch.map((p) => p.addition)
      const added = await JobQueues.add(this.client, keys.queue(queue), control, this.limits.maxQueued, jobs)
      const now = Date.now()
      const rows: Array<Events.PackedRow> = []
      added.forEach((what, i) => {
        const { addition, settle } = batch[i] as Pending
        if (what === "full") settle(Result.fail(Limits.full(queue, this.limits)))
        else if (what === "added") {
          if (rows.length < announcedMax) {
            rows.push([
              addition.id,
              addition.task,
              addition.delayMs === undefined ? "queued" : "scheduled",
              0,
              now,
              null,
              null
            ])
          }
          settle(Result.succeed({ id: addition.id, duplicate: false }))
        } else settle(Result.succeed({ id: what.known, duplicate: true }))
      })
      // Events are for the eye: a lost one must not make an enqueue fail that has succeeded.
      Events.emit(this.client, this.namespace, rows).catch(() => {})
    } catch (cause) {
      const error = Limits.refusal(queue, this.limits, "enqueue", cause)
      for (const p of batch) p.settle(Result.fail(error))
    }
  }
}

/** Batches bounded in number and bytes, so that no script holds Redis for long. */
const batches = (all: ReadonlyArray<Pending>): ReadonlyArray<ReadonlyArray<Pending>> => {
  const out: Array<Array<Pending>> = []
  let batch: Array<Pending> = []
  let bytes = 0
  for (const p of all) {
    if (batch.length >= JobQueues.scriptMax || (bytes > bytesPerScript && batch.length > 0)) {
      out.push(batch)
      batch = []
      bytes = 0
    }
    batch.push(p)
    bytes += p.addition.payload.length
  }
  if (batch.length > 0) out.push(batch)
  return out
}

const millis = (input: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(input))

const idFor = (queue: QueueName, options: EnqueueOptions | undefined, now: number): JobId | undefined =>
  options?.id === undefined ? freshId(queue, now) : chosenId(queue, options.id)

const lastOf = (job: Job<unknown>): QueueName => {
  let j = job
  while (j.next !== undefined) j = j.next
  return j.queue
}

const badId = (task: string) =>
  new PayloadInvalid({
    task,
    issues: [{ path: "options.id", message: "expected 1-200 of A-Z a-z 0-9 _ . : @ / + -" }]
  })

/** The port, over a sender and those who wait. */
export const engine = (sender: Sender, waiters: Waiters, registry: Registry["Service"]): Engine["Service"] => {
  const offer = (job: Job<unknown>, options?: EnqueueOptions) =>
    Effect.callback<Enqueued, EnqueueError>((resume) => {
      sender.send(job, options, (r) => resume(Result.isSuccess(r) ? Effect.succeed(r.success) : Effect.fail(r.failure)))
    })
  return Engine.of({
    offer,
    enqueue: (job, options) => Effect.map(offer(job, options), (e) => e.id),
    enqueueAll: (jobs, options) =>
      Effect.callback<ReadonlyArray<JobId>, EnqueueError>((resume) => {
        if (jobs.length === 0) return resume(Effect.succeed([]))
        const ids: Array<JobId> = Array.from({ length: jobs.length })
        let left = jobs.length
        let failure: EnqueueError | undefined
        jobs.forEach((job, i) =>
          sender.send(job, options, (r) => {
            if (Result.isSuccess(r)) ids[i] = r.success.id
            else failure ??= r.failure
            if (--left === 0) resume(failure === undefined ? Effect.succeed(ids) : Effect.fail(failure))
          })
        )
      }),
    await: (id) => waiters.await(id),
    register: (registration) => Effect.sync(() => registry.add(registration))
  })
}
