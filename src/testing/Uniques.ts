/** Who holds a unique key in memory, and what an enqueue does whose key is taken: the decisions of enqueue.lua. */
import type { Uniqueness } from "../jobs/Calling.ts"
import type { JobId } from "../jobs/JobQueue.ts"
import { isFinal } from "../jobs/Outcome.ts"
import type { Entry } from "../jobs/Plan.ts"
import type { Jobs, Kept } from "./Kept.ts"

export type Decision =
  /** The key is free, or its holder makes place. `displaced`: it is cancelled first. */
  | { readonly _tag: "Add"; readonly displaced?: Kept; readonly first: number }
  | { readonly _tag: "Known"; readonly id: JobId }
  /** A job that waits has taken the payload over. */
  | { readonly _tag: "Updated"; readonly id: JobId }

interface Holding {
  readonly id: JobId
  readonly until: number
  /** When the first of a debounced series was asked for. */
  readonly first: number
}

export class Uniques {
  private readonly jobs: Jobs
  private readonly keys = new Map<string, Holding>()

  constructor(jobs: Jobs) {
    this.jobs = jobs
  }

  /** What becomes of an enqueue; `delayMs` as it was asked for. */
  decide(key: string, uniqueness: Uniqueness | undefined, entry: Entry, now: number, delayMs: number): Decision {
    const held = this.keys.get(key)
    const holder = held === undefined || held.until < now ? undefined : this.jobs.all.get(held.id)
    const add = { _tag: "Add", first: now } as const
    if (held === undefined || holder === undefined) return add
    const mode = uniqueness?.mode ?? "refuse"
    if (mode === "refuse") {
      const taken = uniqueness?.withinMs === undefined ? !isFinal(holder.state) : holder.state !== "cancelled"
      return taken ? { _tag: "Known", id: held.id } : add
    }
    if (isFinal(holder.state)) return add
    if (holder.state === "scheduled" || holder.state === "retrying") {
      holder.payload = JSON.stringify(entry.payload) ?? "null"
      holder.state = "scheduled"
      holder.error = undefined
      if (mode === "debounce") holder.due = this.dueOf(uniqueness, held.first, now, delayMs)
      return { _tag: "Updated", id: held.id }
    }
    return holder.state === "queued"
      ? { _tag: "Add", displaced: holder, first: held.first }
      : { _tag: "Add", first: held.first }
  }

  hold(key: string, uniqueness: Uniqueness | undefined, id: JobId, now: number, first: number): void {
    const withinMs = uniqueness?.mode === "debounce" ? undefined : uniqueness?.withinMs
    this.keys.set(key, { id, first, until: withinMs === undefined ? Number.POSITIVE_INFINITY : now + withinMs })
  }

  /** When a debounced job is due. */
  dueOf(uniqueness: Uniqueness | undefined, first: number, now: number, delayMs: number): number {
    return Math.min(now + delayMs, first + (uniqueness?.maxWaitMs ?? Number.POSITIVE_INFINITY))
  }
}
