/**
 * Tells of jobs just enqueued, for the eye: many enqueues in one event, a little later, so that the telling never slows the
 * enqueueing down. Promises at most so many rows each interval; a burst is known by its queue's length anyway.
 */
import * as Events from "./Events.ts"
import type { Client } from "./Redis.ts"

/** ms between two events. */
const everyMs = 10
/** Rows of one event. */
const rowsMax = 64

export class Announcer {
  private readonly client: Client
  private readonly namespace: string
  private rows: Array<Events.PackedRow> = []
  private timer: NodeJS.Timeout | undefined

  constructor(client: Client, namespace: string) {
    this.client = client
    this.namespace = namespace
  }

  add(row: Events.PackedRow): void {
    if (this.rows.length >= rowsMax) return
    this.rows.push(row)
    this.timer ??= setTimeout(() => void this.flush(), everyMs)
  }

  /** Sends what is there; a lost event must not make an enqueue fail that has succeeded. */
  async flush(): Promise<void> {
    clearTimeout(this.timer)
    this.timer = undefined
    const rows = this.rows
    this.rows = []
    await Events.emit(this.client, this.namespace, rows).catch(() => {})
  }
}
