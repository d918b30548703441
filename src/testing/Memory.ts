/**
 * The engine in memory. Promises the real encoding of payloads, results and errors, and real plans, retries, delays, unique
 * keys and flows, on Effect's clock. One worker that runs one job after the other; nothing outlives it.
 */
import { Clock, Deferred, Duration, Effect, Result } from "effect"
import type { Blame } from "../jobs/Blame.ts"
import * as Calling from "../jobs/Calling.ts"
import {
  type AwaitError,
  AwaitTimedOut,
  BulkRefused,
  Engine,
  type Enqueued,
  type EnqueueError,
  type EnqueueOptions,
  type Failure,
  JobCancelled,
  JobFailed,
  JobUnknown,
  PayloadInvalid
} from "../jobs/Engine.ts"
import type { Job } from "../jobs/Job.ts"
import { chosenId, freshId, type JobId } from "../jobs/JobQueue.ts"
import * as Mapped from "../jobs/Mapped.ts"
import * as Outcome from "../jobs/Outcome.ts"
import { type Entry, plan } from "../jobs/Plan.ts"
import type { Registration } from "../jobs/Registry.ts"
import { attempt, type Ended } from "./Attempt.ts"
import * as Fate from "./Fate.ts"
import { Flows } from "./Flows.ts"
import { Jobs, type Kept } from "./Kept.ts"
import { Uniques } from "./Uniques.ts"

/** What a drain has done, in jobs. */
export interface Drained {
  /** Ended with a result. */
  readonly done: number
  /** Given up or cancelled. */
  readonly failed: number
  /** Failed and to be tried again. */
  readonly retried: number
}
type Counts = { -readonly [K in keyof Drained]: Drained[K] }

const maxPayloadBytes = 1_048_576
const turnsMax = 100_000
/** After so long a job whose worker is lost starts again. */
const leaseMs = 5_000

export class Memory {
  readonly jobs = new Jobs()
  readonly handlers = new Map<string, Registration>()
  /** What befalls the coming runs of a task, by its name. */
  readonly fates = new Map<string, Array<Fate.Fate>>()
  /** In [0, 1). */
  readonly draw: () => number
  private readonly flows = new Flows(this.jobs)
  private readonly uniques = new Uniques(this.jobs)

  constructor(draw: () => number) {
    this.draw = draw
  }

  engine(): Engine["Service"] {
    const offer = (job: Job<unknown>, options?: EnqueueOptions) => this.offer(job, options)
    const enqueue = (job: Job<unknown>, options?: EnqueueOptions) => Effect.map(offer(job, options), (e) => e.id)
    return Engine.of({
      offer,
      enqueue,
      enqueueAll: (jobs, options) =>
        Effect.flatMap(
          Effect.forEach(jobs, (job) => Effect.result(enqueue(job, options))),
          (all) => {
            const refused = all.flatMap((r, index) => (Result.isFailure(r) ? [{ index, error: r.failure }] : []))
            const ids = all.map((r) => (Result.isSuccess(r) ? r.success : undefined))
            return refused.length > 0
              ? Effect.fail(new BulkRefused({ ids, refused }))
              : Effect.succeed(ids as Array<JobId>)
          }
        ),
      await: (id, o) => {
        const waiting = Effect.suspend(() => this.wait(id))
        if (o?.timeout === undefined) return waiting
        const timeoutMs = Duration.toMillis(Duration.fromInputUnsafe(o.timeout))
        const orElse = () => Effect.fail(new AwaitTimedOut({ id, timeoutMs }))
        return Effect.timeoutOrElse(waiting, { duration: timeoutMs, orElse })
      },
      register: (r) => Effect.sync(() => void this.handlers.set(r.name, r))
    })
  }

  /** Waits for a job; where nobody else drains, the waiting itself does. */
  private wait(id: string): Effect.Effect<unknown, AwaitError> {
    const kept = this.jobs.all.get(id)
    return kept === undefined
      ? Effect.fail(new JobUnknown({ id }))
      : Effect.andThen(this.drain(), Deferred.await(kept.ended))
  }

  private offer(job: Job<unknown>, options?: EnqueueOptions): Effect.Effect<Enqueued, EnqueueError> {
    return Effect.gen({ self: this }, function* () {
      const now = yield* Clock.currentTimeMillis
      const bad = (path: string, message: string) => new PayloadInvalid({ task: job.task, issues: [{ path, message }] })
      const queue = options?.queue ?? job.queue
      const alone = job.next === undefined && job.members === undefined && job.callbacks === undefined
      const chosen = options?.id === undefined ? undefined : chosenId(alone ? queue : lastOf(job), options.id)
      if (options?.id !== undefined && chosen === undefined) {
        return yield* bad("options.id", "expected 1-200 of A-Z a-z 0-9 _ . : @ / + -")
      }
      const read = Calling.read(options, yield* Calling.CurrentJob, now)
      if (Result.isFailure(read)) return yield* bad(read.failure.path, read.failure.message)
      const { expiresAt, ignoreResult, meta } = read.success
      // A job alone may be replaced or debounced; the plan of a flow refuses that.
      const id = chosen ?? freshId(alone ? queue : lastOf(job), now)
      const planned = plan(alone ? { ...job, uniqueness: undefined } : job, {
        now,
        maxPayloadBytes,
        id,
        queue: options?.queue,
        expiresAt,
        meta,
        ignoreResult
      })
      if (Result.isFailure(planned)) return yield* Effect.fail(planned.failure)
      const known = this.jobs.all.get(id)
      if (known !== undefined) return { id, duplicate: true }
      const { uniqueness } = job
      const delayMs = read.success.delayMs ?? (uniqueness?.mode === "debounce" ? (uniqueness.withinMs ?? 0) : 0)
      const { heads } = planned.success
      const first = heads[0]
      const key = job.unique === undefined ? undefined : `${job.task}:${job.unique}`
      if (heads.length !== 1 || first === undefined || key === undefined) {
        this.flows.prepare(planned.success, now)
        for (const entry of heads) this.add(entry, now, delayMs)
        return { id: planned.success.id, duplicate: false }
      }
      const decision = this.uniques.decide(key, uniqueness, first, now, delayMs)
      if (decision._tag === "Known") return { id: decision.id, duplicate: true }
      if (decision._tag === "Updated") return { id: decision.id, duplicate: false, replaced: decision.id }
      this.flows.prepare(planned.success, now)
      const due =
        uniqueness?.mode === "debounce" ? this.uniques.dueOf(uniqueness, decision.first, now, delayMs) - now : delayMs
      this.add(first, now, due)
      this.uniques.hold(key, uniqueness, first.id, now, decision.first)
      if (decision.displaced === undefined) return { id: planned.success.id, duplicate: false }
      const replaced = decision.displaced.entry.id
      yield* this.cancel(replaced, `replaced by ${first.id}`)
      return { id: planned.success.id, duplicate: false, replaced }
    })
  }

  private add(entry: Entry, now: number, delayMs: number): void {
    this.jobs.keep(entry, { state: delayMs > 0 ? "scheduled" : "queued", now, delayMs })
  }

  /** Runs all that is due, and what follows from it, until nothing is. */
  drain(): Effect.Effect<Drained> {
    return Effect.gen({ self: this }, function* () {
      const counts = { done: 0, failed: 0, retried: 0 }
      for (let i = 0; i < turnsMax; i++) {
        const kept = this.jobs.next(yield* Clock.currentTimeMillis)
        if (kept === undefined) return counts
        yield* this.run(kept, counts)
        yield* Effect.yieldNow
      }
      return yield* Effect.die(
        new Error(`drained ${turnsMax} jobs and there are more: do they enqueue each other for ever?`)
      )
    })
  }

  /** Runs one job once. */
  run(kept: Kept, counts: Counts): Effect.Effect<void> {
    return Effect.suspend(() => {
      kept.state = "running"
      kept.attempt++
      const task = Mapped.find(this.handlers, kept.entry.task)
      const fate = () => this.fates.get(kept.entry.task)?.shift() ?? Fate.pass
      return attempt(kept, task, fate, this.draw).pipe(
        Effect.provideService(Calling.CurrentJob, kept.entry.id),
        Effect.flatMap((ended) => this.finish(kept, ended)),
        Effect.map((what) => {
          if (what !== undefined) counts[what]++
        })
      )
    })
  }

  private finish(kept: Kept, ended: Ended): Effect.Effect<keyof Drained | undefined> {
    return Effect.flatMap(Clock.currentTimeMillis, (now): Effect.Effect<keyof Drained | undefined> => {
      // Cancelled while it ran: whatever it came to counts no more.
      if (Outcome.isFinal(kept.state)) return Effect.succeed("failed")
      const later = (state: "queued" | "retrying" | "scheduled", ms: number) => {
        kept.state = state
        kept.due = now + ms
      }
      switch (ended._tag) {
        case "Stopped":
          return Effect.succeed(undefined)
        case "Lost":
          kept.losses++
          later("queued", leaseMs)
          return Effect.succeed(undefined)
        case "Done":
          // Through text and back, as a result travels.
          kept.result = JSON.parse(JSON.stringify(ended.result) ?? "null")
          kept.state = "done"
          this.flows.done(kept, now)
          return Effect.as(Deferred.succeed(kept.ended, kept.entry.meta?.i === undefined ? kept.result : null), "done")
        case "Retry":
          kept.error = ended.error
          kept.failures++
          later("retrying", ended.delayMs)
          return Effect.succeed("retried")
        case "Snoozed":
          kept.attempt--
          later("scheduled", ended.delayMs)
          return Effect.succeed(undefined)
        case "Cancelled":
          return Effect.as(this.cancel(kept.entry.id, ended.reason), "failed")
        case "Dead":
          return Effect.as(this.die(kept, ended.error, undefined, now), "failed")
      }
    })
  }

  /** Cancels a job that has not ended; one that runs is interrupted. */
  cancel(id: string, reason: string): Effect.Effect<void> {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const kept = this.jobs.all.get(id)
      if (kept === undefined || Outcome.isFinal(kept.state)) return Effect.void
      kept.state = "cancelled"
      kept.error = { _tag: "Cancelled", message: reason }
      kept.interrupt?.()
      return Effect.andThen(
        this.blame(kept, { id, task: kept.entry.task, error: kept.error }, now),
        Deferred.fail(kept.ended, new JobCancelled({ id, reason }))
      )
    })
  }

  private die(kept: Kept, error: Failure, blame: Blame | undefined, now: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      kept.state = "dead"
      kept.error = error
      return Effect.andThen(
        this.blame(kept, blame ?? { id: kept.entry.id, task: kept.entry.task, error }, now),
        Deferred.fail(kept.ended, new JobFailed({ id: kept.entry.id, error }))
      )
    })
  }

  /** Ends what waits for a job that will never be done. */
  private blame(kept: Kept, blame: Blame, now: number): Effect.Effect<void> {
    const { error, taken } = this.flows.failed(kept, blame, now)
    return Effect.forEach(taken, (target) => this.die(target, error, blame, now), { discard: true })
  }
}

const lastOf = (job: Job<unknown>) => {
  let last: Pick<Job<unknown>, "next" | "queue"> = job
  while (last.next !== undefined) last = last.next
  return last.queue
}
