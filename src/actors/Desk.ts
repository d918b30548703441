/**
 * What one worker process holds: jobs claimed and not begun, jobs that run, and what it was told from outside. Promises
 * that at most `concurrency` jobs run, in the order of `Share`, and that a job is here from its claim until it is settled,
 * so that the heartbeat can renew it. Plain calls, no fibers: this is the hot path.
 */
import { type QueueName, queues } from "../jobs/JobQueue.ts"
import type { JobState } from "../jobs/Outcome.ts"
import type { Claimed } from "../streams/JobQueues.ts"
import { linkTask } from "../streams/Flows.ts"
import { Bell } from "./Bell.ts"
import type { Ended } from "./Ended.ts"
import { hold, type Held, since, type Stop } from "./Held.ts"
import { perQueue } from "./Lines.ts"
import { Room } from "./Room.ts"
import { pick, type Shares } from "./Share.ts"
import { ends, Tally } from "./Tally.ts"

export interface DeskOptions {
  readonly shares: Shares
  /** Jobs claimed ahead per queue. */
  readonly prefetch: number
  /** Nothing begins when the last renewal of leases is longer ago. */
  readonly leaseMs: number
  /** Starts no further job while so many outcomes wait to be settled. */
  readonly maxUnsettled: number
  readonly run: (held: Held, end: (ended: Ended) => void) => void
  readonly settle: (held: Held, ended: Ended) => void
  readonly unsettled: () => number
  /** Told of the task of each job that begins. */
  readonly began: (task: string) => void
  /** An attempt has ended, before it is settled. */
  readonly left: (held: Held) => void
  /** True for a task whose jobs ask at a gate before they start; `starts` is called when they do. */
  readonly limited: (task: string) => boolean
}

/** What was said of tasks of one queue. */
export interface Told {
  readonly pausedTasks: ReadonlySet<string>
  readonly revokedTasks: ReadonlyMap<string, number>
}

export class Desk extends Room {
  readonly options: DeskOptions
  /** Everything held, by queue and entry. */
  readonly held = new Map<QueueName, Map<string, Held>>(queues.map((q) => [q, new Map()]))
  readonly runningJobs = new Set<Held>()
  /** What was said of tasks at run time, by queue: whose jobs are set aside, and whose are cancelled up to an epoch ms. */
  told: ReadonlyMap<QueueName, Told> | undefined
  /** Attempts that did not end when they were told to: how many ever, and those whose fiber goes on. */
  abandoned = 0
  readonly strays = new Set<Held>()
  /** Ids revoked lately; bounded by the set they are loaded from. */
  readonly revoked = new Map<string, boolean>()
  /** Rung when something was delayed for a short time. */
  readonly due = new Bell()
  /** The worker has said good-bye: its record must not come back. */
  gone = false
  processed = 0
  failed = 0
  lost = 0
  readonly tally = new Tally()
  private readonly more = perQueue(() => false)
  private started = 0
  private renewedAt = performance.now()
  /** When leases could be renewed again after Redis was away. */
  private reunitedAt = Number.NEGATIVE_INFINITY
  private pumping = false

  constructor(options: DeskOptions) {
    super(options.shares, options.prefetch)
    this.options = options
  }

  /** Whether the last read was full. */
  expects(queue: QueueName): boolean {
    return this.more[queue]
  }

  /** Tells that a queue's last read was full, so that the next will bring more. */
  expect(queue: QueueName, more: boolean): void {
    if (this.more[queue] === more) return
    this.more[queue] = more
    if (!more) this.pump()
  }

  /** Takes claimed jobs in and starts what may start. */
  take(jobs: ReadonlyArray<Claimed>): void {
    const now = Date.now()
    if (jobs[0] !== undefined) this.ahead.claimed(jobs[0].queue, jobs)
    for (const job of jobs) {
      const byEntry = this.held.get(job.queue)
      const known = byEntry?.get(job.entry)
      if (known !== undefined) {
        // Claimed again by ourselves after a stall: the same attempt goes on under the new fence.
        known.count = job.count
        continue
      }
      const held = hold(job, now)
      byEntry?.set(job.entry, held)
      this.lines.push(held)
    }
    this.pump()
  }

  /** Starts jobs while permits are free. */
  pump(): void {
    if (this.pumping || this.stopping || this.doubtful()) return
    this.pumping = true
    try {
      while (this.options.unsettled() < this.options.maxUnsettled) {
        const queue = pick(this.shares, this.startable(), this.running, this.started, this.more)
        if (queue === undefined) return
        this.start(this.shift(queue))
      }
    } finally {
      this.pumping = false
    }
  }

  /** The leases of all that is held were renewed at `at` (performance.now()). */
  renewed(at: number): void {
    // Renewals come every third of a lease; whose came this late may find others that came no sooner.
    if (at - this.renewedAt > this.options.leaseMs * 0.6) this.reunitedAt = at
    this.renewedAt = at
    this.pump()
  }

  /** True after a freeze or while Redis is away: what is held may be another's by now, so nothing begins before it is known. */
  private doubtful(): boolean {
    return performance.now() - this.renewedAt > this.options.leaseMs
  }

  /**
   * True where a claim that has not been renewed tells of a lost worker. After Redis was away none could be renewed: all get a
   * lease's time to do so, else jobs that run would be run again.
   */
  knowsOrphans(): boolean {
    return !this.doubtful() && performance.now() - this.reunitedAt >= this.options.leaseMs
  }

  /** Called when an attempt is settled or refused. */
  freed(held: Held, state: JobState | "lost" | "told", endedAt: number): void {
    this.forget(held)
    // Also one that its gate has put back: what comes and goes at once is quick.
    if (state !== "lost" && !held.job.task.startsWith("@")) {
      this.took(held.job.queue, state === "told" ? 0 : endedAt - held.startedAt)
    }
    if (state === "lost") this.lost++
    else if (state !== "told") {
      this.processed++
      const end = ends[state]
      if (end !== undefined) this.tally.ended(held, end, endedAt)
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
    if (this.revoked.size > revokedMax) this.revoked.delete(this.revoked.keys().next().value as string)
    for (const held of this.runningJobs) {
      if (held.job.id !== id || held.job.task === linkTask) continue
      if (terminate) this.stop(held, "revoked")
    }
  }

  /** Takes out all that was claimed and not begun, to be given back. */
  unstarted(of: ReadonlyArray<QueueName> = queues): ReadonlyArray<Held> {
    const out = this.lines.empty(of)
    for (const held of out) this.forget(held)
    return out
  }

  /** Queues whose first claim has waited for so many ms, all permits being in use. */
  stuck(ms: number): ReadonlyArray<QueueName> {
    const now = Date.now()
    if (this.stopping || this.draining || this.doubtful()) return []
    return queues.filter((queue) => {
      const first = this.lines.first(queue)
      if (first === undefined || now - first.claimedAt < ms || this.closed(queue) || this.permits(queue) > 0)
        return false
      this.ahead.waited(queue, now - first.claimedAt)
      return true
    })
  }

  /** Takes those out of what was claimed and not begun that are wanted, to be given back. */
  leave(queue: QueueName, wanted: (held: Held) => boolean): ReadonlyArray<Held> {
    const out = this.lines.take(queue, wanted)
    for (const held of out) this.forget(held)
    return out
  }

  /** Forgets a job whose claim is gone. */
  drop(held: Held): void {
    this.stop(held, "lost")
    this.forget(held)
    this.lost++
  }

  /** Its entry may have been claimed anew meanwhile, by this very worker: that claim stays. */
  private forget(held: Held): void {
    const byEntry = this.held.get(held.job.queue)
    if (byEntry?.get(held.job.entry) === held) byEntry.delete(held.job.entry)
  }

  private shift(queue: QueueName): Held {
    const held = this.lines.shift(queue)
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
    held.phase = "running"
    this.runningJobs.add(held)
    const told = this.told?.get(queue)
    if (told?.pausedTasks.has(held.job.task)) return this.end(held, { _tag: "Parked" })
    if (!this.options.limited(held.job.task)) this.starts(held)
    const revokedTo = told?.revokedTasks.get(held.job.task)
    if (
      (this.revoked.size > 0 && held.job.task !== linkTask && this.revoked.has(held.job.id)) ||
      (revokedTo !== undefined && since(held) <= revokedTo)
    ) {
      held.stopped = "revoked"
      return this.end(held, cancelled)
    }
    this.options.run(held, (ended) => this.end(held, ended))
  }

  /** A job begins: at once, or when its gate has let it through. */
  starts(held: Held): void {
    held.startedAt = Date.now()
    this.tally.started(held)
    this.options.began(held.job.task)
  }

  /** An attempt is left to itself. Returns what to call when its fiber ends after all. */
  stray(held: Held): () => void {
    this.abandoned++
    this.strays.add(held)
    return () => void this.strays.delete(held)
  }

  /** Other permits than before; at least one. */
  resize(shares: Shares, prefetch: number): void {
    this.shares = shares
    this.prefetch = prefetch
    for (const q of queues) if (this.wants(q)) this.room[q].ring()
    this.pump()
  }

  private end(held: Held, ended: Ended): void {
    this.running[held.job.queue]--
    this.runningJobs.delete(held)
    this.options.left(held)
    if (held.startedAt === 0) held.startedAt = Date.now()
    if (ended._tag === "Left" || held.stopped === "lost") {
      if (held.stopped === "lost") this.forget(held)
    } else this.options.settle(held, ended)
    this.pump()
    this.vacant()
  }
}

/** Revoked ids that are remembered: as many as are kept for the three queues. */
const revokedMax = 150_000

const cancelled: Ended = {
  _tag: "Outcome",
  outcome: { _tag: "Cancelled", reason: "revoked" },
  task: undefined,
  body: JSON.stringify({ _tag: "Cancelled", message: "revoked" })
}
