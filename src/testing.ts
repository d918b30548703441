/**
 * The engine in memory, for tests of code that enqueues and handles jobs. Promises the real encoding of payloads, results
 * and errors, real retries, delays, chains and groups, on Effect's clock (so a `TestClock` drives them). There is one worker,
 * one job runs at a time, and nothing outlives the layer.
 */
import { Clock, Context, Deferred, Duration, Effect, Exit, Layer, Random, Result } from "effect"
import {
  type AwaitError,
  Engine,
  type Enqueued,
  type EnqueueError,
  type EnqueueOptions,
  type Failure,
  JobCancelled,
  JobFailed,
  JobUnknown,
  PayloadInvalid
} from "./jobs/Engine.ts"
import { groupTask } from "./jobs/Flow.ts"
import type { Job } from "./jobs/Job.ts"
import * as Jobs from "./jobs/Job.ts"
import { chosenId, freshId } from "./jobs/JobQueue.ts"
import * as Outcome from "./jobs/Outcome.ts"
import { type Entry, type Link, plan } from "./jobs/Plan.ts"
import type { Registration } from "./jobs/Registry.ts"

/** One job as the test engine keeps it. */
export interface TestJob {
  readonly id: string
  readonly task: string
  readonly payload: unknown
  readonly state: Outcome.JobState
  readonly attempt: number
  readonly result: unknown
  readonly error: Failure | undefined
  readonly progress: unknown
}

interface Kept {
  entry: Entry
  payload: string
  state: Outcome.JobState
  due: number
  attempt: number
  failures: number
  result: unknown
  error: Failure | undefined
  progress: unknown
  readonly ended: Deferred.Deferred<unknown, AwaitError>
}

interface Group {
  readonly entry: Entry
  readonly total: number
  readonly results: Map<number, unknown>
}

export interface Drained {
  readonly done: number
  readonly failed: number
  readonly retried: number
}

export class TestEngine extends Context.Service<
  TestEngine,
  {
    /** Payloads (encoded) of the task's jobs that have not ended, oldest first. */
    readonly enqueued: (task: { readonly name: string }) => ReadonlyArray<unknown>
    /** Every job ever enqueued, oldest first. */
    readonly jobs: () => ReadonlyArray<TestJob>
    /** Runs all that is due by the clock, and what follows from it, until nothing is due. */
    readonly drain: Effect.Effect<Drained>
    readonly cancel: (id: string) => Effect.Effect<void>
  }
>()("loglytics/testing/TestEngine") {
  static readonly layer: Layer.Layer<TestEngine | Engine> = Layer.effectContext(
    Effect.sync(() => {
      const memory = new Memory()
      return Context.make(Engine, memory.engine()).pipe(
        Context.add(
          TestEngine,
          TestEngine.of({
            enqueued: (task) =>
              [...memory.kept.values()]
                .filter((k) => k.entry.task === task.name && !Outcome.isFinal(k.state))
                .map((k) => JSON.parse(k.payload) as unknown),
            jobs: () =>
              [...memory.kept.values()].map((k) => ({
                id: k.entry.id,
                task: k.entry.task,
                payload: JSON.parse(k.payload) as unknown,
                state: k.state,
                attempt: k.attempt,
                result: k.result,
                error: k.error,
                progress: k.progress
              })),
            drain: memory.drain(),
            cancel: (id) => memory.cancel(id, "revoked")
          })
        )
      )
    })
  )
}

const maxPayloadBytes = 1_048_576
const turnsMax = 100_000

class Memory {
  readonly kept = new Map<string, Kept>()
  private readonly handlers = new Map<string, Registration>()
  private readonly groups = new Map<string, Group>()
  private readonly unique = new Map<string, string>()

  engine(): Engine["Service"] {
    const offer = (job: Job<unknown>, options?: EnqueueOptions) => this.offer(job, options)
    const enqueue = (job: Job<unknown>, options?: EnqueueOptions) => Effect.map(offer(job, options), (e) => e.id)
    return Engine.of({
      offer,
      enqueue,
      enqueueAll: (jobs, options) => Effect.forEach(jobs, (job) => enqueue(job, options)),
      await: (id) => Effect.suspend(() => this.wait(id)),
      register: (r) => Effect.sync(() => void this.handlers.set(r.name, r))
    })
  }

  /** Waits for a job; where nobody else drains, the waiting itself does. */
  private wait(id: string): Effect.Effect<unknown, AwaitError> {
    const kept = this.kept.get(id)
    return kept === undefined
      ? Effect.fail(new JobUnknown({ id }))
      : Effect.andThen(this.drain(), Deferred.await(kept.ended))
  }

  private offer(job: Job<unknown>, options: EnqueueOptions | undefined): Effect.Effect<Enqueued, EnqueueError> {
    return Effect.flatMap(Clock.currentTimeMillis, (now): Effect.Effect<Enqueued, EnqueueError> => {
      const queue = options?.queue ?? job.queue
      const id = options?.id === undefined ? freshId(queue, now) : chosenId(queue, options.id)
      if (id === undefined) {
        return Effect.fail(new PayloadInvalid({ task: job.task, issues: [{ path: "options.id", message: "bad id" }] }))
      }
      if (this.kept.has(id)) return Effect.succeed({ id, duplicate: true })
      const expiresAt = options?.expires === undefined ? undefined : now + millis(options.expires)
      const planned = plan(job, { now, maxPayloadBytes, id, queue: options?.queue, expiresAt })
      if (Result.isFailure(planned)) return Effect.fail(planned.failure)
      const { groups, heads, waiting } = planned.success
      const key = heads[0]?.meta?.u
      const holder = key === undefined ? undefined : this.kept.get(this.unique.get(key) ?? "")
      if (holder !== undefined && !Outcome.isFinal(holder.state)) {
        return Effect.succeed({ id: holder.entry.id, duplicate: true })
      }
      if (key !== undefined && heads[0] !== undefined) this.unique.set(key, heads[0].id)
      for (const entry of waiting) this.keep(entry, "scheduled", Number.POSITIVE_INFINITY)
      for (const { entry, total } of groups) this.groups.set(entry.id, { entry, total, results: new Map() })
      const delay = options?.delay === undefined ? 0 : millis(options.delay)
      for (const entry of heads) this.keep(entry, delay > 0 ? "scheduled" : "queued", now + delay)
      return Effect.succeed({ id: planned.success.id, duplicate: false })
    })
  }

  private keep(entry: Entry, state: Outcome.JobState, due: number): void {
    this.kept.set(entry.id, {
      entry,
      payload: JSON.stringify(entry.payload) ?? "null",
      state,
      due,
      attempt: 0,
      failures: 0,
      result: undefined,
      error: undefined,
      progress: undefined,
      ended: Deferred.makeUnsafe()
    })
  }

  drain(): Effect.Effect<Drained> {
    return Effect.gen({ self: this }, function* () {
      const counts = { done: 0, failed: 0, retried: 0 }
      for (let i = 0; i < turnsMax; i++) {
        const now = yield* Clock.currentTimeMillis
        const next = this.next(now)
        if (next === undefined) return counts
        const what = yield* this.attempt(next, now)
        if (what !== undefined) counts[what]++
        yield* Effect.yieldNow
      }
      return yield* Effect.die(
        new Error(`drained ${turnsMax} jobs and there are more: do they enqueue each other for ever?`)
      )
    })
  }

  private next(now: number): Kept | undefined {
    let best: Kept | undefined
    for (const k of this.kept.values()) {
      const open = k.state === "queued" || k.state === "scheduled" || k.state === "retrying"
      if (open && k.due <= now && (best === undefined || rank(k) < rank(best))) best = k
    }
    return best
  }

  private attempt(kept: Kept, now: number): Effect.Effect<keyof Drained | undefined> {
    return Effect.gen({ self: this }, function* () {
      const { entry } = kept
      kept.state = "running"
      kept.attempt++
      if (entry.task === groupTask) return yield* this.finish(kept, { _tag: "Done", result: JSON.parse(kept.payload) })
      const task = this.handlers.get(entry.task)
      if (task === undefined) {
        const error = { _tag: "UnknownTask", message: `no handler for ${entry.task} in this test` }
        return yield* this.finish(kept, { _tag: "Dead", error })
      }
      if (entry.meta?.x !== undefined && now > entry.meta.x) {
        return yield* this.finish(kept, { _tag: "Cancelled", reason: "expired before it could start" })
      }
      const payload = task.decode(JSON.parse(kept.payload))
      if (Result.isFailure(payload)) {
        return yield* this.finish(kept, { _tag: "Dead", error: Outcome.invalid("PayloadInvalid", payload.failure) })
      }
      const run = Effect.suspend(() =>
        task.run(payload.success, {
          id: entry.id,
          attempt: kept.attempt,
          task: entry.task,
          progress: (value) => Effect.sync(() => void (kept.progress = value))
        })
      ).pipe(Effect.provideContext(task.context))
      const timed =
        task.timeoutMs === undefined
          ? Effect.map(Effect.exit(run), (exit) => exit as Exit.Exit<unknown, unknown> | undefined)
          : Effect.map(Effect.timeoutOption(Effect.exit(run), task.timeoutMs), (o) =>
              o._tag === "Some" ? o.value : undefined
            )
      const exit = yield* timed
      const tried = { failures: kept.failures, random: yield* Random.next }
      const timeout = { _tag: "TimedOut", message: `ran longer than its limit of ${task.timeoutMs} ms` }
      const outcome =
        exit === undefined ? Outcome.fromFailure(task, timeout, tried) : Outcome.fromExit(task, exit, tried)
      return yield* this.finish(kept, outcome)
    })
  }

  private finish(kept: Kept, outcome: Outcome.Outcome): Effect.Effect<keyof Drained | undefined> {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const id = kept.entry.id
      switch (outcome._tag) {
        case "Done": {
          // Through text and back, as a result travels.
          kept.result = JSON.parse(JSON.stringify(outcome.result) ?? "null")
          kept.state = "done"
          return Effect.as(
            Effect.andThen(
              this.tell(kept.entry.meta?.l, { result: kept.result }),
              Deferred.succeed(kept.ended, kept.result)
            ),
            "done" as const
          )
        }
        case "Retry":
          kept.state = "retrying"
          kept.error = outcome.error
          kept.failures++
          kept.due = now + outcome.delayMs
          return Effect.succeed("retried" as const)
        case "Snoozed":
          kept.state = "scheduled"
          kept.attempt--
          kept.due = now + outcome.delayMs
          return Effect.succeed(undefined)
        case "Cancelled":
          return Effect.as(this.cancel(id, outcome.reason), "failed" as const)
        case "Dead":
          return Effect.as(this.die(kept, outcome.error), "failed" as const)
      }
    })
  }

  cancel(id: string, reason: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      const kept = this.kept.get(id)
      if (kept === undefined || Outcome.isFinal(kept.state)) return Effect.void
      kept.state = "cancelled"
      kept.error = { _tag: "Cancelled", message: reason }
      const told = this.tell(kept.entry.meta?.l, { failed: kept.error })
      return Effect.andThen(told, Deferred.fail(kept.ended, new JobCancelled({ id, reason })))
    })
  }

  private die(kept: Kept, error: Failure): Effect.Effect<void> {
    return Effect.suspend(() => {
      kept.state = "dead"
      kept.error = error
      const told = this.tell(kept.entry.meta?.l, { failed: error })
      return Effect.andThen(told, Deferred.fail(kept.ended, new JobFailed({ id: kept.entry.id, error })))
    })
  }

  private tell(
    link: Link | undefined,
    end: { readonly result: unknown } | { readonly failed: Failure }
  ): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (link === undefined) return Effect.void
      const target = this.kept.get("next" in link ? link.next.id : link.join.id)
      if (target === undefined || target.state !== "scheduled") return Effect.void
      if ("failed" in end) {
        const cause = end.failed
        const message = `a job before this one failed: ${cause._tag}`
        return this.die(target, cause._tag === "FlowFailed" ? cause : { _tag: "FlowFailed", message, cause })
      }
      if ("next" in link) {
        return Effect.sync(() => this.queue(target, Jobs.merge(end.result, link.next.payload)))
      }
      const group = this.groups.get(link.join.id)
      group?.results.set(link.join.index, end.result)
      if (group === undefined || group.results.size < group.total) return Effect.void
      const results = Array.from({ length: group.total }, (_, i) => group.results.get(i))
      return Effect.sync(() => this.queue(target, { results }))
    })
  }

  private queue(target: Kept, payload: unknown): void {
    target.payload = JSON.stringify(payload) ?? "null"
    target.state = "queued"
    target.due = 0
  }
}

const ranks = { "high-priority": 0, default: 1, "low-priority": 2 }
const rank = (k: Kept): number => ranks[k.entry.queue]
const millis = (input: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(input))
