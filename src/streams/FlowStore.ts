/**
 * What Redis keeps of a flow: its waiting jobs, its groups, the lists of its ids. Promises that writing a plan twice changes
 * nothing, that every key has a time to live, and that no command touches more than one slot or a few dozen jobs.
 */
import type { ChainableCommander } from "ioredis"
import type { Failure } from "../jobs/Engine.ts"
import { type JobId, queueOf, queues } from "../jobs/JobQueue.ts"
import { isFinal } from "../jobs/Outcome.ts"
import type { Entry, Link, Meta, Plan } from "../jobs/Plan.ts"
import * as Events from "./Events.ts"
import * as Gates from "./Gates.ts"
import * as JobQueues from "./JobQueues.ts"
import { group, type Keys, keysOf } from "./Keys.ts"
import type { Client } from "./Redis.ts"
import * as Scripts from "./Scripts.ts"

/** How long a job may wait for others, and how long the failure of one that waited in vain is kept: 7 days. */
export const waitingTtlMs = 604_800_000
/** How long the ids of a group are kept after its end: 1 day. */
const endedTtlMs = 86_400_000
/** How long gathered results are kept, should the worker that gathered them die: 10 minutes. */
const gatheredTtlMs = 600_000
const bytesPerScript = 262_144
const scriptsAtOnce = 16

/** Parts of at most `scriptMax` and some hundred KB, so that no script holds Redis for long. */
export const parts = <A>(all: ReadonlyArray<A>, bytes: (a: A) => number): ReadonlyArray<ReadonlyArray<A>> => {
  const out: Array<Array<A>> = []
  let size = 0
  for (const a of all) {
    const part = out.at(-1)
    if (part === undefined || part.length >= JobQueues.scriptMax || size > bytesPerScript) {
      out.push([a])
      size = 0
    } else part.push(a)
    size += bytes(a)
  }
  return out
}

/** Runs `f` for each, some of them at the same time. */
export const some = async <A>(all: ReadonlyArray<A>, f: (a: A) => Promise<unknown>): Promise<void> => {
  for (let i = 0; i < all.length; i += scriptsAtOnce) await Promise.all(all.slice(i, i + scriptsAtOnce).map(f))
}

/** A list of ids, in pages of `scriptMax`: small, and written twice without harm. */
const writeIds = async (client: Client, key: string, ids: ReadonlyArray<string>, ttlMs: number): Promise<void> => {
  const pages = parts(ids, () => 0).map((page, i) => [String(i), JSON.stringify(page)] as const)
  for (let i = 0; i < pages.length; i += 64) {
    const page = pages.slice(i, i + 64).flat()
    await whole(
      client
        .multi()
        .hset(key, ...page)
        .pexpire(key, ttlMs)
    )
  }
}

/** Both or neither, also where the server dies in between: what is written without a time to live would stay for ever. */
const whole = async (transaction: ChainableCommander): Promise<void> => {
  for (const [error] of (await transaction.exec()) ?? []) if (error !== null) throw error
}

/** One page of such a list; undefined after the last. */
export const readIds = async (
  client: Client,
  key: string,
  page: number
): Promise<ReadonlyArray<string> | undefined> => {
  const text = await client.hget(key, String(page))
  return text === null ? undefined : (JSON.parse(text) as ReadonlyArray<string>)
}

/** A link as it is kept with a job that waits: where to, not what. */
const brief = (link: Link): Link =>
  "next" in link ? { next: { id: link.next.id, queue: link.next.queue, task: link.next.task, payload: null } } : link

const metaText = (entry: Entry, full: boolean): string => {
  if (entry.meta === undefined) return ""
  const { l } = entry.meta
  return JSON.stringify(full || l === undefined ? entry.meta : { ...entry.meta, l: brief(l) })
}

/**
 * Writes down the jobs, groups and ids of a flow, before its heads are added. `delayMs`: how much later it begins. Where it
 * is cut off in the middle nothing of it runs, and what is there goes by itself.
 */
export const prepare = async (client: Client, keys: Keys, plan: Plan, delayMs = 0): Promise<void> => {
  if (plan.waiting.length === 0) return
  const ttl = waitingTtlMs + Math.ceil(delayMs)
  const begin = new Set<string>(plan.fans.flatMap((fan) => fan.heads.map((head) => head.id)))
  const { id } = plan
  for (const queue of queues) {
    const k = keys.queue(queue)
    // Those that are sent at once bring their payload and meta with them; those that wait are cancelled with their meta.
    const own = [
      ...plan.waiting.map((entry) => ({ entry, payload: begin.has(entry.id) ? text(entry) : "" })),
      ...plan.heads.map((entry) => ({ entry, payload: "" }))
    ].filter((w) => w.entry.queue === queue)
    await some(
      parts(own, (w) => w.payload.length + 200),
      (part) =>
        Scripts.prepare(
          client,
          [k.jobs],
          [
            k.prefix,
            ttl,
            id,
            ...part.flatMap(({ entry, payload }) => [
              entry.id,
              entry.task,
              payload,
              metaText(entry, payload !== ""),
              entry.fixed === true ? "1" : ""
            ])
          ]
        )
    )
  }
  await some(plan.groups, async ({ entry, members }) => {
    const k = keys.queue(entry.queue)
    const key = k.flow(entry.id)
    // Waiting members first: where the group is known, all of it is.
    await writeIds(client, k.members(entry.id), members, ttl)
    const transaction = client
      .multi()
      .hsetnx(key, "total", members.length)
      .hsetnx(key, "meta", entry.meta === undefined ? "" : JSON.stringify(entry.meta))
      .hsetnx(key, "left", members.length)
    transaction.call("PEXPIRE", key, ttl, "NX")
    await whole(transaction)
  })
  await some(plan.fans, ({ heads, id: to, queue }) =>
    writeIds(
      client,
      keys.queue(queue).heads(to),
      heads.map((head) => head.id),
      ttl
    )
  )
  // What waits comes first, so that whoever cancels the flow stops what would start the rest.
  const all = [...plan.waiting.toReversed(), ...plan.heads].map((entry) => entry.id)
  await writeIds(client, keys.queue(queueOf(id) ?? "default").all(id), all, ttl)
}

const text = (entry: Entry): string => JSON.stringify(entry.payload) ?? "null"

/** What is kept of a job that waits to begin with a group. */
export interface Waiting {
  readonly id: JobId
  readonly state: string | null
  readonly payload: string
  readonly meta: string
  readonly task: string
  readonly fixed: boolean
}

/** Jobs that wait to begin, by id; all of one queue. */
export const waiting = async (
  client: Client,
  keys: Keys,
  ids: ReadonlyArray<string>
): Promise<ReadonlyArray<Waiting>> => {
  const pipeline = client.pipeline()
  for (const id of ids) {
    pipeline.hmget(keys.queue(queueOf(id) ?? "default").job(id), "state", "payload", "meta", "task", "fixed")
  }
  return ((await pipeline.exec()) ?? []).map(([error, row], i) => {
    if (error !== null) throw error
    const [state, payload, meta, task, fixed] = row as ReadonlyArray<string | null>
    return {
      id: ids[i] as JobId,
      state: state ?? null,
      payload: payload ?? "null",
      meta: meta ?? "",
      task: task ?? "",
      fixed: fixed === "1"
    }
  })
}

/** The results of a complete group as the text of its own result, or why there is none. Throws where Redis fails. */
export const gather = async (
  carrier: { readonly client: Client; readonly namespace: string },
  id: string,
  total: number,
  flow: string | undefined
): Promise<{ readonly text: string } | { readonly failure: Failure }> => {
  const { client } = carrier
  const keys = keysOf(carrier.namespace)
  const k = keys.queue(queueOf(id) ?? "default")
  const results: Array<string> = []
  for (let i = 0; i < total; i += 500) {
    const fields = Array.from({ length: Math.min(500, total - i) }, (_, n) => `r${i + n}`)
    for (const result of await client.hmget(k.flow(id), ...fields)) {
      if (result === null) {
        return { failure: { _tag: "FlowExpired", message: `the results of group ${id} are gone: kept for 7 days` } }
      }
      results.push(result)
    }
  }
  await client.pexpire(k.flow(id), gatheredTtlMs)
  await client.pexpire(k.members(id), endedTtlMs)
  if (flow === id) await client.pexpire(k.all(id), endedTtlMs)
  return { text: `{"results":[${results.join(",")}]}` }
}

/** What became of the jobs of a flow that was revoked. `requested`: a worker holds them and has been told. */
export interface FlowRevoked {
  readonly cancelled: number
  readonly requested: number
  /** Those that had ended before, or have long gone. */
  readonly ended: number
}

/** Cancels all of a flow, wherever its jobs are, by the id of any of them. A job alone is cancelled as a flow of one. */
export const revoke = async (
  carrier: { readonly client: Client; readonly namespace: string },
  id: string,
  options: { readonly terminate: boolean; readonly error: string; readonly ttlMs: number }
): Promise<FlowRevoked> => {
  const { client, namespace } = carrier
  const keys = keysOf(namespace)
  const queue = queueOf(id)
  const counts = { cancelled: 0, requested: 0, ended: 0 }
  if (queue === undefined) return counts
  const root = (await client.hget(keys.queue(queue).job(id), "flow")) ?? id
  const list = keys.queue(queueOf(root) ?? queue).all(root)
  for (let page = 0; ; page++) {
    const listed = await readIds(client, list, page)
    const ids = listed ?? (page === 0 ? [id] : [])
    if (ids.length === 0) return counts
    const rows: Array<Events.PackedRow> = []
    await some(ids, async (one) => {
      const k = keys.queue(queueOf(one) ?? queue)
      const terminate = options.terminate ? "1" : "0"
      const [status, task, ...moment] = await Scripts.revoke(
        client,
        [k.jobs, k.delayed, k.revoked],
        [k.prefix, group, one, terminate, options.ttlMs, keys.control, options.error, listed === undefined ? "" : "f"]
      )
      await Gates.giveBack(client, moment)
      if (status === "cancelled") rows.push([one, task, "cancelled", 0, null, null, Date.now(), "revoked"])
      counts[status === "cancelled" || status === "requested" ? status : "ended"]++
    })
    await Events.emit(client, namespace, rows)
  }
}

/** Cancels what is in of a flow that could not be sent whole; as far as Redis can be reached. */
export const abandon = async (client: Client, namespace: string, id: string): Promise<void> => {
  const error = JSON.stringify({ _tag: "Cancelled", message: "the flow could not be enqueued whole" })
  await revoke({ client, namespace }, id, { terminate: true, error, ttlMs: endedTtlMs }).catch(() => {})
}

/** Ends a job that another one with its unique key stands for, and tells what waits for it. */
export const displaced = async (client: Client, namespace: string, id: JobId, holder: JobId): Promise<void> => {
  const keys = keysOf(namespace)
  const k = keys.queue(queueOf(id) ?? "default")
  const error = JSON.stringify({ _tag: "Duplicate", message: `its unique key is held by job ${holder}` })
  await Scripts.revoke(
    client,
    [k.jobs, k.delayed, k.revoked],
    [k.prefix, group, id, "1", endedTtlMs, keys.control, error, ""]
  )
}

/** A group as one may look at it while it runs. */
export interface GroupView {
  readonly id: string
  readonly total: number
  readonly completed: number
  /** Dead and cancelled members. */
  readonly failed: number
  readonly waiting: number
  /** In order; undefined where there is no result (yet). */
  readonly results: ReadonlyArray<unknown>
  readonly children: ReadonlyArray<{ readonly id: string; readonly state: string }>
}

/** Members of a group, their states and results so far; undefined where the id is none of a group. */
export const view = async (client: Client, keys: Keys, id: string): Promise<GroupView | undefined> => {
  const queue = queueOf(id)
  if (queue === undefined) return undefined
  const children: Array<{ readonly id: string; readonly state: string }> = []
  const results: Array<unknown> = []
  const counts = { completed: 0, failed: 0, waiting: 0 }
  for (let page = 0; ; page++) {
    const ids = await readIds(client, keys.queue(queue).members(id), page)
    if (ids === undefined) break
    const found = await JobQueues.outcomes(
      client,
      ids.map((one) => [one, keys.queue(queueOf(one) ?? queue)] as const)
    )
    ids.forEach((one, i) => {
      const stored = found[i]
      children.push({ id: one, state: stored?.state ?? "unknown" })
      results.push(stored?.result === undefined ? undefined : JSON.parse(stored.result))
      counts[stored?.state === "done" ? "completed" : isFinal(stored?.state ?? "") ? "failed" : "waiting"]++
    })
  }
  return children.length === 0 ? undefined : { id, total: children.length, ...counts, results, children }
}

/** A meta as it is kept. */
export const metaOf = (kept: string): Meta | undefined => (kept === "" ? undefined : (JSON.parse(kept) as Meta))
