/**
 * Every key of the engine in Redis. Promises one Cluster slot per queue (the hash tag), and names that KEDA, redis_exporter
 * and redis-cli read unchanged.
 */
import type { QueueName } from "../jobs/JobQueue.ts"
import { queues } from "../jobs/JobQueue.ts"

/** The consumer group of every work stream. */
export const group = "workers"

export interface QueueKeys {
  readonly queue: QueueName
  /** `lg:{default}:`; job hashes, flows and unique keys are made from it. */
  readonly prefix: string
  readonly jobs: string
  readonly delayed: string
  readonly dead: string
  readonly meta: string
  readonly cursor: string
  readonly revoked: string
  readonly job: (id: string) => string
  /** A group that is counted down: results so far. */
  readonly flow: (id: string) => string
  /** Ids in pages: of a group's members, of what begins with a group, of all jobs of a flow. */
  readonly members: (id: string) => string
  readonly heads: (id: string) => string
  readonly all: (id: string) => string
  /** Virtual times of the lanes that are not empty, and their weights; the jobs are in `lane:<key>`. */
  readonly lanes: string
  readonly weights: string
  /** A result kept apart from its job, being large. */
  readonly result: (id: string) => string
  /** Ids of the jobs that were enqueued in a job's handler. */
  readonly children: (id: string) => string
}

/** What the beats of all processes share; in one Cluster slot. */
export interface BeatKeys {
  /** Hash: `v` counts changes, `d:<name>` is a schedule added at run time, `p:<name>` marks a paused one. */
  readonly schedules: string
  /** Pub/sub channel that tells of changes. */
  readonly changed: string
  /** Hash of a schedule: its latest slot, how often it fired, who fires it now. */
  readonly slots: (name: string) => string
  /** List of its last runs, newest first. */
  readonly runs: (name: string) => string
  /** Sorted set of slots that fired. */
  readonly fired: (name: string) => string
}

export interface Keys {
  readonly queue: (queue: QueueName) => QueueKeys
  readonly events: string
  readonly workers: string
  /** Hash of what was set for tasks at run time: `rate:<task>`, `concurrency:<task>`, `time:<task>`. */
  readonly limits: string
  /** Sorted set of gates where jobs wait for a permit; score = when that was last so, epoch ms. */
  readonly gates: string
  /** Pub/sub channel by which workers hear of revokes, pauses and work that is due. */
  readonly control: string
  readonly beat: BeatKeys
  /** Sorted set: rows of the outbox that are in their streams and, for all we know, still in their table; score = when. */
  readonly outbox: string
}

const cache = new Map<string, Keys>()

/** The keys of a namespace, `lg` by default. */
export const keysOf = (namespace: string): Keys => {
  const known = cache.get(namespace)
  if (known !== undefined) return known
  const all = new Map(queues.map((queue) => [queue, queueKeys(namespace, queue)] as const))
  const keys: Keys = {
    queue: (queue) => {
      const found = all.get(queue)
      if (found === undefined) throw new Error(`queue: expected one of ${queues.join(", ")}, got ${queue}`)
      return found
    },
    events: `${namespace}:events`,
    workers: `${namespace}:workers`,
    limits: `${namespace}:limits`,
    gates: `${namespace}:gates`,
    control: `${namespace}:control`,
    outbox: `${namespace}:{outbox}:moved`,
    beat: beatKeys(`${namespace}:{beat}:`)
  }
  cache.set(namespace, keys)
  return keys
}

const beatKeys = (prefix: string): BeatKeys => ({
  schedules: `${prefix}schedules`,
  changed: `${prefix}changed`,
  slots: (name) => `${prefix}slots:${name}`,
  runs: (name) => `${prefix}runs:${name}`,
  fired: (name) => `${prefix}fired:${name}`
})

const queueKeys = (namespace: string, queue: QueueName): QueueKeys => {
  const prefix = `${namespace}:{${queue}}:`
  return {
    queue,
    prefix,
    jobs: `${prefix}jobs`,
    delayed: `${prefix}delayed`,
    dead: `${prefix}dead`,
    meta: `${prefix}meta`,
    cursor: `${prefix}cursor`,
    revoked: `${prefix}revoked`,
    job: (id) => `${prefix}job:${id}`,
    flow: (id) => `${prefix}flow:${id}`,
    members: (id) => `${prefix}flow:${id}:members`,
    heads: (id) => `${prefix}flow:${id}:heads`,
    all: (id) => `${prefix}flow:${id}:all`,
    lanes: `${prefix}lanes`,
    weights: `${prefix}weights`,
    result: (id) => `${prefix}result:${id}`,
    children: (id) => `${prefix}children:${id}`
  }
}
