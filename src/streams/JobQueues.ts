/**
 * The work streams: adding, claiming, renewing, settling and trimming, each in batches and one round trip. Promises what
 * the scripts promise: the pending list is the claim and its delivery count the fence. When to do which is the actors' matter.
 */
import type { JobId, QueueName } from "../jobs/JobQueue.ts"
import { isFinal } from "../jobs/Outcome.ts"
import { group, type QueueKeys } from "./Keys.ts"
import { mayRepeat } from "./Connect.ts"
import type { Client } from "./Redis.ts"
import * as JobEntry from "./JobEntry.ts"
import * as Scripts from "./Scripts.ts"

/** A job on its way into a stream, everything encoded. */
export interface Addition {
  readonly id: JobId
  readonly task: string
  readonly payload: string
  /** JSON of `Meta`, or "". */
  readonly meta: string
  /** ms from now; undefined = at once. */
  readonly delayMs: number | undefined
  /** "" = the id is fresh, "c" = it may be known, "u<key>" = the unique key may be held, "{…" = as enqueue.lua says. */
  readonly check: string
}

/**
 * What became of an addition: in, refused because the queue is full, the id known before, the job that has taken the payload
 * over, or the job that was cancelled for it.
 */
export type Added =
  | "added"
  | "full"
  | { readonly known: JobId }
  | { readonly updated: JobId }
  | { readonly displaced: JobId }

const addedOf = (what: string): Added => {
  if (what === "full") return what
  const id = what.slice(1) as JobId
  return what[0] === "=" ? { updated: id } : what[0] === "~" ? { displaced: id } : { known: what as JobId }
}

/** Most attempts or jobs that one script handles, so that it holds Redis well below a millisecond. */
export const scriptMax = 32

/** Adds at most `scriptMax` jobs to one queue. */
export const add = async (
  client: Client,
  keys: QueueKeys,
  control: string,
  limit: number,
  jobs: ReadonlyArray<Addition>
): Promise<ReadonlyArray<Added>> => {
  const out: Array<Added> = jobs.map(() => "added")
  // Over a failover the driver may send it twice: then known ids are looked for.
  const again = mayRepeat(client)
  if (!again && jobs.every(isPlain) && (await addPlain(client, keys, limit, jobs))) return out
  const args: Array<string | number> = [keys.prefix, limit, control]
  for (const j of jobs) {
    args.push(
      j.id,
      j.task,
      j.payload,
      j.meta,
      j.delayMs === undefined ? "" : Math.ceil(j.delayMs),
      again ? j.check || "c" : j.check
    )
  }
  const exceptions = await Scripts.enqueue(client, [keys.jobs, keys.delayed, keys.meta], args)
  for (let i = 0; i < exceptions.length; i += 2) {
    const at = (exceptions[i] as number) - 1
    const what = exceptions[i + 1] as string
    if (jobs[at]?.check !== "" || what !== jobs[at].id) out[at] = addedOf(what)
  }
  return out
}

const isPlain = (job: Addition): boolean => job.check === "" && job.meta === "" && job.delayMs === undefined

/** False where the queue may be full and nothing was added. */
const addPlain = async (client: Client, keys: QueueKeys, limit: number, jobs: ReadonlyArray<Addition>) => {
  const args: Array<string | number> = [keys.prefix, limit]
  for (const j of jobs) args.push(j.id, j.task, j.payload)
  return (await Scripts.add(client, [keys.jobs, keys.delayed, keys.meta], args)) === 1
}

/** Makes sure the group exists; 2 = it had been lost. */
export const ensureGroup = (client: Client, keys: QueueKeys) => Scripts.group(client, [keys.jobs, keys.cursor], [group])

/** True for what a reader gets when its group or stream has vanished (Redis 7.0 says UNBLOCKED, newer ones NOGROUP). */
export const isGroupLost = (error: unknown): boolean =>
  error instanceof Error && /NOGROUP|UNBLOCKED|no longer exists|no such key|key no longer/iu.test(error.message)

/** True for what a script gets where a key is of another type than ours would be. */
export const isStrange = (error: unknown): boolean => error instanceof Error && error.message.includes("WRONGTYPE")

/** A job as a reader gets it. */
export interface Claimed extends JobEntry.JobEntry {
  readonly queue: QueueName
  readonly entry: string
  readonly count: number
  /** Workers lost under it, as the reclaim script writes them; only of jobs taken over. */
  readonly lost?: string
}

const claimed = (queue: QueueName, entry: string, fields: ReadonlyArray<string>, count: number): Claimed => {
  const { id, meta, payload, task } = JobEntry.read(fields)
  return { queue, entry, count, id, task, payload, meta }
}

/** Claims up to `count` new jobs, waiting up to `blockMs` for the first (0: not at all). `client` must be the reader's own. */
export const read = async (
  client: Client,
  keys: QueueKeys,
  consumer: string,
  count: number,
  blockMs: number
): Promise<ReadonlyArray<Claimed>> => {
  const own = ["GROUP", group, consumer, "COUNT", count] as const
  const what = ["STREAMS", keys.jobs, ">"] as const
  const got = (await (blockMs > 0
    ? client.xreadgroup(...own, "BLOCK", blockMs, ...what)
    : client.xreadgroup(...own, ...what))) as ReadonlyArray<
    readonly [string, ReadonlyArray<readonly [string, ReadonlyArray<string>]>]
  > | null
  const entries = got?.[0]?.[1]
  return entries === undefined ? [] : entries.map((e) => claimed(keys.queue, e[0], e[1], 1))
}

/** Takes over jobs whose lease has run out. `askedAt`: epoch ms by the server's clock; a call that arrives late takes nothing. `given`: how many of those that were given back. `gone`: claimed entries that no longer exist, which must never happen. */
export const reclaim = async (
  client: Client,
  keys: QueueKeys,
  consumer: string,
  leaseMs: number,
  cursor: string,
  count: number,
  askedAt: number,
  given: number = count
): Promise<{
  readonly cursor: string
  readonly jobs: ReadonlyArray<Claimed>
  readonly gone: ReadonlyArray<string>
}> => {
  const args = [group, consumer, leaseMs, cursor, count, given, keys.prefix, Math.round(askedAt)]
  const [next, taken, gone] = await Scripts.reclaim(client, [keys.jobs], args)
  return { cursor: next, jobs: taken.map((t) => ({ ...claimed(keys.queue, t[0], t[1], t[2]), lost: t[3] })), gone }
}

/** Proof of a claim. */
export interface Claim {
  readonly entry: string
  readonly count: number
}

/** Renews at most `scriptMax` claims; returns the entries that were lost. */
export const renew = (client: Client, keys: QueueKeys, consumer: string, claims: ReadonlyArray<Claim>) => {
  const args: Array<string | number> = [group, consumer, claims[0]?.entry ?? "-", claims.at(-1)?.entry ?? "+"]
  for (const c of claims) args.push(c.entry, c.count)
  return Scripts.renew(client, [keys.jobs], args)
}

/** Gives claims back; `ran: false` takes the delivery back too, so that waiting here was no attempt. */
export const release = (
  client: Client,
  keys: QueueKeys,
  control: string,
  consumer: string,
  claims: ReadonlyArray<Claim & { readonly id: string; readonly ran: boolean }>
) => {
  const args: Array<string | number> = [group, consumer, 86_400_000, control, keys.prefix]
  for (const c of claims) args.push(c.entry, c.count, c.ran ? c.count : c.count - 1, c.id)
  return Scripts.release(client, [keys.jobs], args)
}

/** Writes down that a job which was delivered before begins now, so that a loss of its worker is counted against it. */
export const began = (client: Client, keys: QueueKeys, id: string, claim: Claim): Promise<unknown> =>
  client.hset(keys.job(id), "began", `${claim.entry}:${claim.count}`)

/** Drops finished entries, about 5,000 at most. Mends a lag that the server has lost. `again`: there is more to do at once. */
export const trim = async (
  client: Client,
  keys: QueueKeys
): Promise<{ readonly dropped: number; readonly again: boolean }> => {
  const [dropped, again] = await Scripts.trim(client, [keys.jobs, keys.cursor], [])
  return { dropped, again: again === 1 }
}

/** Deletes consumers that hold nothing and were silent for `silentMs`. */
export const sweep = (client: Client, keys: QueueKeys, silentMs: number) =>
  Scripts.janitor(client, [keys.jobs], [group, silentMs])

/** The record of a job hash, as the scripts write it. */
export interface Stored {
  readonly state: string
  readonly final: boolean
  readonly result: string | undefined
  readonly error: string | undefined
}

/** Stands in a job's record for a result that is kept beside it. */
export const apart = ">"

/** States and outcomes of many jobs, in one pipeline per queue (on a Cluster they lie on different nodes). */
export const outcomes = async (
  client: Client,
  ids: ReadonlyArray<readonly [id: string, keys: QueueKeys]>
): Promise<ReadonlyArray<Stored | undefined>> => {
  const out: Array<Stored | undefined> = ids.map(() => undefined)
  const byQueue = Map.groupBy(
    ids.map(([id, keys], at) => ({ id, keys, at })),
    (ask) => ask.keys
  )
  const look = async (keys: QueueKeys, asks: ReadonlyArray<{ readonly id: string; readonly at: number }>) => {
    const pipeline = client.pipeline()
    for (const { id } of asks) pipeline.hmget(keys.job(id), "state", "result", "error")
    const rows = (await pipeline.exec()) ?? []
    for (const [i, [error, row]] of rows.entries()) {
      if (error !== null) throw error
      const [state, kept, failure] = row as ReadonlyArray<string | null>
      const ask = asks[i]
      if (typeof state !== "string" || ask === undefined) continue
      const result = kept === apart ? await client.get(keys.result(ask.id)) : kept
      out[ask.at] = { state, final: isFinal(state), result: result ?? undefined, error: failure ?? undefined }
    }
  }
  await Promise.all([...byQueue].map(([keys, asks]) => look(keys, asks)))
  return out
}
