/**
 * What follows the end of a job: the next of its chain, its place in a group. Promises that telling the same end twice
 * changes nothing, so it can be carried by a job of its own (`@link`, added in the script that settles) from one queue's
 * slot to another's.
 */
import type { Failure } from "../jobs/Engine.ts"
import * as Job from "../jobs/Job.ts"
import { queues } from "../jobs/JobQueue.ts"
import type { Entry, Link, Meta, Plan } from "../jobs/Plan.ts"
import * as Events from "./Events.ts"
import * as JobQueues from "./JobQueues.ts"
import { type Keys, keysOf } from "./Keys.ts"
import type { Limits } from "./Limits.ts"
import type { Client } from "./Redis.ts"
import * as Scripts from "./Scripts.ts"

/** The internal task that tells. */
export const linkTask = "@link"

/** How long a job may wait for others, and how long the failure of one that waited in vain is kept: 7 days. */
export const waitingTtlMs = 604_800_000

export interface Carrier {
  readonly client: Client
  readonly namespace: string
  readonly limits: Limits
}

/** What a link job carries. */
type Told = { readonly meta: Meta } & ({ readonly result: unknown } | { readonly failed: Failure })

/** The text of a link job for one that is done; "" where nobody waits for it. */
export const doneLink = (meta: Meta | undefined, metaText: string, resultText: string): string =>
  meta?.l === undefined ? "" : `{"meta":${metaText},"result":${resultText}}`

/** The text of a link job for one that will never be done. */
export const failedLink = (meta: Meta | undefined, metaText: string, failure: Failure): string =>
  meta?.l === undefined ? "" : `{"meta":${metaText},"failed":${JSON.stringify(failure)}}`

/** Writes down the jobs of a plan that wait for others, before its heads are added. */
export const prepare = async (client: Client, keys: Keys, plan: Plan): Promise<void> => {
  if (plan.waiting.length === 0) return
  const pipeline = client.pipeline()
  for (const w of plan.waiting) {
    const key = keys.queue(w.queue).job(w.id)
    pipeline.hsetnx(key, "state", "waiting")
    pipeline.hsetnx(key, "task", w.task)
    pipeline.call("PEXPIRE", key, waitingTtlMs, "NX")
  }
  for (const { entry, total } of plan.groups) {
    const key = keys.queue(entry.queue).flow(entry.id)
    pipeline.hset(key, "total", total, "meta", entry.meta === undefined ? "" : JSON.stringify(entry.meta))
    pipeline.pexpire(key, waitingTtlMs)
  }
  for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error
}

/** What a link job carries is not ours: telling it again can't help. */
export class LinkInvalid extends Error {}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What a link job carries, looked at along the whole chain, since a failure is told to its end. */
const decode = (payload: string): Told => {
  let told: unknown
  try {
    told = JSON.parse(payload)
  } catch (error) {
    throw new LinkInvalid(`(all): ${error instanceof Error ? error.message : String(error)}`)
  }
  const refuse = (path: string, expected: string) => new LinkInvalid(`${path}: expected ${expected}`)
  if (!isObject(told)) throw refuse("(all)", "an object")
  if ("failed" in told) {
    if (!isObject(told["failed"]) || typeof told["failed"]["_tag"] !== "string") throw refuse("failed", "a failure")
  } else if (!("result" in told)) throw refuse("(all)", "result or failed")
  let meta = told["meta"]
  for (let path = "meta"; ; path = `${path.length < 200 ? path : "…"}.l.next.meta`) {
    if (!isObject(meta)) throw refuse(path, "an object")
    const link = meta["l"]
    if (link === undefined) break
    if (!isObject(link)) throw refuse(`${path}.l`, "an object")
    const at = "join" in link ? link["join"] : link["next"]
    if (!isObject(at) || typeof at["id"] !== "string") throw refuse(`${path}.l`, "next or join with an id")
    if (!queues.some((queue) => queue === at["queue"])) throw refuse(`${path}.l`, "the name of a queue")
    if ("join" in link) {
      if (!Number.isInteger(at["index"])) throw refuse(`${path}.l.join.index`, "an integer")
      break
    }
    if (typeof at["task"] !== "string") throw refuse(`${path}.l.next.task`, "the name of a task")
    if (at["meta"] === undefined) break
    meta = at["meta"]
  }
  return told as unknown as Told
}

/** Carries out what a link job says. Throws where Redis fails, then it is simply told again, or `LinkInvalid`. */
export const tell = async (carrier: Carrier, payload: string): Promise<void> => {
  const told = decode(payload)
  const link = told.meta.l
  if (link === undefined) return
  if ("failed" in told) return propagate(carrier, link, told.failed)
  if ("join" in link) return join(carrier, link.join, told.result, undefined)
  await start(carrier, link.next, told.result)
}

const start = async (carrier: Carrier, next: Entry, result: unknown): Promise<void> => {
  const { client, limits, namespace } = carrier
  const keys = keysOf(namespace).queue(next.queue)
  const payload = JSON.stringify(Job.merge(result, next.payload)) ?? "null"
  if (Buffer.byteLength(payload) > limits.maxPayloadBytes) {
    const failure = {
      _tag: "PayloadTooLarge",
      message: `the merged payload of ${next.task} is over ${limits.maxPayloadBytes} bytes`
    }
    return propagate(carrier, { next }, failure)
  }
  const [added] = await JobQueues.add(client, keys, keysOf(namespace).control, limits.maxQueued, [
    {
      id: next.id,
      task: next.task,
      payload,
      meta: next.meta === undefined ? "" : JSON.stringify(next.meta),
      delayMs: undefined,
      check: "c"
    }
  ])
  if (added === "full") throw new Error(`queue ${next.queue} is full`)
  if (added === "added" || next.meta?.l === undefined) return
  // Known already: told before, or cancelled while it waited; then what follows it must hear so.
  const [stored] = await JobQueues.outcomes(client, [[next.id, keys]])
  if (stored?.state === "cancelled") {
    await propagate(carrier, next.meta.l, { _tag: "Cancelled", message: `job ${next.id} was cancelled`, job: next.id })
  }
}

const join = async (
  carrier: Carrier,
  at: Extract<Link, { readonly join: unknown }>["join"],
  result: unknown,
  failure: Failure | undefined
): Promise<void> => {
  const { client, namespace } = carrier
  const keys = keysOf(namespace).queue(at.queue)
  const why: Failure = failure ?? { _tag: "Cancelled", message: `job ${at.id} was cancelled`, job: at.id }
  const [status, meta] = await Scripts.join(
    client,
    [keys.flow(at.id), keys.jobs],
    [
      keys.prefix,
      at.id,
      at.index,
      failure === undefined ? (JSON.stringify(result) ?? "null") : "",
      JSON.stringify(why),
      waitingTtlMs
    ]
  )
  if (status !== "failed") return
  await announce(carrier, at.id, "@all", why)
  const link = meta === "" ? undefined : (JSON.parse(meta) as Meta).l
  if (link !== undefined) await propagate(carrier, link, why)
}

/** Ends what waits for a job that will never be done, along the chain. */
const propagate = async (carrier: Carrier, first: Link, cause: Failure): Promise<void> => {
  const failure: Failure =
    cause._tag === "FlowFailed"
      ? cause
      : { _tag: "FlowFailed", message: `a job before this one failed: ${cause._tag}`, cause }
  let link: Link | undefined = first
  while (link !== undefined) {
    if ("join" in link) return join(carrier, link.join, null, failure)
    const next: Entry = link.next
    const keys = keysOf(carrier.namespace).queue(next.queue)
    const ended = await Scripts.fail(
      carrier.client,
      [keys.job(next.id)],
      [next.task, JSON.stringify(failure), waitingTtlMs]
    )
    if (ended === 1) await announce(carrier, next.id, next.task, failure)
    link = next.meta?.l
  }
}

const announce = (carrier: Carrier, id: string, task: string, failure: Failure) =>
  Events.emit(carrier.client, carrier.namespace, [
    [id, task, "dead", 0, null, null, Date.now(), `${failure._tag}: ${failure.message ?? ""}`]
  ])
