/**
 * What this worker has done, by task: attempts by how they ended, time they ran, time they waited. Promises plain counters
 * that only grow until the process ends, cheap enough for every job; they travel in the worker's record, so that any
 * process can tell them of all workers without an event per job.
 */
import type { JobState } from "../jobs/Outcome.ts"
import type { Held } from "./Held.ts"
import { type TaskTally, tallyBounds } from "../streams/Inspect.ts"

/** How an attempt may end, as Flower names its events; `rejected`: put back for later (a snooze). */
export type TallyEnd = "succeeded" | "failed" | "retried" | "revoked" | "rejected"

/** Tasks counted by name; further ones go under `other`, so that the record stays small. */
const tasksMax = 100

const empty = (): MutableTally => ({
  ends: { succeeded: 0, failed: 0, retried: 0, revoked: 0, rejected: 0 },
  started: 0,
  runtime: histogram(),
  prefetchTime: 0,
  prefetched: 0,
  wait: histogram()
})
const histogram = () => ({ counts: tallyBounds.map(() => 0), count: 0, sum: 0 })

type Mutable<A> = { -readonly [K in keyof A]: A[K] extends ReadonlyArray<infer B> ? Array<B> : Mutable<A[K]> }
type MutableTally = Mutable<TaskTally>

export class Tally {
  private readonly byTask = new Map<string, MutableTally>()

  /** An attempt has begun. Times in epoch ms. */
  started(held: Held): void {
    if (held.job.task.startsWith("@")) return
    const tally = this.of(held.job.task)
    tally.started++
    tally.prefetchTime = Math.max(0, held.startedAt - held.claimedAt) / 1_000
    if (held.count === 1) observe(tally.wait, held.startedAt - held.queuedAt)
  }

  /** An attempt has been settled. */
  ended(held: Held, end: TallyEnd, now: number): void {
    if (held.job.task.startsWith("@")) return
    const tally = this.of(held.job.task)
    tally.ends[end]++
    if (held.startedAt > 0) observe(tally.runtime, now - held.startedAt)
  }

  /** Everything counted; `held` is everything this worker holds. */
  record(held: Iterable<Held>): Readonly<Record<string, TaskTally>> {
    for (const tally of this.byTask.values()) tally.prefetched = 0
    for (const { job, phase } of held) {
      if (phase === "reserved" && !job.task.startsWith("@")) this.of(job.task).prefetched++
    }
    return Object.fromEntries(this.byTask)
  }

  private of(task: string): MutableTally {
    const known = this.byTask.get(task)
    if (known !== undefined) return known
    const name = this.byTask.size < tasksMax ? task : "other"
    const made = this.byTask.get(name) ?? empty()
    this.byTask.set(name, made)
    return made
  }
}

const observe = (into: MutableTally["runtime"], ms: number): void => {
  const seconds = Math.max(0, ms) / 1_000
  into.count++
  into.sum += seconds
  for (let i = 0; i < tallyBounds.length; i++) {
    if (seconds <= (tallyBounds[i] as number)) {
      into.counts[i]!++
      return
    }
  }
}

/** How ends are counted; what is not named is not. */
export const ends: Readonly<Partial<Record<JobState, TallyEnd>>> = {
  done: "succeeded",
  dead: "failed",
  retrying: "retried",
  cancelled: "revoked",
  scheduled: "rejected"
}
