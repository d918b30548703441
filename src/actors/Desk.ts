/**
 * What one worker process holds: jobs claimed and not begun, jobs that run, and what it was told from outside. Promises
 * that at most `concurrency` jobs run, in the order of `Share`, and that a job is here from its claim until it is settled,
 * so that the heartbeat can renew it. Plain calls, no fibers: this is the hot path.
 */
import { type QueueName, queues } from "../jobs/JobQueue.ts"
import type { JobState } from "../jobs/Outcome.ts"
import type { Claimed } from "../streams/JobQueues.ts"
import { Bell } from "./Bell.ts"
import { hold, type Held, type Stop } from "./Held.ts"
import type { Ended } from "./Runner.ts"
import { pick, type Shares } from "./Share.ts"

export interface DeskOptions {
  readonly shares: Shares
  /** Jobs claimed ahead per queue. */
  readonly prefetch: number
  /** Starts no further job while so many outcomes wait to be settled. */
  readonly maxUnsettled: number
  readonly run: (held: Held, end: (ended: Ended) => void) => void
  readonly settle: (held: Held, ended: Ended) => void
  readonly unsettled: () => number
}

export class Desk {
  readonly options: DeskOptions
  /** Everything held, by queue and entry. */
  readonly held = new Map<QueueName, Map<string, Held>>(queues.map((q) => [q, new Map()]))
  readonly runningJobs = new Set<Held>()
  readonly paused = new Set<QueueName>()
  /** Ids revoked lately; bounded by the set they are loaded from. */
  readonly revoked = new Map<string, boolean>()
  /** Rung when there is room for more jobs. */
  readonly room: Readonly<Record<QueueName, Bell>> = perQueue(() => new Bell())
  /** Rung when something was delayed for a short time. */
  readonly due = new Bell()
  /** Rung when jobs were given back. */
  readonly orphans = new Bell()
  readonly running = perQueue(() => 0)
  readonly waiting = perQueue(() => 0)
  stopping = false
  processed = 0
  failed = 0
  lost = 0
  private readonly buffers = perQueue((): Array<Held> => [])
  private readonly more = perQueue(() => false)
  private readonly heads = perQueue(() => 0)
  private started = 0
  private pumping = false

  constructor(options: DeskOptions) {
    this.options = options
  }

  /** How many more jobs of a queue may be claimed. */
  free(queue: QueueName): number {
    return this.stopping || this.paused.has(queue) ? 0 : Math.max(0, this.options.prefetch - this.waiting[queue])
  }

  /** True where a read is worth its round trip: half of the room, or 64 places, is free. */
  wants(queue: QueueName): boolean {
    const waiting = this.waiting[queue]
    return waiting === 0 || waiting <= Math.max(this.options.prefetch >> 1, this.options.prefetch - 64)
  }

  /** Tells that a queue's last read was full, so that the next will bring more. */
  expect(queue: QueueName, more: boolean): void {
    if (this.more[queue] === more) return
    this.more[queue] = more
    if (!more) this.pump()
  }

  /** Takes claimed jobs in and starts what may start. */
  take(jobs: ReadonlyArray<Claimed>): void {
    for (const job of jobs) {
      const byEntry = this.held.get(job.queue)
      const known = byEntry?.get(job.entry)
      if (known !== undefined) {
        // Claimed again by ourselves after a stall: the same attempt goes on under the new fence.
        known.count = job.count
        continue
      }
      const held = hold(job)
      byEntry?.set(job.entry, held)
      this.buffers[job.queue].push(held)
      this.waiting[job.queue]++
    }
    this.pump()
  }

  /** Starts jobs while permits are free. */
  pump(): void {
    if (this.pumping || this.stopping) return
    this.pumping = true
    try {
      while (this.options.unsettled() < this.options.maxUnsettled) {
        const queue = pick(this.options.shares, this.waiting, this.running, this.started, this.more)
        if (queue === undefined) return
        this.start(this.shift(queue))
      }
    } finally {
      this.pumping = false
    }
  }

  /** Called when an attempt is settled or refused. */
  freed(held: Held, state: JobState | "lost" | "told"): void {
    this.held.get(held.job.queue)?.delete(held.job.entry)
    if (state === "lost") this.lost++
    else if (state !== "told") {
      this.processed++
      if (state === "dead" || state === "retrying") this.failed++
    }
    this.pump()
  }

  /** Stops a job, running or not; the reason decides what becomes of it. */
  stop(held: Held, why: Stop): void {
    held.stopped ??= why
    held.interrupt?.()
  }

  /** A revoke has been heard. */
  revoke(id: string, terminate: boolean): void {
    this.revoked.set(id, terminate)
    if (this.revoked.size > 50_000) this.revoked.delete(this.revoked.keys().next().value as string)
    for (const held of this.runningJobs) {
      if (held.job.id !== id) continue
      if (terminate) this.stop(held, "revoked")
    }
  }

  /** Takes out all that was claimed and not begun, to be given back. */
  unstarted(): ReadonlyArray<Held> {
    const out: Array<Held> = []
    for (const q of queues) while (this.waiting[q] > 0) out.push(this.shift(q))
    for (const held of out) this.held.get(held.job.queue)?.delete(held.job.entry)
    return out
  }

  /** Forgets a job whose claim is gone. */
  drop(held: Held): void {
    this.stop(held, "lost")
    this.held.get(held.job.queue)?.delete(held.job.entry)
    this.lost++
  }

  private shift(queue: QueueName): Held {
    const buffer = this.buffers[queue]
    const held = buffer[this.heads[queue]++] as Held
    this.waiting[queue]--
    if (this.waiting[queue] === 0) {
      buffer.length = 0
      this.heads[queue] = 0
    } else if (this.heads[queue] > 1_024) {
      buffer.splice(0, this.heads[queue])
      this.heads[queue] = 0
    }
    // Not for every single job: the reader asks for many at once.
    if (this.wants(queue)) this.room[queue].ring()
    return held
  }

  private start(held: Held): void {
    const { queue } = held.job
    // The claim was lost while it waited here: whoever has it now runs it.
    if (held.stopped === "lost") return
    this.started++
    this.running[queue]++
    held.startedAt = Date.now()
    held.phase = "running"
    this.runningJobs.add(held)
    if (this.revoked.size > 0 && this.revoked.has(held.job.id)) {
      held.stopped = "revoked"
      return this.end(held, cancelled)
    }
    this.options.run(held, (ended) => this.end(held, ended))
  }

  private end(held: Held, ended: Ended): void {
    this.running[held.job.queue]--
    this.runningJobs.delete(held)
    if (ended._tag === "Left" || held.stopped === "lost") {
      if (held.stopped === "lost") this.held.get(held.job.queue)?.delete(held.job.entry)
    } else this.options.settle(held, ended)
    this.pump()
  }
}

const cancelled: Ended = {
  _tag: "Outcome",
  outcome: { _tag: "Cancelled", reason: "revoked" },
  task: undefined,
  body: JSON.stringify({ _tag: "Cancelled", message: "revoked" })
}

function perQueue<A>(make: () => A): Record<QueueName, A> {
  return { "high-priority": make(), default: make(), "low-priority": make() }
}
