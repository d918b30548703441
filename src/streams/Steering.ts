/**
 * Steering whole tasks: setting jobs aside, bringing them back, revoking by name, asking anew after limits have changed.
 * Promises bounded scripts, also where a queue holds a million jobs, and that what is told first (a pause, a revoke) holds
 * for jobs that move meanwhile. Single jobs are the matter of `Control`.
 */
import { Duration, Result } from "effect"
import { queues } from "../jobs/JobQueue.ts"
import * as Rate from "../jobs/Rate.ts"
import * as Gates from "./Gates.ts"
import { keysOf, type QueueKeys } from "./Keys.ts"
import type { Client } from "./Redis.ts"
import type { Revoked } from "./Control.ts"
import * as Scripts from "./Scripts.ts"

/** Jobs looked at in one script. */
const perLook = 128

export interface RevokedTask {
  readonly cancelled: number
  /** A worker holds them and has been told. */
  readonly requested: number
}

/** Jobs of a paused task, set aside: id by when. */
export const parkedKey = (keys: QueueKeys, task: string): string => `${keys.prefix}parked:${task}`

const told = (client: Client, namespace: string) => client.publish(keysOf(namespace).control, '{"op":"settings"}')

export const pauseTask = async (client: Client, namespace: string, task: string): Promise<void> => {
  for (const queue of queues) await client.hset(keysOf(namespace).queue(queue).meta, `paused:${task}`, "1")
  await told(client, namespace)
}

export const resumeTask = async (client: Client, namespace: string, task: string): Promise<number> => {
  const keys = keysOf(namespace)
  // From here on the settle script sets nothing aside any more, so that the sets only get smaller.
  for (const queue of queues) await client.hdel(keys.queue(queue).meta, `paused:${task}`)
  await told(client, namespace)
  let total = 0
  for (const queue of queues) {
    const k = keys.queue(queue)
    while (true) {
      const moved = await Scripts.unpark(client, [parkedKey(k, task), k.jobs], [k.prefix])
      total += moved
      if (moved === 0) break
    }
  }
  return total
}

/** Calls `found` with ids of jobs of a task, place after place. What is added meanwhile to a set may be missed. */
const walk = async (
  client: Client,
  keys: QueueKeys,
  task: string,
  places: ReadonlyArray<"delayed" | "parked" | "stream">,
  found: (ids: ReadonlyArray<string>) => Promise<unknown>
): Promise<void> => {
  for (const place of places) {
    const key = place === "stream" ? keys.jobs : place === "delayed" ? keys.delayed : parkedKey(keys, task)
    let at = place === "stream" ? "-" : "0"
    while (at !== "") {
      const kind = place === "stream" ? "stream" : "set"
      const [ids, next] = await Scripts.find(client, [key], [kind, keys.prefix, task, at, perLook])
      if (ids.length > 0) await found(ids)
      at = next
    }
  }
}

/** Revokes all jobs of a task, by `revoke` for each batch of ids. */
export const revokeTask = async (
  client: Client,
  namespace: string,
  task: string,
  revoke: (ids: ReadonlyArray<string>) => Promise<ReadonlyArray<Revoked>>
): Promise<RevokedTask> => {
  const keys = keysOf(namespace)
  let cancelled = 0
  let requested = 0
  for (const queue of queues) {
    const k = keys.queue(queue)
    const [seconds, micros] = (await client.time()) as unknown as readonly [string, string]
    const now = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
    // Single revokes are remembered for so many jobs only; this holds for as many as there are.
    await client.hset(k.meta, `revoked:${task}`, now)
    await told(client, namespace)
    await walk(client, k, task, ["delayed", "parked", "stream"], async (ids) => {
      for (const what of await revoke(ids)) {
        if (what === "cancelled") cancelled++
        else if (what === "requested") requested++
      }
    })
  }
  return { cancelled, requested }
}

/** Makes jobs of a task due that wait for their turn under its limits. */
export const hasten = async (client: Client, namespace: string, task: string): Promise<void> => {
  for (const queue of queues) {
    const k = keysOf(namespace).queue(queue)
    await walk(client, k, task, ["delayed"], async (ids) => {
      const pipeline = client.pipeline()
      for (const id of ids) pipeline.hmget(k.job(id), "state", "run")
      const rows = (await pipeline.exec()) ?? []
      const gated = ids.filter((_, i) => waitsAtGate((rows[i]?.[1] ?? []) as ReadonlyArray<string | null>))
      if (gated.length > 0) await Gates.hasten(client, namespace, gated)
    })
  }
}

/** True for a job that was put back by a gate: its last run never started. */
const waitsAtGate = ([state, run]: ReadonlyArray<string | null>): boolean =>
  state === "scheduled" && run !== null && run !== undefined && /^\d+:\d+::$/u.test(run)

type Text = Result.Result<string | undefined, string>

/** A rate as it is kept; undefined = the task's own. */
export const rateText = (rate: Rate.RateInput | null | "default"): Text => {
  if (rate === "default") return Result.succeed(undefined)
  if (rate === null) return Result.succeed("none")
  return Rate.parse(rate) === undefined
    ? Result.fail(`expected a rate like "10/s", "600/m", "100/h" or 2.5, got ${JSON.stringify(rate)}`)
    : Result.succeed(String(rate))
}

export const concurrencyText = (limit: number | null | "default"): Text => {
  if (limit === "default") return Result.succeed(undefined)
  if (limit === null) return Result.succeed("none")
  return Number.isInteger(limit) && limit >= 1
    ? Result.succeed(String(limit))
    : Result.fail(`expected a concurrency of at least 1, got ${limit} (to stop a task, pause it)`)
}

export const timeText = (
  limits: { readonly soft?: Duration.Input; readonly hard?: Duration.Input } | "default"
): Text => {
  if (limits === "default") return Result.succeed(undefined)
  const parts = [limits.soft, limits.hard].map((limit) => {
    if (limit === undefined) return ""
    const duration = Duration.fromInput(limit)
    const ms = duration._tag === "Some" ? Duration.toMillis(duration.value) : Number.NaN
    return Number.isFinite(ms) && ms >= 1 ? String(Math.floor(ms)) : undefined
  })
  const [soft, hard] = parts
  if (soft === undefined || hard === undefined) {
    return Result.fail(`expected time limits like "30 seconds", got ${JSON.stringify(limits)}`)
  }
  return soft !== "" && hard !== "" && Number(hard) < Number(soft)
    ? Result.fail(`expected a hard limit not below the soft one of ${soft} ms, got ${hard} ms`)
    : Result.succeed(`${soft}:${hard}`)
}
