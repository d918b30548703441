/**
 * What was set for tasks at run time, over what their code says: limits, time limits, pauses, revokes by name. Promises
 * that it is kept in Redis, so that it survives every restart, and one read for all of it. Acting on it is the actors' matter.
 */
import { type QueueName, queues } from "../jobs/JobQueue.ts"
import * as Rate from "../jobs/Rate.ts"
import { keysOf } from "./Keys.ts"
import type { Client } from "./Redis.ts"

/** Settings of one task; undefined = as its code says, null = without that limit. */
export interface Override {
  readonly rate?: Rate.Rate | null
  readonly concurrency?: number | null
  readonly time?: { readonly softMs: number | null; readonly hardMs: number | null }
}
export type Overrides = ReadonlyMap<string, Override>

/** What one queue was told. */
export interface QueueSettings {
  readonly paused: boolean
  readonly pausedTasks: ReadonlySet<string>
  /** Jobs of the task whose entry was added up to then (epoch ms) are not started any more. */
  readonly revokedTasks: ReadonlyMap<string, number>
}

export interface TaskSettings {
  readonly tasks: Overrides
  readonly queues: ReadonlyMap<QueueName, QueueSettings>
}

export type Setting = "rate" | "concurrency" | "time"

const read = (name: Setting, text: string): Override | undefined => {
  if (name === "rate") {
    const rate = text === "none" ? null : Rate.parse(text)
    return rate === undefined ? undefined : { rate }
  }
  if (name === "concurrency") {
    const n = text === "none" ? null : Number(text)
    return n === null || (Number.isInteger(n) && n >= 1) ? { concurrency: n } : undefined
  }
  const [soft, hard] = text.split(":").map((part) => (part === "" ? null : Number(part)))
  if ([soft, hard].some((ms) => ms !== undefined && ms !== null && !(ms > 0))) return undefined
  return { time: { softMs: soft ?? null, hardMs: hard ?? null } }
}

/** Reads all of it. */
export const load = async (client: Client, namespace: string): Promise<TaskSettings> => {
  const keys = keysOf(namespace)
  const [limits, ...metas] = await Promise.all([
    client.hgetall(keys.limits),
    ...queues.map((q) => client.hgetall(keys.queue(q).meta))
  ])
  const tasks = new Map<string, Override>()
  for (const [field, text] of Object.entries(limits ?? {})) {
    const at = field.indexOf(":")
    const name = field.slice(at + 1)
    const override = read(field.slice(0, at) as Setting, text)
    if (override !== undefined) tasks.set(name, { ...tasks.get(name), ...override })
  }
  const byQueue = new Map<QueueName, QueueSettings>()
  queues.forEach((queue, i) => {
    const pausedTasks = new Set<string>()
    const revokedTasks = new Map<string, number>()
    const meta = metas[i] ?? {}
    for (const [field, text] of Object.entries(meta)) {
      if (field.startsWith("paused:")) pausedTasks.add(field.slice("paused:".length))
      else if (field.startsWith("revoked:")) revokedTasks.set(field.slice("revoked:".length), Number(text))
    }
    byQueue.set(queue, { paused: meta["paused"] === "1", pausedTasks, revokedTasks })
  })
  return { tasks, queues: byQueue }
}

/** Sets or (undefined) forgets one setting of a task, and tells workers. */
export const put = async (
  client: Client,
  namespace: string,
  name: Setting,
  task: string,
  value: string | undefined
): Promise<void> => {
  const { control, limits } = keysOf(namespace)
  if (value === undefined) await client.hdel(limits, `${name}:${task}`)
  else await client.hset(limits, `${name}:${task}`, value)
  await client.publish(control, '{"op":"settings"}')
}
