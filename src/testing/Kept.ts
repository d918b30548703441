/**
 * The jobs of the engine in memory: what is known of each, who is due next, and in which order. Promises high before default
 * before low, first come first served, and turns between tenants, as the real engine's queues do. Running them is left to
 * the memory.
 */
import { Deferred } from "effect"
import type { AwaitError, Failure } from "../jobs/Engine.ts"
import { type QueueName, queues } from "../jobs/JobQueue.ts"
import type { JobState } from "../jobs/Outcome.ts"
import type { Entry } from "../jobs/Plan.ts"

/** One job as the engine in memory keeps it. */
export interface Kept {
  entry: Entry
  /** As JSON text. */
  payload: string
  state: JobState
  /** Epoch ms; Infinity where it waits for another job. */
  due: number
  readonly enqueuedAt: number
  /** The delay it was enqueued with, ms. */
  readonly delayMs: number
  /** Its turn among the jobs of its queue. */
  turn: number
  attempt: number
  failures: number
  /** Workers lost under it. */
  losses: number
  result: unknown
  error: Failure | undefined
  progress: unknown
  /** Interrupts its handler, while it runs. */
  interrupt: (() => void) | undefined
  readonly ended: Deferred.Deferred<unknown, AwaitError>
}

const rank = (queue: QueueName): number => queues.indexOf(queue)
const isOpen = ({ state }: Kept): boolean => state === "queued" || state === "scheduled" || state === "retrying"

export class Jobs {
  readonly all = new Map<string, Kept>()
  /** The turn after that of the job that started last, by queue. */
  private readonly now = new Map<QueueName, number>()
  /** The last turn given to a tenant, by queue and key. */
  private readonly lanes = new Map<string, number>()

  keep(entry: Entry, at: { readonly state: JobState; readonly now: number; readonly delayMs: number }): Kept {
    const kept: Kept = {
      entry,
      payload: JSON.stringify(entry.payload) ?? "null",
      state: at.state,
      due: at.now + at.delayMs,
      enqueuedAt: at.now,
      delayMs: at.delayMs,
      turn: this.turnOf(entry),
      attempt: 0,
      failures: 0,
      losses: 0,
      result: undefined,
      error: undefined,
      progress: undefined,
      interrupt: undefined,
      ended: Deferred.makeUnsafe()
    }
    this.all.set(entry.id, kept)
    return kept
  }

  /** The job that starts next; undefined where none is due. */
  next(now: number): Kept | undefined {
    let best: Kept | undefined
    for (const kept of this.all.values()) {
      if (isOpen(kept) && kept.due <= now && (best === undefined || before(kept, best))) best = kept
    }
    if (best !== undefined) this.now.set(best.entry.queue, Math.max(best.turn, this.now.get(best.entry.queue) ?? 0))
    return best
  }

  /** When the next job is due, epoch ms; Infinity where none is. */
  nextDue(): number {
    let due = Number.POSITIVE_INFINITY
    for (const kept of this.all.values()) if (isOpen(kept)) due = Math.min(due, kept.due)
    return due
  }

  /** Lets a job start. */
  release(kept: Kept, payload: unknown): void {
    kept.payload = JSON.stringify(payload) ?? "null"
    kept.state = "queued"
    kept.due = 0
  }

  /** A tenant's jobs take one turn each; those of nobody all the present one. */
  private turnOf({ meta, queue }: Entry): number {
    const now = this.now.get(queue) ?? 0
    if (meta?.k === undefined) return now
    const lane = `${queue} ${meta.k}`
    const turn = Math.max(now, this.lanes.get(lane) ?? 0) + 1
    this.lanes.set(lane, turn)
    return turn
  }
}

const before = (a: Kept, b: Kept): boolean =>
  a.entry.queue === b.entry.queue ? a.turn < b.turn : rank(a.entry.queue) < rank(b.entry.queue)
