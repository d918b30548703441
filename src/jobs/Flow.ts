/**
 * Jobs that run side by side and are waited for together (a group; with `.andThen` a chord). Promises results in the order
 * of the jobs and one continuation, however many members end at the same time.
 */
import { Result } from "effect"
import * as Job from "./Job.ts"

/** The name under which a group waits for its members. It is no task: the engine itself completes it. */
export const groupTask = "@all"

type Results<Jobs extends ReadonlyArray<Job.Job<unknown>>> = {
  readonly [K in keyof Jobs]: Jobs[K] extends Job.Job<infer R> ? R : never
}

/**
 * A group of at most 10,000 jobs. Its result is `{ results }`, in order; the first member that gives up or is cancelled
 * fails the group and what follows it (the others run on).
 */
export const all = <const Jobs extends ReadonlyArray<Job.Job<unknown>>>(
  jobs: Jobs
): Job.Job<{ readonly results: Results<Jobs> }> =>
  Job.make({ task: groupTask, queue: jobs[0]?.queue ?? "default", payload: Result.succeed({}), members: jobs })
