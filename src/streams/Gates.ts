/**
 * Limits that hold over all workers: how often jobs of a task may start, and how many may run at once, for the task or for
 * each value of a key. Promises one script per question and gate, by the server's clock, and at most 64 jobs in each. Which
 * jobs ask, and what they do while they wait, is the matter of the actors.
 */
import { queueOf, queues } from "../jobs/JobQueue.ts"
import type { Rate } from "../jobs/Rate.ts"
import { scriptMax } from "./JobQueues.ts"
import { group, keysOf } from "./Keys.ts"
import type { Client } from "./Redis.ts"
import * as Scripts from "./Scripts.ts"

/** What one gate lets through. */
export interface GateLimits {
  readonly rate: Rate | undefined
  readonly concurrency: number | undefined
}

/** A job at a gate. `fence` tells this run of it from an earlier one; `slot`: the moment it was told to come again, epoch ms. */
export interface Asker {
  readonly id: string
  readonly fence: string
  readonly slot: number | undefined
}

/**
 * `go`: it may start in `ms`. `slot`: it has to come again at the epoch ms `at`, which is in `ms`. `wait`: it is woken when a permit is free;
 * it should come again after `ms` in case nobody wakes it.
 */
export type Answer =
  | { readonly _tag: "go"; readonly ms: number }
  | { readonly _tag: "slot"; readonly at: number; readonly ms: number }
  | { readonly _tag: "wait"; readonly ms: number }

/** ms that a job may be held by its worker for the moment it may start. */
export const holdMs = 25
/** ms after which one who waits for a permit asks by itself; workers look after lost permits much sooner. */
const patienceMs = 600_000
/** ms by which measured starts may stray from the moments given out: kept from every window of a rate. */
const guardMs = 10

/** The pace of a rate: so many ms between two starts, and how early one may be against it. Never more than `limit` in any window. */
export const pace = ({ limit, windowMs }: Rate): { readonly everyMs: number; readonly earlyMs: number } => {
  const even = windowMs / limit
  // Where starts follow each other quickly, lateness would cost throughput: a little of it may be made good.
  const earlyMs = even >= holdMs ? 0 : Math.min(50, windowMs * 0.05)
  return { everyMs: (windowMs + guardMs + earlyMs) / limit, earlyMs }
}

/** The gate of a task, or of one value of its key. Values are cut at 200 characters. */
export const gateKeys = (namespace: string, task: string, key: string | undefined): GateKeys => {
  const prefix = `${namespace}:{gate:${task}${key === undefined ? "" : `:${key.replaceAll(/[{}]/gu, "_").slice(0, 200)}`}}`
  return {
    state: `${prefix}${stateEnd}`,
    permits: `${prefix}:permits`,
    waiters: `${prefix}:waiters`,
    moments: momentsOf(`${prefix}${stateEnd}`)
  }
}
const stateEnd = ":state"
const momentsOf = (state: string): string => `${state.slice(0, -stateEnd.length)}:moments`

export interface GateKeys {
  readonly state: string
  readonly permits: string
  readonly waiters: string
  /** Moments that cancelled jobs have given back. */
  readonly moments: string
}

/** Asks for at most 64 jobs. `wake`: jobs to which a permit was handed; `wake()` tells them. */
export const ask = async (
  client: Client,
  keys: GateKeys,
  limits: GateLimits,
  leaseMs: number,
  askers: ReadonlyArray<Asker>
): Promise<{ readonly answers: ReadonlyArray<Answer>; readonly wake: ReadonlyArray<string> }> => {
  const paced = limits.rate === undefined ? undefined : pace(limits.rate)
  const args: Array<string | number> = [
    paced?.everyMs ?? "",
    paced?.earlyMs ?? "",
    limits.concurrency ?? "",
    leaseMs,
    holdMs,
    patienceMs,
    JSON.stringify(limits)
  ]
  for (const a of askers) args.push(a.id, a.fence, a.slot ?? "")
  const [flat, wake, now] = await Scripts.gateAsk(client, [keys.state, keys.permits, keys.waiters, keys.moments], args)
  const answers: Array<Answer> = []
  for (let i = 0; i < flat.length; i += 2) {
    const value = Number(flat[i + 1])
    answers.push(
      flat[i] === "slot"
        ? { _tag: "slot", at: value, ms: value - Number(now) }
        : { _tag: flat[i] === "go" ? "go" : "wait", ms: value }
    )
  }
  return { answers, wake }
}

/** ms for which moments given back are kept beyond their time: a gate in use keeps its own keys. */
const momentsKeptMs = 3_600_000

/** Gives the moments of cancelled jobs back, for those that ask next: name of a gate's state and epoch ms, in turns. */
export const giveBack = async (client: Client, flat: ReadonlyArray<string>): Promise<void> => {
  if (flat.length === 0) return
  const byGate = new Map<string, Array<string>>()
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [state = "", at = ""] = flat.slice(i, i + 2)
    const given = byGate.get(state)
    if (given === undefined) byGate.set(state, [at])
    else given.push(at)
  }
  const sent = [...byGate].map(async ([state, given]) => {
    const key = momentsOf(state)
    await client.zadd(key, ...given.flatMap((at) => [at, at]))
    await client.pexpireat(key, Math.max(...given.map(Number)) + momentsKeptMs)
  })
  await Promise.all(sent)
}

/** Gives permits back; without any it only looks for permits whose holder is gone. Returns who is to be woken. */
export const free = async (
  client: Client,
  keys: GateKeys,
  concurrency: number | undefined,
  given: ReadonlyArray<readonly [id: string, fence: string]>
): Promise<{ readonly wake: ReadonlyArray<string>; readonly waiting: number }> => {
  const all = [keys.state, keys.permits, keys.waiters]
  const [wake, waiting] = await Scripts.gateFree(client, all, [concurrency ?? "", ...given.flat()])
  return { wake, waiting }
}

/** Renews permits, at most 64. */
export const renew = (
  client: Client,
  keys: GateKeys,
  leaseMs: number,
  held: ReadonlyArray<readonly [id: string, fence: string]>
) => Scripts.gateRenew(client, [keys.state, keys.permits], [leaseMs, ...held.flat()])

/** Makes jobs due now that wait among the delayed ones, or are about to. Returns those that no longer wait. */
export const hasten = async (
  client: Client,
  namespace: string,
  ids: ReadonlyArray<string>
): Promise<ReadonlyArray<string>> => {
  const keys = keysOf(namespace)
  const gone: Array<string> = ids.filter((id) => queueOf(id) === undefined)
  for (const queue of queues) {
    const mine = ids.filter((id) => queueOf(id) === queue)
    for (let i = 0; i < mine.length; i += scriptMax) {
      const part = mine.slice(i, i + scriptMax)
      const { delayed, jobs, prefix } = keys.queue(queue)
      gone.push(...(await Scripts.hasten(client, [delayed, jobs], [keys.control, prefix, group, ...part])))
    }
  }
  return gone
}

/** Tells jobs of the permit that is kept for them; the permits of those that no longer wait go on to the next. */
export const wake = async (
  client: Client,
  namespace: string,
  keys: GateKeys,
  concurrency: number | undefined,
  ids: ReadonlyArray<string>
): Promise<void> => {
  let next = ids
  // Bounded: a thousand waiters that vanished in one row is more than revoking leaves behind between two looks.
  for (let i = 0; i < 1_000 && next.length > 0; i++) {
    const gone = await hasten(client, namespace, next)
    if (gone.length === 0) return
    const dropped = gone.map((id) => [id, ""] as const)
    next = (await free(client, keys, concurrency, dropped)).wake
  }
}

/** Most gates of which it is remembered that jobs wait there. */
const rememberedMax = 10_000

/** Writes down that jobs wait for a permit at a gate, for workers that start later. */
export const remember = async (client: Client, namespace: string, task: string, keys: GateKeys): Promise<void> => {
  const head = `${namespace}:{gate:${task}`
  const key = keys.state.slice(head.length, -"}:state".length)
  const set = keysOf(namespace).gates
  await client.zadd(set, Date.now(), JSON.stringify(key === "" ? [task] : [task, key.slice(1)]))
  await client.zremrangebyrank(set, 0, -rememberedMax - 1)
  await client.pexpire(set, 86_400_000)
}

/** The gates remembered last. */
export const remembered = async (
  client: Client,
  namespace: string,
  limit: number
): Promise<ReadonlyArray<{ readonly task: string; readonly key: string | undefined }>> => {
  const rows = await client.zrange(keysOf(namespace).gates, "0", String(limit - 1), "REV")
  return rows.map((row) => {
    const [task = "", key] = JSON.parse(row) as ReadonlyArray<string>
    return { task, key }
  })
}
