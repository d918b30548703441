/**
 * Carries out outcomes in batches: one script per flush and queue, one event entry per batch. Promises that an outcome is
 * kept and tried again while Redis is away, and dropped where its claim was lost. While a flush is on its way the next
 * gathers, up to 128 outcomes.
 */
import type { QueueName } from "../jobs/JobQueue.ts"
import { queues } from "../jobs/JobQueue.ts"
import type { JobState } from "../jobs/Outcome.ts"
import { cut } from "../streams/Cut.ts"
import { isCluster } from "../streams/Connect.ts"
import * as Events from "../streams/Events.ts"
import * as JobQueues from "../streams/JobQueues.ts"
import * as Settling from "../streams/Settling.ts"
import { keysOf } from "../streams/Keys.ts"
import { type Client, together } from "../streams/Redis.ts"
import { type Item, itemOf, revokedItem } from "./EndItem.ts"
import type { Ended } from "./Ended.ts"
import type { Held } from "./Held.ts"
import { perQueue } from "./Lines.ts"

export interface SettlerOptions {
  readonly client: Client
  readonly namespace: string
  readonly consumer: string
  /** Results of more characters than this are kept beside their job; default: none. */
  readonly resultApartOver?: number
  /** Called for each attempt that is settled or refused. */
  readonly freed: (held: Held, state: JobState | "lost" | "told", endedAt: number) => void
  readonly warn: (message: string) => void
}

/** Scripts of one flush. */
const scriptsAtOnce = 32
/** So many outcomes leave at once, though more are about to come: Redis settles them while the rest of a batch still runs. */
const gatheredMax = 4 * JobQueues.scriptMax
/** Flushes of one queue under way at the same time. */
const flushesMax = 4

export class Settler {
  private readonly options: SettlerOptions
  private readonly pending = perQueue((): Array<Item> => [])
  /** Flushes under way, by queue, and of all. */
  private readonly flushing = perQueue(() => 0)
  private underWay = 0
  /** What was gathered last was one outcome: the next need not wait for others. */
  private alone = true
  private scheduled = false
  /** Outcomes not yet carried out. */
  size = 0

  /** Whether the events' key may stand in a queue's script. */
  private readonly tellsAtOnce: boolean

  constructor(options: SettlerOptions) {
    this.options = options
    this.tellsAtOnce = !isCluster(options.client)
  }

  push(held: Held, ended: Ended): void {
    held.phase = "settling"
    this.add(held.job.queue, itemOf(held, ended, this.options.resultApartOver))
  }

  /** Resolves once everything pushed is carried out, or after `ms`; true = all of it. */
  async drained(ms: number): Promise<boolean> {
    const until = performance.now() + ms
    while (this.size > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 5))
    return this.size === 0
  }

  private add(queue: QueueName, item: Item): void {
    const all = this.pending[queue]
    all.push(item)
    this.size++
    if (all.length >= gatheredMax && this.flushing[queue] < flushesMax) return void this.flush(queue)
    if (this.scheduled) return
    if (this.alone && this.underWay === 0) return void this.flush(queue)
    this.scheduled = true
    // What ends in the same breath goes together; while answers are awaited, a turn is gathered.
    if (this.underWay === 0) queueMicrotask(this.flushAll)
    else setImmediate(this.flushAll)
  }

  private readonly flushAll = (): void => {
    this.scheduled = false
    this.alone = queues.reduce((n, q) => n + this.pending[q].length, 0) === 1
    for (const q of queues) if (this.pending[q].length > 0 && this.flushing[q] === 0) void this.flush(q)
  }

  private async flush(queue: QueueName): Promise<void> {
    this.flushing[queue]++
    this.underWay++
    let failures = 0
    try {
      while (true) {
        const all = this.pending[queue]
        if (all.length === 0) return
        // As they were claimed, so that one look at the pending list finds the claims of a script.
        const now = all.splice(0, JobQueues.scriptMax * scriptsAtOnce).sort(byClaim)
        const batches = cut(now, JobQueues.scriptMax, charsOf)
        const send = () => batches.map((batch) => this.settle(queue, batch))
        const sent = batches.length === 1 ? send() : together(this.options.client, send)
        const ends = await Promise.allSettled(sent)
        const rows: Array<Events.PackedRow> = []
        let failed: unknown
        ends.forEach((end, i) => {
          const batch = batches[i] ?? []
          if (end.status === "fulfilled")
            this.conclude(queue, batch, end.value.refused, end.value.told ? undefined : rows)
          else {
            failed = end.reason
            all.unshift(...batch)
          }
        })
        // A lost event is told to waiting callers by their own check; it must not hold up the next batch.
        Events.emit(this.options.client, this.options.namespace, rows).catch(() => {})
        failures = failed === undefined ? 0 : failures + 1
        if (failed !== undefined) {
          this.options.warn(
            `settling ${queue} failed, trying again: ${failed instanceof Error ? failed.message : String(failed)}`
          )
          await new Promise((resolve) => setTimeout(resolve, Math.min(2_000, 50 * 2 ** Math.min(failures, 6))))
        }
      }
    } finally {
      this.flushing[queue]--
      this.underWay--
    }
  }

  private async settle(queue: QueueName, batch: ReadonlyArray<Item>): Promise<Settling.Settled> {
    const { client, consumer, namespace } = this.options
    const keys = keysOf(namespace)
    const settlements = batch.map((i) => i.settlement)
    const telling = this.tellsAtOnce && batch.length <= toldMax ? tellingOf(batch, keys.events) : undefined
    try {
      return await Settling.settle(client, keys.queue(queue), keys.control, consumer, settlements, telling)
    } catch (error) {
      if (JobQueues.isGroupLost(error)) await JobQueues.ensureGroup(client, keys.queue(queue))
      if (!JobQueues.isStrange(error)) throw error
      return await this.oneByOne(queue, batch)
    }
  }

  /** The record of one is no hash, which is nobody's of ours: it must not hold up the others, and there is nothing to write in. */
  private async oneByOne(queue: QueueName, batch: ReadonlyArray<Item>): Promise<Settling.Settled> {
    const { client, consumer, namespace, warn } = this.options
    const keys = keysOf(namespace)
    if (batch.length === 1) {
      const { held, settlement } = batch[0] as Item
      warn(`the record of job ${held.job.id} is not a hash: its end is not kept`)
      const acknowledged = { kind: "K", claim: settlement.claim } as const
      return Settling.settle(client, keys.queue(queue), keys.control, consumer, [acknowledged])
    }
    const all = new Map<number, Settling.Refusal>()
    for (const [i, item] of batch.entries()) {
      const { refused } = await this.settle(queue, [item])
      for (const refusal of refused.values()) all.set(i, refusal)
    }
    return { refused: all, told: false }
  }

  private conclude(
    queue: QueueName,
    batch: ReadonlyArray<Item>,
    refused: ReadonlyMap<number, Settling.Refusal>,
    /** Where the ends are still to be told. */
    rows: Array<Events.PackedRow> | undefined
  ): void {
    const now = Date.now()
    for (let i = 0; i < batch.length; i++) {
      const item = batch[i] as Item
      this.size--
      const refusal = refused.size === 0 ? undefined : refused.get(i)
      if (refusal === undefined) {
        if (item.row !== undefined)
          rows?.push(batch.length > toldMax ? item.row : withResult(item.row, item.settlement))
        this.options.freed(item.held, item.row === undefined ? "told" : item.row[2], item.row?.[6] ?? now)
      } else if (refusal === "revoked") this.add(queue, revokedItem(item.held))
      else this.options.freed(item.held, refusal === "lost" ? "lost" : "cancelled", now)
    }
  }
}

/** What a settlement has Redis copy: its body, and the payload of a job that is kept to go on. */
const charsOf = ({ held, settlement: s }: Item): number =>
  s.kind === "K"
    ? 0
    : s.body.length + (s.kind === "D" || s.kind === "d" || s.kind === "C" ? 0 : held.job.payload.length)

const byClaim = (a: Item, b: Item): number => a.held.order - b.held.order

/** Results as long as this, in characters, travel with the event of the job's end where it tells of at most so many jobs. */
const toldChars = 512
const toldMax = 8

/** The event of a few ends that are plainly done; undefined where some are not. */
const tellingOf = (batch: ReadonlyArray<Item>, events: string): Settling.Telling | undefined => {
  const rows = batch.flatMap(({ row, settlement }) => (row === undefined ? [] : [withResult(row, settlement)]))
  if (rows.length < batch.length || rows.some(([, , state]) => state !== "done")) return undefined
  return { events, rows: JSON.stringify(rows), keep: Events.keepOf(rows.length) }
}

const withResult = (row: Events.PackedRow, settlement: Settling.Settlement): Events.PackedRow => {
  if (row[2] !== "done" || settlement.kind === "K" || settlement.body.length > toldChars) return row
  if (settlement.body.startsWith(JobQueues.apart)) return row
  const [id, task, state, attempt, enqueuedAt, startedAt, finishedAt] = row
  return [id, task, state, attempt, enqueuedAt, startedAt, finishedAt, null, settlement.body]
}
