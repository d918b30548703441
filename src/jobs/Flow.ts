/**
 * Jobs that belong together: groups (with `.andThen` a chord), one task over many values, chunks. Promises results in the
 * order of the jobs and one continuation, however many members end at the same time. Flows nest: a member may be a chain,
 * a group or a chord, and a group may stand anywhere in a chain.
 */
import { Result, type Schema } from "effect"
import * as Job from "./Job.ts"
import { mapPrefix } from "./Mapped.ts"

/** The name under which a group waits for its members. It is no task: the engine itself completes it. */
export const groupTask = "@all"

/** Most jobs of one group. */
export const maxMembers = 10_000

type AnyStep = Job.Step<never, unknown>
type Results<Steps extends ReadonlyArray<AnyStep>> = {
  readonly [K in keyof Steps]: Steps[K] extends Job.Step<never, infer R> ? R : never
}
type NeedOf<S> = S extends { readonly _Need?: (need: infer N) => void } ? N : never
/** What all members together need of the step before. */
type Needs<Steps extends ReadonlyArray<AnyStep>> = {
  readonly [K in keyof Steps]: (need: NeedOf<Steps[K]>) => void
}[number] extends (need: infer N) => void
  ? N
  : never

/**
 * A group of at most 10,000 jobs. Its result is `{ results }`, in order; the first member that gives up or is cancelled
 * fails the group and what follows it at once (the others run on). A group of steps (see `step`) can only follow what
 * gives them what they need: each is given the result of the step before.
 */
export const all: {
  <const Jobs extends ReadonlyArray<Job.Job<unknown>>>(jobs: Jobs): Job.Job<{ readonly results: Results<Jobs> }>
  <const Steps extends ReadonlyArray<AnyStep>>(
    steps: Steps
  ): Job.Step<Needs<Steps>, { readonly results: Results<Steps> }>
} = (members: ReadonlyArray<AnyStep>) =>
  Job.make<never>({
    task: groupTask,
    queue: members[0]?.queue ?? "default",
    payload: Result.succeed({}),
    members
  })

/**
 * A job of `task` that lacks a part of its payload (Celery's `.s()` with some arguments): the result of the step before is
 * merged with `known`, which wins.
 */
export const step = <P extends Schema.Struct.Fields, R, const Known extends Partial<Schema.Struct.Type<P>>>(
  task: Job.Target<P, R>,
  known: Known
): Job.Step<Omit<Schema.Struct.Type<P>, keyof Known>, R> =>
  Job.part(task, known) as unknown as Job.Step<Omit<Schema.Struct.Type<P>, keyof Known>, R>

/** A task that makes jobs. Every `Task` is one. */
export interface Source<P extends Schema.Struct.Fields, R> extends Job.Target<P, R> {
  readonly job: (payload: Schema.Struct.Type<P>) => Job.Job<R>
}

/**
 * One job that runs `task` for each payload in turn, in one worker; its result is `{ results }`, in order. A failure ends it;
 * a retry runs all of them again. `timeout` of the task counts for each; a task in threads runs there. A task with a rate or
 * concurrency limit is refused at enqueue (`PayloadInvalid`): one job can't take turns for many. Celery's `starmap`.
 */
export const starmap = <P extends Schema.Struct.Fields, R>(
  task: Source<P, R>,
  payloads: ReadonlyArray<Schema.Struct.Type<P>>
): Job.Job<{ readonly results: ReadonlyArray<R> }> =>
  Job.make({
    task: mapPrefix + task.name,
    queue: task.queue,
    payload:
      task.limited === true
        ? Result.fail([{ path: "", message: limitedMessage(task.name) }])
        : Job.collect(payloads.map((payload) => task.job(payload).payload))
  })

const limitedMessage = (name: string): string =>
  `expected a task without rateLimit and concurrency, got ${name}: use Flow.all(payloads.map(${name}.job)), a group of jobs of their own`

/** As `starmap`, over the values of one field; `rest` is the same for all. Celery's `map`. */
export const map = <P extends Schema.Struct.Fields, R, K extends keyof Schema.Struct.Type<P>>(
  task: Source<P, R>,
  field: K,
  values: ReadonlyArray<Schema.Struct.Type<P>[K]>,
  rest: Omit<Schema.Struct.Type<P>, K>
): Job.Job<{ readonly results: ReadonlyArray<R> }> =>
  starmap(
    task,
    values.map((value) => ({ ...rest, [field]: value }) as unknown as Schema.Struct.Type<P>)
  )

/**
 * A group of `starmap`s of at most `size` payloads each: `{ results: [{ results }, …] }`, in order. For many small jobs
 * that are not worth one each. A size below 1 is refused at enqueue (`PayloadInvalid`).
 */
export const chunks = <P extends Schema.Struct.Fields, R>(
  task: Source<P, R>,
  payloads: ReadonlyArray<Schema.Struct.Type<P>>,
  size: number
): Job.Job<{ readonly results: ReadonlyArray<{ readonly results: ReadonlyArray<R> }> }> => {
  const per = Math.floor(size)
  if (!(per >= 1)) {
    const issue = { path: "", message: `expected chunks of 1 payload or more, got ${size}` }
    return Job.make({ task: mapPrefix + task.name, queue: task.queue, payload: Result.fail([issue]) })
  }
  return all(
    Array.from({ length: Math.ceil(payloads.length / per) }, (_, i) =>
      starmap(task, payloads.slice(i * per, (i + 1) * per))
    )
  )
}
