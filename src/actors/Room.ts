/**
 * Who may come in: what a worker may claim and begin, by its permits, what it holds, and what it was told of queues. Promises
 * no more than `prefetch` jobs of a queue ahead, and no more of slow ones than can begin soon while another worker may be idle.
 * Plain arithmetic, asked for every job; holding jobs is the matter of the desk.
 */
import { type QueueName, queues } from "../jobs/JobQueue.ts"
import { Ahead } from "./Ahead.ts"
import { Bell } from "./Bell.ts"
import { Lines, perQueue } from "./Lines.ts"
import type { PerQueue, Shares } from "./Share.ts"

/** Orphans that had no room are looked for at most this often, ms, as permits become free. */
const lookEveryMs = 100

export class Room {
  /** Permits and how they are shared; changed by growing and shrinking. */
  shares: Shares
  /** Jobs claimed ahead per queue. */
  prefetch: number
  readonly paused = new Set<QueueName>()
  /** Queues that this worker was told not to read. */
  readonly off = new Set<QueueName>()
  /** Told to finish what it runs and to take nothing new. */
  draining = false
  stopping = false
  readonly running = perQueue(() => 0)
  protected readonly lines = new Lines()
  readonly waiting: PerQueue = this.lines.waiting
  /** Rung when there is room for more jobs. */
  readonly room: Readonly<Record<QueueName, Bell>> = perQueue(() => new Bell())
  /** Rung when jobs were given back, or when there is room for orphans again. */
  readonly orphans = new Bell()
  protected readonly ahead = new Ahead()
  /** There may be orphans that nobody had room for; when that was last followed up. */
  private unlooked = false
  private lookedAt = Number.NEGATIVE_INFINITY

  constructor(shares: Shares, prefetch: number) {
    this.shares = shares
    this.prefetch = prefetch
  }

  /** True where nothing of a queue may be read or begun. */
  closed(queue: QueueName): boolean {
    return this.stopping || this.draining || this.paused.has(queue) || this.off.has(queue)
  }

  /** How many more jobs of a queue may be claimed. */
  free(queue: QueueName): number {
    return this.closed(queue) ? 0 : Math.max(0, this.most(queue) - this.waiting[queue])
  }

  /**
   * How many orphans of a queue may be taken over: there is always room for some beyond what is claimed ahead, or a backlog,
   * which fills that at once, would keep them waiting.
   */
  roomForOrphans(queue: QueueName): number {
    const most = this.prefetch + this.shares.concurrency
    return this.closed(queue) ? 0 : Math.max(0, most - this.waiting[queue])
  }

  /**
   * How many of them may be such as were given back: slow ones are left to whoever can begin them, or they would be handed on for
   * ever. When a permit becomes free `orphans` is rung.
   */
  roomForGiven(queue: QueueName): number {
    if (!this.slow(queue)) return this.roomForOrphans(queue)
    if (this.free(queue) === 0) this.unlooked = true
    return this.free(queue)
  }

  /** True where a read is worth its round trip: half of the room, or 64 places, is free. */
  wants(queue: QueueName): boolean {
    const waiting = this.waiting[queue]
    const most = this.most(queue)
    return waiting === 0 || waiting <= Math.max(most >> 1, most - 64)
  }

  /** Jobs that may begin, by queue. */
  protected startable(): PerQueue {
    if (!this.draining && this.paused.size === 0 && this.off.size === 0) return this.waiting
    return perQueue((queue) => (this.closed(queue) ? 0 : this.waiting[queue]))
  }

  /** How many jobs of a queue could begin now. */
  protected permits(queue: QueueName): number {
    let free = this.shares.concurrency
    for (const q of queues) free -= q === queue ? this.running[q] : Math.max(this.running[q], this.shares.reserved[q])
    return Math.max(0, free)
  }

  /** A permit may be free: of slow jobs another may be claimed now, and there may be orphans that had no room. */
  protected vacant(): void {
    for (const q of queues) if (this.slow(q) && this.wants(q) && this.free(q) > 0) this.room[q].ring()
    if (!this.unlooked || performance.now() - this.lookedAt < lookEveryMs) return
    this.unlooked = false
    this.lookedAt = performance.now()
    this.orphans.ring()
  }

  /** An attempt has taken so many ms. Whoever waits to claim more of what was thought slow hears where it is not. */
  protected took(queue: QueueName, ms: number): void {
    const slow = this.slow(queue)
    this.ahead.ran(queue, ms)
    if (slow && !this.slow(queue)) this.room[queue].ring()
  }

  /** How many jobs of a queue may wait here. */
  private most(queue: QueueName): number {
    const soon = this.slow(queue)
      ? this.ahead.soon(queue, this.shares.concurrency) + this.permits(queue)
      : this.prefetch
    return this.ahead.fitting(queue, Math.min(soon, this.prefetch))
  }

  private slow(queue: QueueName): boolean {
    return this.ahead.slow(queue, this.prefetch, this.shares.concurrency)
  }
}
