/**
 * How far a worker claims ahead, by queue. Promises that quick jobs are claimed in full batches, that of slow ones no more are
 * claimed than can begin within a moment, since another worker may be idle, and that large ones do not come by the hundred. One
 * is always claimed ahead, so that a permit goes to the queue whose turn it is. Until one has ended, jobs are taken for slow.
 */
import type { QueueName } from "../jobs/JobQueue.ts"
import type { Claimed } from "../streams/JobQueues.ts"
import { perQueue } from "./Lines.ts"

/** What is claimed ahead should begin within so many ms. */
const horizonMs = 250
/** Weight of the newest in a mean. */
const newest = 0.2
/** Characters of payloads claimed ahead. */
const charsMax = 4_194_304

export class Ahead {
  private readonly runMs = perQueue(() => 0)
  private readonly chars = perQueue(() => 0)
  private readonly known = perQueue(() => false)

  /** An attempt has run for so long. */
  ran(queue: QueueName, ms: number): void {
    this.known[queue] = true
    this.runMs[queue] += (Math.max(0, ms) - this.runMs[queue]) * newest
  }

  /** A claim has waited for so long because all permits are in use, so what runs is slow. */
  waited(queue: QueueName, ms: number): void {
    this.runMs[queue] = Math.max(this.runMs[queue], ms)
  }

  /** Jobs that were claimed. */
  claimed(queue: QueueName, jobs: ReadonlyArray<Claimed>): void {
    let chars = 0
    for (const job of jobs) chars += job.payload.length
    if (jobs.length > 0) this.chars[queue] += (chars / jobs.length - this.chars[queue]) * newest
  }

  /** Whether less than `prefetch` should be claimed ahead where `concurrency` run at once. */
  slow(queue: QueueName, prefetch: number, concurrency: number): boolean {
    return !this.known[queue] || this.runMs[queue] * prefetch > concurrency * horizonMs
  }

  /** How many slow ones may wait beyond those that can begin at once. */
  soon(queue: QueueName, concurrency: number): number {
    return this.known[queue] ? Math.max(1, Math.floor((concurrency * horizonMs) / this.runMs[queue])) : 1
  }

  /** As many of `count` as are not too large together. */
  fitting(queue: QueueName, count: number): number {
    return this.chars[queue] * count > charsMax ? Math.max(1, Math.floor(charsMax / this.chars[queue])) : count
  }
}
