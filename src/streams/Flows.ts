/**
 * What follows the end of a job: the next of its chain, the members of a group, its place in a group, its callbacks.
 * Promises that telling the same end twice changes nothing, so it can be carried by a job of its own (`@link`, added in the
 * script that settles) from one queue's slot to another's.
 */
import { type Blame, flowFailed } from "../jobs/Blame.ts"
import type { Failure } from "../jobs/Engine.ts"
import { groupTask, maxMembers } from "../jobs/Flow.ts"
import * as Job from "../jobs/Job.ts"
import { type JobId, type QueueName, queueOf, queues } from "../jobs/JobQueue.ts"
import type { Entry, Link, Meta } from "../jobs/Plan.ts"
import * as Events from "./Events.ts"
import * as Store from "./FlowStore.ts"
import { type Joined, joiner } from "./Joiner.ts"
import * as JobQueues from "./JobQueues.ts"
import { keysOf } from "./Keys.ts"
import type { Limits } from "./Limits.ts"
import { decode, isObject, LinkInvalid, linkTask } from "./LinkText.ts"
import type { Client } from "./Redis.ts"
import * as Scripts from "./Scripts.ts"

export { doneLink, failedLink, LinkInvalid, linkTask } from "./LinkText.ts"

export interface Carrier {
  readonly client: Client
  readonly namespace: string
  readonly limits: Limits
}

/**
 * Carries out what a link job says; `id` is that of the job it tells of. Throws where Redis fails, then it is simply told
 * again, or `LinkInvalid`.
 */
export const tell = async (carrier: Carrier, id: string, payload: string): Promise<void> => {
  const told = decode(payload)
  const { b, e, l } = told.meta
  if ("failed" in told) {
    const blame = { id, task: told.task ?? "", error: told.failed }
    await callBack(carrier, e, blame)
    if (l !== undefined) await propagate(carrier, [l], blame)
    return
  }
  if (b !== undefined)
    await begin(
      carrier,
      b.map((c) => ({ ...c, payload: Job.merge(told.result, c.payload) }))
    )
  if (l === undefined) return
  if ("join" in l) await join(carrier, l.join, JSON.stringify(told.result) ?? "null")
  else if ("fan" in l) await fan(carrier, l.fan, told.result)
  else
    await begin(carrier, [
      l.next.fixed === true ? l.next : { ...l.next, payload: Job.merge(told.result, l.next.payload) }
    ])
}

/** Tells of a job that was purged, or instead of an end (`text` is the link job's) that nobody had told yet. */
export const tellPurged = async (carrier: Carrier, id: string, task: string, text: string, purged: string) => {
  try {
    if (task !== linkTask)
      return await tell(carrier, id, `{"meta":${text},"task":${JSON.stringify(task)},"failed":${purged}}`)
    const { meta, ...told } = decode(text)
    const failed = "failed" in told ? told : { task: "", failed: JSON.parse(purged) as Failure }
    await tell(carrier, id, JSON.stringify({ meta, ...failed }))
  } catch (error) {
    // Not ours: it must not hold up the others.
    if (!(error instanceof LinkInvalid)) throw error
  }
}

/** The result of a group whose members are all done, or why it has none. Throws where Redis fails. */
export const gather = async (
  carrier: Carrier,
  id: string,
  payload: string,
  meta: Meta | undefined
): Promise<{ readonly text: string } | { readonly failure: Failure }> => {
  const read = readGather(payload)
  if (read === undefined)
    return { failure: { _tag: "PayloadInvalid", message: `expected a group, got ${payload.slice(0, 100)}` } }
  const total = read.gather
  // Without one it is an empty group, whose payload is its result.
  return total === undefined ? { text: payload } : Store.gather(carrier, id, total, meta?.r)
}

/** The payload of a group's own job; undefined where it is not ours. */
const readGather = (payload: string): { readonly gather?: number } | undefined => {
  try {
    const read: unknown = JSON.parse(payload)
    if (!isObject(read)) return undefined
    const total = read["gather"]
    if (total === undefined) return {}
    return Number.isInteger(total) && (total as number) <= maxMembers ? { gather: total as number } : undefined
  } catch {
    return undefined
  }
}

const callBack = (carrier: Carrier, callbacks: ReadonlyArray<Entry> | undefined, blame: Blame): Promise<void> =>
  callbacks === undefined
    ? Promise.resolve()
    : begin(
        carrier,
        callbacks.map((c) => ({ ...c, payload: Job.merge({ ...blame }, c.payload) }))
      )

/** Adds jobs whose payloads are complete. Those that cannot run fail what follows them. */
const begin = async (carrier: Carrier, entries: ReadonlyArray<Entry>): Promise<void> => {
  const { client, limits, namespace } = carrier
  const all = keysOf(namespace)
  const additions: Array<readonly [Entry, JobQueues.Addition]> = []
  for (const entry of entries) {
    const payload = JSON.stringify(entry.payload) ?? "null"
    if (Buffer.byteLength(payload) > limits.maxPayloadBytes) {
      const message = `the merged payload of ${entry.task} is over ${limits.maxPayloadBytes} bytes`
      const blame = { id: entry.id, task: entry.task, error: { _tag: "PayloadTooLarge", message } }
      await propagate(carrier, [{ next: entry }], blame)
      continue
    }
    const meta = entry.meta === undefined ? "" : JSON.stringify(entry.meta)
    const check = entry.meta?.u === undefined ? "c" : `u${entry.meta.u}`
    additions.push([entry, { id: entry.id, task: entry.task, payload, meta, delayMs: undefined, check }])
  }
  for (const queue of queues) {
    const own = additions.filter(([entry]) => entry.queue === queue)
    for (const part of Store.parts(own, ([, a]) => a.payload.length + a.meta.length)) {
      const jobs = part.map(([, addition]) => addition)
      const added = await JobQueues.add(client, all.queue(queue), all.control, limits.maxQueued, jobs)
      for (const [i, what] of added.entries()) {
        const entry = part[i]?.[0] as Entry
        if (what === "full") throw new Error(`queue ${queue} is full`)
        // Known already: told before, or cancelled while it waited (which is told by itself); or another holds its key.
        if (what === "added" || !("known" in what) || what.known === entry.id) continue
        const error = { _tag: "Duplicate", message: `its unique key is held by job ${what.known}` }
        await propagate(carrier, [{ next: entry }], { id: entry.id, task: entry.task, error })
      }
    }
  }
}

/** Starts the members of a group that stands after another step, page by page. */
const fan = async (carrier: Carrier, at: { readonly id: JobId; readonly queue: QueueName }, result: unknown) => {
  for await (const ids of pages(carrier, at)) {
    const ready: Array<Entry> = []
    for (const queue of queues) {
      const own = ids.filter((id) => queueOf(id) === queue)
      for (const w of own.length === 0 ? [] : await Store.waiting(carrier.client, keysOf(carrier.namespace), own)) {
        if (w.state === null) {
          const error = { _tag: "FlowExpired", message: `job ${w.id} is gone: it may wait for 7 days` }
          await propagate(carrier, [{ fan: { ...at, task: groupTask } }], { id: w.id, task: w.task, error })
          return
        }
        if (w.state !== "waiting") continue
        const payload: unknown = JSON.parse(w.payload)
        const meta = Store.metaOf(w.meta)
        ready.push({
          id: w.id,
          queue,
          task: w.task,
          payload: w.fixed ? payload : Job.merge(result, payload),
          ...(meta === undefined ? {} : { meta })
        })
      }
    }
    await begin(carrier, ready)
  }
}

async function* pages(carrier: Carrier, at: { readonly id: JobId; readonly queue: QueueName }) {
  const key = keysOf(carrier.namespace).queue(at.queue).heads(at.id)
  for (let page = 0; ; page++) {
    const ids = await Store.readIds(carrier.client, key, page)
    if (ids === undefined) return
    yield ids
  }
}

type Place = Extract<Link, { readonly join: unknown }>["join"]

const join = async (carrier: Carrier, at: Place, result: string): Promise<void> => {
  const joined = await joiner(carrier)(at, result)
  // Too much came together: told by the member that was one too many.
  if (joined.status === "failed") await groupFailed(carrier, at, joined, undefined)
}

/** What follows a group that has failed. Returns where it leads to. */
const groupFailed = async (
  carrier: Carrier,
  at: Place,
  { error, meta }: Joined,
  first: Blame | undefined
): Promise<Link | undefined> => {
  const why = JSON.parse(error) as Failure
  const blame = first ?? { id: at.id, task: groupTask, error: why }
  await announce(carrier, [[at.id, groupTask]], why)
  const kept = Store.metaOf(meta)
  await callBack(carrier, kept?.e, blame)
  if (first === undefined && kept?.l !== undefined) await propagate(carrier, [kept.l], blame)
  return kept?.l
}

/** Ends what waits for a job that will never be done: along the chain, through groups, down into members not begun. */
const propagate = async (carrier: Carrier, first: ReadonlyArray<Link>, blame: Blame): Promise<void> => {
  const failure = flowFailed(blame)
  const seen = new Set<string>()
  const links = [...first]
  for (let link = links.pop(); link !== undefined; link = links.pop()) {
    if ("join" in link) {
      if (seen.has(link.join.id)) continue
      seen.add(link.join.id)
      const joined = await fail(carrier, link.join, failure)
      const then = joined.status === "failed" ? await groupFailed(carrier, link.join, joined, blame) : undefined
      if (then !== undefined) links.push(then)
    } else if ("fan" in link) {
      for await (const ids of pages(carrier, link.fan)) {
        links.push(
          ...(await endAll(
            carrier,
            ids.map((id) => [id, ""] as const),
            failure,
            blame
          ))
        )
      }
    } else {
      const { id, meta, task } = link.next
      links.push(...(await endAll(carrier, [[id, task]], failure, blame, meta)))
    }
  }
}

/** Ends jobs that wait; returns where they lead to. */
const endAll = async (
  carrier: Carrier,
  jobs: ReadonlyArray<readonly [id: string, task: string]>,
  failure: Failure,
  blame: Blame,
  known?: Meta
): Promise<ReadonlyArray<Link>> => {
  const links: Array<Link> = []
  for (const queue of queues) {
    const own = jobs.filter(([id]) => queueOf(id) === queue)
    if (own.length === 0) continue
    const k = keysOf(carrier.namespace).queue(queue)
    const args = [k.prefix, JSON.stringify(failure), Store.waitingTtlMs, ...own.flat()]
    const flat = await Scripts.fail(carrier.client, [k.jobs], args)
    const ended: Array<readonly [string, string]> = []
    for (const [i, job] of own.entries()) {
      if (flat[i * 2] === 0) continue
      if (flat[i * 2] === 1) ended.push(job)
      const meta = known ?? Store.metaOf(flat[i * 2 + 1] as string)
      await callBack(carrier, meta?.e, blame)
      if (meta?.l !== undefined) links.push(meta.l)
    }
    await announce(carrier, ended, failure)
  }
  return links
}

const fail = async (carrier: Carrier, at: Place, failure: Failure): Promise<Joined> => {
  const k = keysOf(carrier.namespace).queue(at.queue)
  const args = [
    k.prefix,
    at.id,
    Store.waitingTtlMs,
    carrier.limits.maxResultBytes,
    JSON.stringify(failure),
    at.index,
    ""
  ]
  const [status, meta, error] = await Scripts.join(carrier.client, [k.flow(at.id), k.jobs], args)
  return { status, meta, error }
}

const announce = (carrier: Carrier, jobs: ReadonlyArray<readonly [string, string]>, failure: Failure) =>
  Events.emit(
    carrier.client,
    carrier.namespace,
    jobs.map(([id, task]) => [id, task, "dead", 0, null, null, Date.now(), `${failure._tag}: ${failure.message ?? ""}`])
  )
