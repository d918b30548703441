/** Jobs claimed and not begun, a line per queue, first come first out. Plain calls on arrays: this is the hot path. */
import { type QueueName, queues } from "../jobs/JobQueue.ts"
import type { Held } from "./Held.ts"

/** Something for each queue. */
export const perQueue = <A>(make: (queue: QueueName) => A): Record<QueueName, A> => ({
  "high-priority": make("high-priority"),
  default: make("default"),
  "low-priority": make("low-priority")
})

/** Places before the first of a line that are freed at once. */
const spentMax = 1_024

export class Lines {
  /** How many wait, by queue. */
  readonly waiting = perQueue(() => 0)
  private readonly buffers = perQueue((): Array<Held> => [])
  private readonly heads = perQueue(() => 0)

  push(held: Held): void {
    this.buffers[held.job.queue].push(held)
    this.waiting[held.job.queue]++
  }

  /** The first of a line that is not empty. */
  shift(queue: QueueName): Held {
    const buffer = this.buffers[queue]
    const held = buffer[this.heads[queue]++] as Held
    this.waiting[queue]--
    if (this.waiting[queue] === 0) {
      buffer.length = 0
      this.heads[queue] = 0
    } else if (this.heads[queue] > spentMax) {
      buffer.splice(0, this.heads[queue])
      this.heads[queue] = 0
    }
    return held
  }

  /** The first of a line, which stays. */
  first(queue: QueueName): Held | undefined {
    return this.buffers[queue][this.heads[queue]]
  }

  /** Takes those out that are wanted, asked from the last on. */
  take(queue: QueueName, wanted: (held: Held) => boolean): ReadonlyArray<Held> {
    const left: Array<Held> = []
    const out: Array<Held> = []
    for (const held of this.buffers[queue].slice(this.heads[queue]).toReversed()) (wanted(held) ? out : left).push(held)
    this.buffers[queue] = left.toReversed()
    this.heads[queue] = 0
    this.waiting[queue] = left.length
    return out
  }

  /** Takes everything out that waits in these queues, in its order. */
  empty(of: ReadonlyArray<QueueName> = queues): ReadonlyArray<Held> {
    return of.flatMap((queue) => this.take(queue, () => true).toReversed())
  }
}
