/**
 * What a test asks of the engine in memory: was it enqueued, run it, let time pass, make it fail. Promises the engine's own
 * semantics (test/jobs/contract.test.ts runs the same cases on both); limits of rate and concurrency it does not know.
 */
import { Context, Effect, Exit, Layer, Random, type Duration, type Schema } from "effect"
import { Engine, type EnqueueError, type Failure, JobCancelled, JobFailed, type AwaitError } from "../jobs/Engine.ts"
import { freshId } from "../jobs/JobQueue.ts"
import * as Outcome from "../jobs/Outcome.ts"
import type { Task } from "../jobs/Task.ts"
import type { Schedule } from "../schedules/Schedule.ts"
import { attempt } from "./Attempt.ts"
import * as Fate from "./Fate.ts"
import { Jobs } from "./Kept.ts"
import { type Drained, Memory } from "./Memory.ts"
import { type Advanced, VirtualTime } from "./VirtualTime.ts"
import * as Wanted from "./Wanted.ts"

/** One job at a glance. */
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

/** Any task of which payloads are asked for. */
type Asked<P extends Schema.Struct.Fields> = { readonly name: string; readonly payload: Schema.Struct<P> }
type PayloadOf<P extends Schema.Struct.Fields> = Schema.Struct.Type<P>

export class TestEngine extends Context.Service<
  TestEngine,
  {
    /** Payloads of the task's jobs that have not ended, oldest first, decoded. */
    readonly enqueued: <P extends Schema.Struct.Fields>(task: Asked<P>) => ReadonlyArray<PayloadOf<P>>
    /** Throws, with what is enqueued, where no open job of the task has these fields and was enqueued so. */
    readonly assertEnqueued: <P extends Schema.Struct.Fields>(
      task: Asked<P>,
      payload?: Partial<PayloadOf<P>>,
      options?: Wanted.WantedOptions
    ) => void
    /** Throws where there is such a job. */
    readonly refuteEnqueued: <P extends Schema.Struct.Fields>(
      task: Asked<P>,
      payload?: Partial<PayloadOf<P>>,
      options?: Omit<Wanted.WantedOptions, "count">
    ) => void
    /** Every job ever enqueued, oldest first. */
    readonly jobs: () => ReadonlyArray<TestJob>
    /**
     * One run of a task's handler, at once and without a queue: its result or its declared error, through the real codecs.
     * A snooze is `JobFailed` with the tag `Snoozed`. What the handler enqueues is enqueued.
     */
    readonly run: <Name extends string, P extends Schema.Struct.Fields, R, E>(
      task: Task<Name, P, R, E>,
      payload: PayloadOf<P>,
      options?: { readonly attempt?: number }
    ) => Effect.Effect<R, E | EnqueueError | AwaitError>
    /** Runs all that is due by the clock, and what follows from it, until nothing is due. */
    readonly drain: Effect.Effect<Drained>
    /** Lets time pass (needs a `TestClock`): delays, retries, snoozes and schedules happen, each at its own time. */
    readonly advance: (duration: Duration.Input) => Effect.Effect<Advanced>
    /** Schedules that `advance` fires from now on. */
    readonly beat: (schedules: ReadonlyArray<Schedule>) => Effect.Effect<void>
    /** What befalls the coming runs of a task, one each, in order; those after them pass. */
    readonly fate: (task: { readonly name: string }, fates: ReadonlyArray<Fate.Fate>) => Effect.Effect<void>
    /** Cancels a job that has not ended, as `Control.revoke` does. */
    readonly cancel: (id: string) => Effect.Effect<void>
  }
>()("loglytics/testing/TestEngine") {
  static readonly layer: Layer.Layer<TestEngine | Engine> = Layer.effectContext(
    Effect.gen(function* () {
      // Of its own: waits are drawn alike in each run, whatever else a test draws.
      const random = yield* Effect.service(Random.Random).pipe(Random.withSeed("loglytics"))
      const memory = new Memory(() => random.nextDoubleUnsafe())
      return Context.make(Engine, memory.engine()).pipe(Context.add(TestEngine, TestEngine.of(service(memory))))
    })
  )
}

const service = (memory: Memory): TestEngine["Service"] => {
  const time = new VirtualTime(memory)
  const all = () => memory.jobs.all.values()
  const say = (complaint: string | undefined): void => {
    if (complaint !== undefined) throw new Error(complaint)
  }
  return {
    enqueued: (task) => Wanted.open(all(), task.name).map((kept) => Wanted.decoded(task, kept)),
    assertEnqueued: (task, payload = {}, options = {}) => say(Wanted.complaint([...all()], { task, payload, options })),
    refuteEnqueued: (task, payload = {}, options = {}) => say(Wanted.surplus([...all()], { task, payload, options })),
    jobs: () =>
      [...all()].map(({ attempt: n, entry, error, payload, progress, result, state }) => {
        const text: unknown = JSON.parse(payload)
        return { id: entry.id, task: entry.task, payload: text, state, attempt: n, result, error, progress }
      }),
    run: (task, payload, options) =>
      Effect.provideService(task.run(payload), Engine, inline(memory, options?.attempt ?? 1)),
    drain: memory.drain(),
    advance: (duration) => time.advance(duration),
    beat: (schedules) => time.beat(schedules),
    fate: (task, fates) => Effect.sync(() => void memory.fates.set(task.name, [...fates])),
    cancel: (id) => memory.cancel(id, "revoked")
  }
}

/** An engine that runs a job in the call itself. */
const inline = (memory: Memory, nth: number): Engine["Service"] => {
  const ends = new Map<string, Exit.Exit<unknown, AwaitError>>()
  const offer: Engine["Service"]["offer"] = (job, options) => {
    const id = freshId(job.queue, 0)
    const { payload } = job
    if (payload._tag === "Failure") return memory.engine().offer(job, options)
    const kept = new Jobs().keep(
      { id, queue: job.queue, task: job.task, payload: payload.success },
      { state: "running", now: 0, delayMs: 0 }
    )
    kept.attempt = nth
    return Effect.map(
      attempt(kept, memory.handlers.get(job.task), () => Fate.pass, memory.draw),
      (ended) => {
        ends.set(id, endOf(id, ended))
        return { id, duplicate: false }
      }
    )
  }
  return {
    ...memory.engine(),
    offer,
    enqueue: (job, options) => Effect.map(offer(job, options), ({ id }) => id),
    await: (id) => Effect.suspend(() => ends.get(id) ?? Effect.die(new Error(`${id} was not run`)))
  }
}

const endOf = (id: string, ended: Effect.Success<ReturnType<typeof attempt>>): Exit.Exit<unknown, AwaitError> => {
  switch (ended._tag) {
    case "Done":
      return Exit.succeed(JSON.parse(JSON.stringify(ended.result) ?? "null"))
    case "Retry":
    case "Dead":
      return Exit.fail(new JobFailed({ id, error: ended.error }))
    case "Cancelled":
      return Exit.fail(new JobCancelled({ id, reason: ended.reason }))
    case "Snoozed":
      return Exit.fail(
        new JobFailed({ id, error: { _tag: "Snoozed", message: `asked for another run in ${ended.delayMs} ms` } })
      )
    case "Lost":
    case "Stopped":
      return Exit.fail(new JobFailed({ id, error: { _tag: ended._tag } }))
  }
}
