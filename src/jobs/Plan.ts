/**
 * Turns a job with its chain and group into flat entries with ids and links, ready to be stored. Promises that every id is
 * fixed before anything is sent, so that each later step can be repeated without harm. Pure.
 */
import { Result } from "effect"
import { type Issue, PayloadInvalid, PayloadTooLarge } from "./Engine.ts"
import { groupTask } from "./Flow.ts"
import type { Job } from "./Job.ts"
import { derivedId, freshId, type JobId, type QueueName } from "./JobQueue.ts"

/** Where a finished job reports: the next of its chain, or its place in a group. */
export type Link =
  | { readonly next: Entry }
  | { readonly join: { readonly id: JobId; readonly queue: QueueName; readonly index: number } }

/** What travels beside a payload; short names, since every queued job may carry one. */
export interface Meta {
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
  /** Unique key. */
  readonly u?: string
  /** What to tell when it ends. */
  readonly l?: Link
}

export interface Entry {
  readonly id: JobId
  readonly queue: QueueName
  readonly task: string
  readonly payload: unknown
  readonly meta?: Meta
}

export interface Plan {
  /** The id that the caller waits for: the last job's. */
  readonly id: JobId
  /** What is added now: the head of the chain, or the members of its group. */
  readonly heads: ReadonlyArray<Entry>
  /** Jobs that wait for others: known by id, not yet queued. */
  readonly waiting: ReadonlyArray<Entry>
  /** Groups to count down. */
  readonly groups: ReadonlyArray<{ readonly entry: Entry; readonly total: number }>
}

export interface PlanOptions {
  readonly now: number
  readonly maxPayloadBytes: number
  readonly id?: JobId | undefined
  readonly queue?: QueueName | undefined
  readonly expiresAt?: number | undefined
}

const maxMembers = 10_000

/** The plan of a job, or why it cannot be sent. */
export const plan = (
  job: Job<unknown>,
  options: PlanOptions
): Result.Result<Plan, PayloadInvalid | PayloadTooLarge> => {
  const heads: Array<Entry> = []
  const waiting: Array<Entry> = []
  const groups: Array<{ entry: Entry; total: number }> = []
  let minted = 0
  /** Ids derived from a chosen one, so that sending the same plan again adds nothing. */
  const mint = (queue: QueueName): JobId =>
    options.id === undefined ? freshId(queue, options.now) : derivedId(queue, options.id, ++minted)
  let fault: PayloadInvalid | PayloadTooLarge | undefined

  const payloadOf = (j: Job<unknown>): unknown => {
    if (Result.isFailure(j.payload)) {
      fault ??= new PayloadInvalid({ task: j.task, issues: j.payload.failure })
      return null
    }
    return j.payload.success
  }
  const refuse = (j: Job<unknown>, message: string) => {
    fault ??= new PayloadInvalid({ task: j.task, issues: [{ path: "", message } satisfies Issue] })
  }
  /** Lays out a chain from its end, so that each job knows the one after it. Returns the id of its last job. */
  const chain = (head: Job<unknown>, link: Link | undefined, top: boolean): JobId => {
    const jobs: Array<Job<unknown>> = []
    for (let j: Job<unknown> | undefined = head; j !== undefined; j = j.next) jobs.push(j)
    let then: Link | undefined = link
    let last: JobId | undefined
    for (let i = jobs.length - 1; i >= 0; i--) {
      const j = jobs[i] as Job<unknown>
      const queue = (top && i === 0 ? options.queue : undefined) ?? j.queue
      const chosen = top && i === jobs.length - 1 ? options.id : undefined
      const id = chosen ?? mint(queue)
      last ??= id
      const meta: { t?: number; u?: string; l?: Link; x?: number } = {}
      if (i === 0 && j.unique !== undefined) meta.u = `${j.task}:${j.unique}`
      if (i === 0 && options.expiresAt !== undefined) meta.x = options.expiresAt
      if (then !== undefined) meta.l = then
      const empty = meta.u === undefined && meta.x === undefined && meta.l === undefined
      const entry: Entry = { id, queue, task: j.task, payload: payloadOf(j), ...(empty ? {} : { meta }) }
      if (j.members !== undefined) {
        if (i > 0) refuse(j, "expected a group to stand first in its chain")
        if (j.members.length > maxMembers)
          refuse(j, `expected at most ${maxMembers} jobs in a group, got ${j.members.length}`)
        if (j.members.length === 0) heads.push({ ...entry, payload: { results: [] } })
        else {
          groups.push({ entry, total: j.members.length })
          waiting.push(entry)
          j.members.forEach((m, index) => chain(m, { join: { id, queue, index } }, false))
        }
      } else if (i === 0) heads.push(entry)
      else waiting.push(entry)
      then = { next: entry }
    }
    return last as JobId
  }
  const id = chain(job, undefined, true)
  if (fault !== undefined) return Result.fail(fault)
  for (const entry of [...heads, ...waiting]) {
    const bytes = entry.task === groupTask ? 0 : sizeOf(entry)
    if (bytes > options.maxPayloadBytes)
      return Result.fail(new PayloadTooLarge({ task: entry.task, bytes, limit: options.maxPayloadBytes }))
  }
  return Result.succeed({ id, heads, waiting, groups })
}

const sizeOf = (entry: Entry): number => {
  const text = JSON.stringify(entry.payload)
  return text === undefined ? 0 : text.length > 4_096 ? Buffer.byteLength(text) : text.length
}
