/**
 * Turns a job with its chain and group into flat entries with ids and links, ready to be stored. Promises that every id is
 * fixed before anything is sent, so that each later step can be repeated without harm. Pure.
 */
import { Result } from "effect"
import type { Called } from "./Calling.ts"
import { type Issue, PayloadInvalid, PayloadTooLarge } from "./Engine.ts"
import { groupTask, maxMembers } from "./Flow.ts"
import type { Data, Job } from "./Job.ts"
import { derivedId, freshId, type JobId, type QueueName } from "./JobQueue.ts"
import type { Loss } from "./Losses.ts"

/** Where a finished job reports: the next of its chain (a job, or all heads of a group), or its place in a group. */
export type Link =
  | { readonly next: Entry }
  | { readonly fan: { readonly id: JobId; readonly queue: QueueName; readonly task: string } }
  | { readonly join: { readonly id: JobId; readonly queue: QueueName; readonly index: number } }

/** What travels beside a payload; short names, since every queued job may carry one. */
export interface Meta {
  /** Id of the flow that it belongs to: that of the flow's last job. */
  readonly r?: JobId
  /** Jobs started when it fails or is cancelled. */
  readonly e?: ReadonlyArray<Entry>
  /** Jobs started beside what follows when it is done. */
  readonly b?: ReadonlyArray<Entry>
  /** Failures so far; the retry policy looks at it. */
  readonly f?: number
  /** Runs so far, those of lost workers included. */
  readonly a?: number
  /** Snoozes and unknown-task returns so far. */
  readonly s?: number
  /** Enqueued at, epoch ms, where the entry's own id no longer tells. */
  readonly t?: number
  /** Expires at, epoch ms. */
  readonly x?: number
  /** When a job that a rate refused may come again, epoch ms. */
  readonly g?: number
  /** The gate that gave that moment: the name of its state. Means nothing without `g`. */
  readonly q?: string
  /** Unique key. */
  readonly u?: string
  /** What to tell when it ends. */
  readonly l?: Link
  /** Earlier failures, newest last, at most 10. */
  readonly h?: ReadonlyArray<Failed>
  /** Threads that ended under it, newest last, at most 10. */
  readonly c?: ReadonlyArray<Loss>
  /** W3C traceparent of whoever enqueued it. */
  readonly w?: string
  /** Whom it is for (fair lanes). Stands first in the text. */
  readonly k?: string
  /** The job in whose handler it was enqueued. Stands first, or after `k`. */
  readonly p?: string
  /** 1: nothing is kept once it is done or cancelled; 2: its end is kept, as its id must stay known, but no result. */
  readonly i?: 1 | 2
  /** Retries that the caller asked for; -1 = for ever. */
  readonly n?: number
  /** Time limit of an attempt that the caller asked for, ms. */
  readonly d?: number
}

/** A failure that was tried again: attempt, epoch ms, tag, message of at most 200 characters. */
export type Failed = readonly [attempt: number, at: number, tag: string, message: string]

export interface Entry {
  readonly id: JobId
  readonly queue: QueueName
  readonly task: string
  readonly payload: unknown
  readonly meta?: Meta
  /** True where the result of the step before is not merged into the payload. */
  readonly fixed?: boolean
}

/** A group: how many it waits for, and the ids under which its members end. */
export interface Group {
  readonly entry: Entry
  readonly members: ReadonlyArray<JobId>
}

/** The jobs that begin when a group that stands after another step is reached. */
export interface Fan {
  readonly id: JobId
  readonly queue: QueueName
  readonly heads: ReadonlyArray<Entry>
}

export interface Plan {
  /** The id that the caller waits for: the last job's. */
  readonly id: JobId
  /** What is added now: the head of the chain, or the members of its group. */
  readonly heads: ReadonlyArray<Entry>
  /** Jobs that wait for others: known by id, not yet queued. The heads of fans are among them. */
  readonly waiting: ReadonlyArray<Entry>
  /** Groups to count down. */
  readonly groups: ReadonlyArray<Group>
  readonly fans: ReadonlyArray<Fan>
  /** Heads whose unique key is taken for a time (ms) instead of until their end. */
  readonly windows: ReadonlyMap<JobId, { readonly key: string; readonly withinMs: number }>
}

export interface PlanOptions {
  readonly now: number
  readonly maxPayloadBytes: number
  readonly id?: JobId | undefined
  readonly queue?: QueueName | undefined
  readonly expiresAt?: number | undefined
  readonly traceparent?: string | undefined
  /** What each job's meta begins with. */
  readonly meta?: Called["meta"] | undefined
  readonly ignoreResult?: boolean | undefined
}

/** Most jobs of one flow, and groups within each other. */
const maxJobs = 100_000
const maxDepth = 100
/** Most steps of one chain: each carries those after it, and Redis reads JSON at most 1,000 levels deep. */
const maxSteps = 250

/** The plan of a job, or why it cannot be sent. */
export const plan = (
  job: Job<unknown>,
  options: PlanOptions
): Result.Result<Plan, PayloadInvalid | PayloadTooLarge> => {
  const layout = new Layout(job, options)
  const heads = layout.chain(job, undefined, 0)
  if (layout.fault !== undefined) return Result.fail(layout.fault)
  const { fans, groups, id, waiting, windows } = layout
  for (const entry of [...heads, ...waiting]) {
    const bytes = entry.task === groupTask ? 0 : sizeOf(entry)
    if (bytes > options.maxPayloadBytes)
      return Result.fail(new PayloadTooLarge({ task: entry.task, bytes, limit: options.maxPayloadBytes }))
  }
  return Result.succeed({ id, heads, waiting, groups, fans, windows })
}

type Draft = { -readonly [K in keyof Meta]: Meta[K] }

class Layout {
  readonly waiting: Array<Entry> = []
  readonly groups: Array<Group> = []
  readonly fans: Array<Fan> = []
  readonly windows = new Map<JobId, { readonly key: string; readonly withinMs: number }>()
  readonly id: JobId
  fault: PayloadInvalid | PayloadTooLarge | undefined
  private readonly options: PlanOptions
  /** Undefined for a job alone: it is no flow. */
  private readonly flow: JobId | undefined
  private minted = 0
  private jobs = 0

  constructor(job: Data, options: PlanOptions) {
    this.options = options
    let last = job
    while (last.next !== undefined) last = last.next
    const queue = (last === job ? options.queue : undefined) ?? last.queue
    this.id = options.id ?? freshId(queue, options.now)
    this.flow = job.next === undefined && job.members === undefined ? undefined : this.id
  }

  /** Ids derived from a chosen one, so that sending the same plan again adds nothing. */
  private mint(queue: QueueName): JobId {
    const { id, now } = this.options
    return id === undefined ? freshId(queue, now) : derivedId(queue, id, ++this.minted)
  }

  private refuse(j: Data, message: string): void {
    this.fault ??= new PayloadInvalid({ task: j.task, issues: [{ path: "", message } satisfies Issue] })
  }

  private payloadOf(j: Data): unknown {
    if (Result.isSuccess(j.payload)) return j.payload.success
    this.fault ??= new PayloadInvalid({ task: j.task, issues: j.payload.failure })
    return null
  }

  /**
   * Lays out a chain from its end, so that each job knows the one after it. Returns what it begins with; the id of its last
   * job is `last`, if given.
   */
  chain(head: Data, link: Link | undefined, depth: number, last?: JobId): ReadonlyArray<Entry> {
    const steps: Array<Data> = []
    for (let j: Data | undefined = head; j !== undefined; j = j.next) steps.push(j)
    if (depth > maxDepth) this.refuse(head, `expected at most ${maxDepth} groups within each other`)
    if (steps.length > maxSteps) this.refuse(head, `expected at most ${maxSteps} steps in a chain, got ${steps.length}`)
    if ((this.jobs += steps.length) > maxJobs) this.refuse(head, `expected at most ${maxJobs} jobs in a flow`)
    if (this.fault !== undefined) return []
    let then = link
    let begin: ReadonlyArray<Entry> = []
    for (let i = steps.length - 1; i >= 0; i--) {
      const j = steps[i] as Data
      const queue = (depth === 0 && i === 0 ? this.options.queue : undefined) ?? j.queue
      const end = i === steps.length - 1
      const id = end && depth === 0 ? this.id : end && last !== undefined ? last : this.mint(queue)
      const entry = this.entry(j, id, queue, i === 0, then)
      const group = j.members !== undefined && j.members.length > 0
      begin = group ? this.group(j, entry, depth) : [entry]
      // Those that begin a chain are placed by whoever asked for it.
      if (i > 0) this.waiting.push(...begin)
      if (group && i > 0) this.fans.push({ id, queue, heads: begin })
      then = group ? { fan: { id, queue, task: groupTask } } : { next: entry }
    }
    return begin
  }

  /** Lays out a group's members; returns what they begin with. */
  private group(j: Data, entry: Entry, depth: number): ReadonlyArray<Entry> {
    const steps = j.members ?? []
    if (steps.length > maxMembers) {
      this.refuse(j, `expected at most ${maxMembers} jobs in a group, got ${steps.length}`)
      return []
    }
    const begin: Array<Entry> = []
    const members = steps.map((m, index) => {
      let last = m
      while (last.next !== undefined) last = last.next
      const id = this.mint(last.queue)
      for (const e of this.chain(m, { join: { id: entry.id, queue: entry.queue, index } }, depth + 1, id)) begin.push(e)
      return id
    })
    this.waiting.push(entry)
    this.groups.push({ entry, members })
    return begin
  }

  private entry(j: Data, id: JobId, queue: QueueName, first: boolean, then: Link | undefined): Entry {
    const { options } = this
    const engine = j.task === groupTask
    const meta: Draft = engine ? {} : { ...options.meta }
    if (first) this.hold(j, id, meta)
    // What follows is told by the job's id, so that must stay known.
    if (!engine && (options.ignoreResult ?? j.ignoreResult) === true) meta.i = 2
    if (first && options.expiresAt !== undefined) meta.x = options.expiresAt
    if (then !== undefined) meta.l = then
    if (options.traceparent !== undefined && !engine) meta.w = options.traceparent
    if (this.flow !== undefined) meta.r = this.flow
    const { done, failed } = j.callbacks ?? { done: [], failed: [] }
    if (done.length > 0) meta.b = done.map((c) => this.callback(c))
    if (failed.length > 0) meta.e = failed.map((c) => this.callback(c))
    const payload = j.members === undefined ? this.payloadOf(j) : { results: [] }
    return {
      id,
      queue,
      task: j.task,
      payload,
      ...(Object.keys(meta).length === 0 ? {} : { meta }),
      ...(j.merges ? {} : { fixed: true })
    }
  }

  private callback(j: Data): Entry {
    return { id: this.mint(j.queue), queue: j.queue, task: j.task, payload: this.payloadOf(j) }
  }

  /** Takes the unique key of a job that begins a chain. */
  private hold(j: Data, id: JobId, meta: Draft): void {
    if (j.unique === undefined) return
    const key = `${j.task}:${j.unique}`
    if (this.flow !== undefined && (j.uniqueness?.mode === "replace" || j.uniqueness?.mode === "debounce")) {
      this.refuse(j, `expected a job without unique mode "${j.uniqueness.mode}" in a chain or group`)
    }
    if (j.uniqueness?.withinMs === undefined) meta.u = key
    else this.windows.set(id, { key, withinMs: j.uniqueness.withinMs })
  }
}

const sizeOf = (entry: Entry): number => {
  const text = JSON.stringify(entry.payload)
  return text === undefined ? 0 : text.length > 4_096 ? Buffer.byteLength(text) : text.length
}
