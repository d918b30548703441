/**
 * Sends jobs to Redis Streams. Promises that a lone enqueue leaves at once, that those made together travel in few scripts, and
 * that an id is only told once its job is stored.
 */
import { Result } from "effect"
import * as Calling from "../jobs/Calling.ts"
import {
  type Enqueued,
  type EnqueueError,
  type EnqueueOptions,
  PayloadInvalid,
  PayloadTooLarge
} from "../jobs/Engine.ts"
import type { Job } from "../jobs/Job.ts"
import { chosenId, freshId, type JobId, type QueueName, queueOf, queues } from "../jobs/JobQueue.ts"
import { type Entry, type Meta, plan } from "../jobs/Plan.ts"
import { Announcer } from "./Announcer.ts"
import * as Events from "./Events.ts"
import * as FlowStore from "./FlowStore.ts"
import * as JobQueues from "./JobQueues.ts"
import { keysOf } from "./Keys.ts"
import { cut } from "./Cut.ts"
import * as Limits from "./Limits.ts"
import { type Client, together } from "./Redis.ts"

/** What callers may say, and where they stand: their trace, and the job in whose handler they are. */
export type SendOptions = EnqueueOptions & {
  readonly traceparent?: string | undefined
  readonly parent?: string | undefined
}
type Settle = (result: Result.Result<Enqueued, EnqueueError>) => void
interface Pending {
  readonly addition: JobQueues.Addition
  readonly parent?: string | undefined
  readonly settle: Settle
}

/** Of so many gathered jobs the first leave at once: Redis stores them while the rest of a large bulk is still being encoded. */
const sendAtMost = 4 * JobQueues.scriptMax

/** Children of one job that are remembered, the newest, and for how long after the last came: 1 day. */
const childrenMax = 10_000
const childrenTtlMs = 86_400_000

export class Sender {
  private readonly client: Client
  private readonly namespace: string
  readonly limits: Limits.Limits
  private readonly pending = new Map<QueueName, Array<Pending>>(queues.map((q) => [q, []]))
  private readonly announcer: Announcer
  private scheduled = false
  /** Scripts without an answer so far. */
  private underWay = 0
  /** What was gathered last was one job: the next need not wait for others. */
  private alone = true

  constructor(client: Client, namespace: string, limits: Limits.Limits) {
    this.client = client
    this.namespace = namespace
    this.limits = limits
    this.announcer = new Announcer(client, namespace)
  }

  /** Tells of what was enqueued last. */
  close(): Promise<void> {
    return this.announcer.flush()
  }

  /** Plans a job and sends it. `settle` is called once, with the id that the caller waits for. */
  send(job: Job<unknown>, options: SendOptions | undefined, settle: Settle): void {
    const now = Date.now()
    const alone = job.next === undefined && job.members === undefined && job.callbacks === undefined
    if (alone) return this.sendOne(job, options, now, settle)
    this.sendPlan(job, options, now).then(settle, (cause: unknown) =>
      settle(Result.fail(Limits.refusal(job.queue, this.limits, "enqueue", cause)))
    )
  }

  private sendOne(job: Job<unknown>, options: SendOptions | undefined, now: number, settle: Settle): void {
    if (Result.isFailure(job.payload)) {
      return settle(Result.fail(new PayloadInvalid({ task: job.task, issues: job.payload.failure })))
    }
    const queue = options?.queue ?? job.queue
    const id = idFor(queue, options, now)
    if (id === undefined) return settle(Result.fail(badId(job.task)))
    const payload = JSON.stringify(job.payload.success) ?? "null"
    const tooLarge = this.tooLarge(job.task, payload)
    if (tooLarge !== undefined) return settle(Result.fail(tooLarge))
    const read = Calling.read(options, options?.parent, now)
    if (Result.isFailure(read))
      return settle(Result.fail(new PayloadInvalid({ task: job.task, issues: [read.failure] })))
    const called = read.success
    const { uniqueness } = job
    const delayMs = called.delayMs ?? (uniqueness?.mode === "debounce" ? uniqueness.withinMs : undefined)
    const unique = job.unique === undefined ? undefined : `${job.task}:${job.unique}`
    const ignore = (called.ignoreResult ?? job.ignoreResult) === true
    let meta = ""
    if (unique !== undefined || delayMs !== undefined || ignore || options !== undefined) {
      const w = options?.traceparent
      const timed = delayMs !== undefined || called.meta.k !== undefined
      const all: Meta = {
        ...called.meta,
        ...(w === undefined ? {} : { w }),
        ...(timed ? { t: now } : {}),
        ...(called.expiresAt === undefined ? {} : { x: called.expiresAt }),
        ...(unique === undefined || isWindow(uniqueness) ? {} : { u: unique }),
        ...(ignore ? { i: options?.id === undefined ? 1 : 2 } : {})
      }
      const text = JSON.stringify(all)
      if (text !== "{}") meta = text
    }
    const check = unique !== undefined ? checkOf(unique, uniqueness) : options?.id !== undefined ? "c" : ""
    const addition = { id, task: job.task, payload, meta, delayMs, check }
    this.push(queue, { addition, parent: options?.parent, settle })
  }

  private async sendPlan(
    job: Job<unknown>,
    options: SendOptions | undefined,
    now: number
  ): Promise<Result.Result<Enqueued, EnqueueError>> {
    const last = lastOf(job)
    const chosen = options?.id === undefined ? undefined : idFor(last, options, now)
    if (options?.id !== undefined && chosen === undefined) return Result.fail(badId(job.task))
    const read = Calling.read(options, options?.parent, now)
    if (Result.isFailure(read)) return Result.fail(new PayloadInvalid({ task: job.task, issues: [read.failure] }))
    const { delayMs, expiresAt, ignoreResult, meta } = read.success
    const planned = plan(job, {
      now,
      maxPayloadBytes: this.limits.maxPayloadBytes,
      id: chosen,
      queue: options?.queue,
      expiresAt,
      traceparent: options?.traceparent,
      meta,
      ignoreResult
    })
    if (Result.isFailure(planned)) return Result.fail(planned.failure)
    const { heads, id, windows } = planned.success
    await FlowStore.prepare(this.client, keysOf(this.namespace), planned.success, delayMs)
    const sent = heads.map((head) => {
      const window = windows.get(head.id)
      const unique = window?.key ?? head.meta?.u
      const uniqueness = window && { mode: "refuse" as const, withinMs: window.withinMs, maxWaitMs: undefined }
      return this.sendEntry(head, delayMs, now, unique === undefined ? "c" : checkOf(unique, uniqueness))
    })
    const ends = await Promise.all(sent)
    const refused = ends.find((r) => Result.isFailure(r))
    if (refused !== undefined) {
      // With an id of its own nobody will send it again: what is in must not wait for the rest.
      if (chosen === undefined) await FlowStore.abandon(this.client, this.namespace, id)
      return refused
    }
    const duplicate = ends.length > 0 && ends.every((r) => Result.isSuccess(r) && r.success.duplicate)
    // A unique head that is held by another job: that job's id is the only one the caller can wait for.
    const held = heads.length === 1 ? ends[0] : undefined
    if (duplicate && held !== undefined && Result.isSuccess(held) && held.success.id !== heads[0]?.id) return held
    const taken = heads.flatMap((head, i) => {
      const end = ends[i]
      return end !== undefined && Result.isSuccess(end) && end.success.id !== head.id
        ? [[head.id, end.success.id] as const]
        : []
    })
    // A member that another job stands for will not end under its own id: its group fails.
    for (const [own, holder] of taken) await FlowStore.displaced(this.client, this.namespace, own, holder)
    if (options?.parent !== undefined && !duplicate) this.adopt(options.parent, [id])
    return Result.succeed({ id, duplicate })
  }

  private sendEntry(entry: Entry, delayMs: number | undefined, now: number, check: string) {
    const timed = delayMs !== undefined || entry.meta?.k !== undefined
    const meta = timed ? { ...entry.meta, t: now } : entry.meta
    return new Promise<Result.Result<Enqueued, EnqueueError>>((settle) =>
      this.push(entry.queue, {
        addition: {
          id: entry.id,
          task: entry.task,
          payload: JSON.stringify(entry.payload) ?? "null",
          meta: meta === undefined ? "" : JSON.stringify(meta),
          delayMs,
          check
        },
        settle
      })
    )
  }

  /** Tells a job of its children: for those who look, so a lost line must not make an enqueue fail that has succeeded. */
  private adopt(parent: string, ids: ReadonlyArray<JobId>): void {
    const queue = queueOf(parent)
    if (queue === undefined) return
    const key = keysOf(this.namespace).queue(queue).children(parent)
    const pipeline = this.client.pipeline()
    pipeline
      .rpush(key, ...ids)
      .ltrim(key, -childrenMax, -1)
      .pexpire(key, childrenTtlMs)
    pipeline.exec().catch(() => {})
  }

  private adoptAll(batch: ReadonlyArray<Pending>, added: ReadonlyArray<JobQueues.Added>): void {
    const children = batch.filter((p, i) => p.parent !== undefined && (added[i] === "added" || isNew(added[i])))
    if (children.length === 0) return
    for (const [parent, all] of Map.groupBy(children, (p) => p.parent ?? "")) {
      this.adopt(
        parent,
        all.map((p) => p.addition.id)
      )
    }
  }

  private tooLarge(task: string, payload: string): PayloadTooLarge | undefined {
    const limit = this.limits.maxPayloadBytes
    if (payload.length * 3 <= limit) return undefined
    const bytes = Buffer.byteLength(payload)
    return bytes > limit ? new PayloadTooLarge({ task, bytes, limit }) : undefined
  }

  private push(queue: QueueName, pending: Pending): void {
    if (this.alone && this.underWay === 0 && !this.scheduled) return this.start(queue, [pending])
    const all = this.pending.get(queue) ?? []
    all.push(pending)
    if (all.length >= (this.underWay === 0 ? JobQueues.scriptMax : sendAtMost)) return this.sendAll()
    if (this.scheduled) return
    this.scheduled = true
    // Those called in the same breath go together; while answers are awaited, a turn is gathered.
    if (this.underWay === 0) process.nextTick(this.sendAll)
    else setImmediate(this.sendAll)
  }

  private readonly sendAll = (): void => {
    this.scheduled = false
    this.alone = queues.reduce((n, name) => n + (this.pending.get(name)?.length ?? 0), 0) === 1
    together(this.client, () => {
      for (const name of queues) {
        const all = this.pending.get(name) ?? []
        if (all.length === 0) continue
        this.pending.set(name, [])
        for (const batch of cut(all, JobQueues.scriptMax, (p) => p.addition.payload.length)) {
          this.start(name, batch)
        }
      }
    })
  }

  private start(queue: QueueName, batch: ReadonlyArray<Pending>): void {
    this.underWay++
    void this.flush(queue, batch).finally(() => this.underWay--)
  }

  private async flush(queue: QueueName, batch: ReadonlyArray<Pending>): Promise<void> {
    const keys = keysOf(this.namespace)
    try {
      const control = keys.control
      const jobs = batch.map((p) => p.addition)
      const added = await JobQueues.add(this.client, keys.queue(queue), control, this.limits.maxQueued, jobs)
      const now = Date.now()
      this.adoptAll(batch, added)
      added.forEach((what, i) => {
        const { addition, settle } = batch[i] as Pending
        const { delayMs, id, task } = addition
        if (what === "full") return settle(Result.fail(Limits.full(queue, this.limits)))
        if (what !== "added" && "known" in what) return settle(Result.succeed({ id: what.known, duplicate: true }))
        if (what !== "added" && "updated" in what) {
          return settle(Result.succeed({ id: what.updated, duplicate: false, replaced: what.updated }))
        }
        this.announcer.add([id, task, delayMs === undefined ? "queued" : "scheduled", 0, now, null, null])
        if (what === "added") return settle(Result.succeed({ id, duplicate: false }))
        // Whoever waits for it must hear that it is cancelled.
        const row = [what.displaced, task, "cancelled", 0, null, null, now, `replaced by ${id}`] as const
        Events.emit(this.client, this.namespace, [row]).catch(() => {})
        settle(Result.succeed({ id, duplicate: false, replaced: what.displaced }))
      })
    } catch (cause) {
      const error = Limits.refusal(queue, this.limits, "enqueue", cause)
      for (const p of batch) p.settle(Result.fail(error))
    }
  }
}

const isNew = (what: JobQueues.Added | undefined): boolean => typeof what === "object" && "displaced" in what

/** True where the key is held for a time, whatever becomes of its job: then the job's end must not free it. */
const isWindow = (u: Calling.Uniqueness | undefined): boolean => u?.mode === "refuse" && u.withinMs !== undefined

/** As enqueue.lua reads it. */
const checkOf = (key: string, u: Calling.Uniqueness | undefined): string => {
  if (u === undefined) return `u${key}`
  const w = u.mode === "debounce" ? undefined : u.withinMs
  return JSON.stringify({ u: key, m: u.mode === "replace" ? "p" : u.mode[0], w: w && Math.ceil(w), x: u.maxWaitMs })
}

const idFor = (queue: QueueName, options: EnqueueOptions | undefined, now: number): JobId | undefined =>
  options?.id === undefined ? freshId(queue, now) : chosenId(queue, options.id)

const lastOf = (job: Job<unknown>): QueueName => {
  let j: Pick<Job<unknown>, "next" | "queue"> = job
  while (j.next !== undefined) j = j.next
  return j.queue
}

const badId = (task: string) =>
  new PayloadInvalid({
    task,
    issues: [{ path: "options.id", message: "expected 1-200 of A-Z a-z 0-9 _ . : @ / + -" }]
  })
