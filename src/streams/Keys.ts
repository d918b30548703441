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
  readonly flow: (id: string) => string
}

export interface Keys {
  readonly queue: (queue: QueueName) => QueueKeys
  readonly events: string
  readonly workers: string
  /** Pub/sub channel by which workers hear of revokes, pauses and work that is due. */
  readonly control: string
  /** Hash of the beat: last slot fired per schedule. */
  readonly beat: string
}

const cache = new Map<string, Keys>()

/** The keys of a namespace, `lg` by default. */
export const keysOf = (namespace: string): Keys => {
  const known = cache.get(namespace)
  if (known !== undefined) return known
  const all = new Map(queues.map((queue) => [queue, queueKeys(namespace, queue)] as const))
  const keys: Keys = {
    queue: (queue) => all.get(queue) as QueueKeys,
    events: `${namespace}:events`,
    workers: `${namespace}:workers`,
    control: `${namespace}:control`,
    beat: `${namespace}:beat`
  }
  cache.set(namespace, keys)
  return keys
}

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
    flow: (id) => `${prefix}flow:${id}`
  }
}
