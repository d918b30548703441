/**
 * Carries out outcomes in batches: one script per flush and queue, one event entry per batch. Promises that an outcome is
 * kept and tried again while Redis is away, and dropped where its claim was lost. While a flush is on its way the next
 * gathers.
 */
import type { Failure } from "../jobs/Engine.ts"
import type { QueueName } from "../jobs/JobQueue.ts"
import { queues } from "../jobs/JobQueue.ts"
import type { JobState } from "../jobs/Outcome.ts"
import type { Meta } from "../jobs/Plan.ts"
import { cut } from "../streams/Cut.ts"
import { isCluster } from "../streams/Connect.ts"
import * as Events from "../streams/Events.ts"
import * as Flows from "../streams/Flows.ts"
import * as JobQueues from "../streams/JobQueues.ts"
import * as Settling from "../streams/Settling.ts"
import { keysOf } from "../streams/Keys.ts"
import { type Client, together } from "../streams/Redis.ts"
import type { Ended } from "./Ended.ts"
import type { Held } from "./Held.ts"
import { perQueue } from "./Lines.ts"

interface Item {
  readonly held: Held
  readonly settlement: Settling.Settlement
  readonly row: Events.PackedRow | undefined
}

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

/** The failure of a dead job is kept this long at least: 7 days. */
const deadTtlMs = 604_800_000
const defaultTtlMs = 86_400_000
/** Failures of a job that are remembered. */
const historyMax = 10
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
    this.scheduled = true
    // What ends in the same breath goes together; while answers are awaited, a turn is gathered.
    if (this.underWay === 0) queueMicrotask(this.flushAll)
    else setImmediate(this.flushAll)
  }

  private readonly flushAll = (): void => {
    this.scheduled = false
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
        const sent = together(this.options.client, () => batches.map((batch) => this.settle(queue, batch)))
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

  private async settle(queue: QueueName, batch: ReadonlyArray<Item>) {
    const { client, consumer, namespace } = this.options
    const keys = keysOf(namespace)
    const settlements = batch.map((i) => i.settlement)
    const telling = this.tellsAtOnce && batch.length <= toldMax ? tellingOf(batch, keys.events) : undefined
    try {
      return await Settling.settle(client, keys.queue(queue), keys.control, consumer, settlements, telling)
    } catch (error) {
      if (JobQueues.isGroupLost(error)) await JobQueues.ensureGroup(client, keys.queue(queue))
      throw error
    }
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

/** What is kept of a result: nothing of one that is ignored, a mark before one that is kept apart. */
const keptOf = (meta: Meta | undefined, body: string, apartOver: number | undefined): string =>
  meta?.i !== undefined ? "null" : apartOver !== undefined && body.length > apartOver ? `>${body}` : body

const itemOf = (held: Held, ended: Ended, apartOver?: number): Item => {
  const claim = { entry: held.job.entry, count: held.count }
  if (ended._tag === "Later" || ended._tag === "Parked") return putBack(held, ended)
  if (ended._tag !== "Outcome") return { held, settlement: { kind: "K", claim }, row: undefined }
  const { body, outcome, task } = ended
  const now = Date.now()
  const { task: name } = held.job
  const id = ended.as ?? held.job.id
  const started = held.startedAt
  const base = { claim, id, task: name, run: `${held.attempt}:${held.enqueuedAt}:${started}:${now}`, body }
  const row = (state: JobState, error?: string): Events.PackedRow =>
    error === undefined
      ? [id, name, state, held.attempt, held.enqueuedAt, started, now]
      : [id, name, state, held.attempt, held.enqueuedAt, started, now, error]
  const { meta } = held
  const kept = task?.resultTtlMs ?? defaultTtlMs
  const ttl = meta?.i === 1 ? 0 : kept
  const unique = meta?.u ?? ""
  switch (outcome._tag) {
    case "Done": {
      const link = Flows.doneLink(meta, held.job.meta, body)
      const kind = link === "" && unique === "" ? "D" : "d"
      const settlement = {
        kind,
        ...base,
        body: keptOf(meta, body, apartOver),
        ms: ttl,
        meta: "",
        link,
        unique
      } as const
      return { held, settlement, row: row("done") }
    }
    case "Dead": {
      const link = Flows.failedLink(meta, held.job.meta, name, outcome.error)
      const ms = Math.max(kept, deadTtlMs)
      return {
        held,
        settlement: { kind: "X", ...base, ms, meta: "", link, unique },
        row: row("dead", textOf(outcome.error))
      }
    }
    case "Cancelled": {
      const link = Flows.failedLink(meta, held.job.meta, name, { _tag: "Cancelled", message: outcome.reason })
      return {
        held,
        settlement: { kind: "C", ...base, ms: ttl, meta: "", link, unique },
        row: row("cancelled", outcome.reason)
      }
    }
    case "Retry": {
      const failed = [held.attempt, now, outcome.error._tag, (outcome.error.message ?? "").slice(0, 200)] as const
      const h = [...(meta?.h ?? []).slice(1 - historyMax), failed]
      const next: Meta = { ...meta, t: held.enqueuedAt, f: (meta?.f ?? 0) + 1, a: held.attempt, h }
      const settlement = {
        kind: "R",
        ...base,
        ms: outcome.delayMs,
        meta: JSON.stringify(next),
        link: "",
        unique: ""
      } as const
      return { held, settlement, row: row("retrying", textOf(outcome.error)) }
    }
    case "Snoozed": {
      // A snooze is no attempt: runs and failures stay as they were.
      const next: Meta = { ...meta, t: held.enqueuedAt, s: (meta?.s ?? 0) + 1 }
      const settlement = {
        kind: "S",
        ...base,
        ms: outcome.delayMs,
        meta: JSON.stringify(next),
        link: "",
        unique: ""
      } as const
      return { held, settlement, row: row("scheduled") }
    }
  }
}

/** A job that may not start yet: neither an attempt nor an event. */
const putBack = (held: Held, ended: Extract<Ended, { readonly _tag: "Later" | "Parked" }>): Item => {
  const { g: _, ...meta } = held.meta ?? {}
  const slot = ended._tag === "Later" ? ended.slot : undefined
  const next: Meta = { ...meta, t: held.enqueuedAt, ...(slot === undefined ? {} : { g: slot }) }
  const settlement = {
    kind: ended._tag === "Later" ? "S" : "P",
    claim: { entry: held.job.entry, count: held.count },
    id: held.job.id,
    task: held.job.task,
    run: `${held.attempt - 1}:${held.enqueuedAt}::`,
    body: "",
    ms: ended._tag === "Later" ? Math.max(1, Math.ceil(ended.delayMs)) : 1,
    meta: JSON.stringify(next),
    link: "",
    unique: ""
  } as const
  return { held, settlement, row: undefined }
}

const revokedItem = (held: Held): Item =>
  itemOf(held, {
    _tag: "Outcome",
    outcome: { _tag: "Cancelled", reason: "revoked" },
    task: undefined,
    body: JSON.stringify({ _tag: "Cancelled", message: "revoked" })
  })

const textOf = (error: Failure): string =>
  `${error._tag}${error.message === undefined ? "" : `: ${error.message}`}`.slice(0, 500)
