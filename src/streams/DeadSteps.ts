/**
 * What is done with dead letters, step by step, each one script of at most 64 letters per queue. Promises that a step which
 * is done twice, or by two at once, counts once. Which letters, and how many steps, is the matter of `DeadLetters`.
 */
import type { Failure } from "../jobs/Engine.ts"
import { type JobId, type QueueName, queueOf, queues } from "../jobs/JobQueue.ts"
import * as Dead from "./Dead.ts"
import type { Filter } from "./Dead.ts"
import { cut } from "./Cut.ts"
import { scriptMax } from "./JobQueues.ts"
import type { Keys, QueueKeys } from "./Keys.ts"
import type { Client } from "./Redis.ts"
import * as Scripts from "./Scripts.ts"

const groupsMax = 1_000

/** Dead jobs that failed alike. */
export interface Group {
  readonly fingerprint: string
  readonly task: string
  /** The newest of their errors. */
  readonly error: Failure
  readonly count: number
  /** When the oldest and the newest died, epoch ms. */
  readonly firstAt: number
  readonly lastAt: number
  /** Id of the newest. */
  readonly sample: string
}

/** A letter to be put back. */
export interface Back {
  readonly raw: Dead.Raw
  /** "" = as it was. */
  readonly payload: string
  readonly delayMs?: number | undefined
}

/** Puts at most `scriptMax` letters back: per letter its id, "" where it is gone, `=holder` where its unique key is held. */
export const putBack = async (
  client: Client,
  keys: Keys,
  letters: ReadonlyArray<Back>
): Promise<ReadonlyArray<string>> => {
  const out: Array<string> = letters.map(() => "")
  await Promise.all(
    queues.map(async (queue) => {
      const mine = letters.map((letter, i) => ({ ...letter, i })).filter(({ raw }) => raw.queue === queue)
      if (mine.length === 0) return
      const k = keys.queue(queue)
      const args: Array<string | number> = [k.prefix, keys.control]
      for (const { delayMs, payload, raw } of mine) args.push(raw.entry, fresh(raw), delayMs ?? "", payload)
      const ends = await Scripts.replay(client, [k.dead, k.jobs, k.delayed], args)
      mine.forEach(({ i }, n) => (out[i] = ends[n] ?? ""))
    })
  )
  return out
}

/** Puts a queue's oldest letters back. Returns the ids of their jobs. */
export const oldestBack = async (
  client: Client,
  keys: Keys,
  queue: QueueName,
  most: number
): Promise<ReadonlyArray<JobId>> => {
  const { letters } = await Dead.page(client, keys, { queue }, { limit: most, oldestFirst: true })
  const out: Array<JobId> = []
  for (const part of cut(letters, scriptMax, Dead.charsOf)) {
    const ends = await putBack(
      client,
      keys,
      part.map((raw) => ({ raw, payload: "" }))
    )
    for (const end of ends) if (end !== "" && !end.startsWith("=")) out.push(end as JobId)
  }
  return out
}

/** Throws at most `scriptMax` letters away. Returns how many were still there. */
export const throwAway = async (client: Client, keys: Keys, raws: ReadonlyArray<Dead.Raw>): Promise<number> => {
  const counts = await Promise.all(
    queues.map(async (queue) => {
      const entries = raws.filter((raw) => raw.queue === queue).map((raw) => raw.entry)
      const k = keys.queue(queue)
      return entries.length === 0 ? 0 : Scripts.deadDiscard(client, [k.dead], [k.prefix, ...entries])
    })
  )
  return counts.reduce((n, count) => n + count, 0)
}

/** The meta of a job that starts anew: failures, runs, snoozes, losses and expiry forgotten; links, keys and trace kept. */
const fresh = (raw: Dead.Raw): string => {
  const { a: _a, c: _c, f: _f, h: _h, s: _s, x: _x, ...meta } = Dead.metaOf(raw)
  return Object.keys(meta).length === 0 ? "" : JSON.stringify(meta)
}

/** The letter of one job, by its record where that is still kept, else by looking through its queue. */
export const ofJob = async (client: Client, keys: Keys, id: string): Promise<Dead.Raw | undefined> => {
  const queue = queueOf(id)
  if (queue === undefined) return undefined
  const k = keys.queue(queue)
  const entry = await client.hget(k.job(id), "dead")
  if (entry !== null) {
    const [row] = await client.xrange(k.dead, entry, entry)
    return row === undefined ? undefined : Dead.rawOf(queue, row[0], row[1])
  }
  // A job's record says so as long as it is kept; after that only the letter is left.
  if ((await client.exists(k.job(id))) === 1) return undefined
  let cursor: string | undefined
  do {
    const found = await Dead.page(client, keys, { queue, id }, { limit: 1, cursor })
    if (found.letters[0] !== undefined) return found.letters[0]
    cursor = found.cursor
  } while (cursor !== undefined)
  return undefined
}

/** All letters that match, counted by fingerprint, the largest group first. */
export const groups = async (client: Client, keys: Keys, filter: Filter): Promise<ReadonlyArray<Group>> => {
  const found = new Map<string, Group>()
  let cursor: string | undefined
  do {
    const page = await Dead.page(client, keys, filter, { limit: 1_000, cursor })
    for (const raw of page.letters) {
      const fingerprint = Dead.fingerprintOf(raw)
      const at = Dead.diedAt(raw)
      const known = found.get(fingerprint)
      if (known === undefined && found.size >= groupsMax) continue
      found.set(
        fingerprint,
        known === undefined
          ? { fingerprint, task: raw.task, error: Dead.errorOf(raw), count: 1, firstAt: at, lastAt: at, sample: raw.id }
          : {
              ...known,
              count: known.count + 1,
              firstAt: Math.min(known.firstAt, at),
              lastAt: Math.max(known.lastAt, at)
            }
      )
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  return [...found.values()].toSorted((a, b) => b.count - a.count || b.lastAt - a.lastAt)
}

/** Forgets letters older than `maxAgeMs`. Returns how many. */
export const expire = async (client: Client, keys: QueueKeys, maxAgeMs: number): Promise<number> => {
  const [seconds] = await client.time()
  const oldest = Number(seconds) * 1_000 - maxAgeMs
  const dropped = await client.xtrim(keys.dead, "MINID", "~", oldest, "LIMIT", 10_000)
  // Less than a node is left to drop; exact trimming of a node is cheap.
  return dropped > 0 ? dropped : client.xtrim(keys.dead, "MINID", oldest)
}
