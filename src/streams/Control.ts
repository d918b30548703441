/**
 * Steering from outside: revoke, purge, pause, replay. Promises that a revoke reaches a queued, delayed or running job on
 * any node, that a purge keeps lag true, and that workers hear of it at once over one channel.
 */
import { Context, Effect, Layer } from "effect"
import { type JobId, type QueueName, queueOf } from "../jobs/JobQueue.ts"
import type { Meta } from "../jobs/Plan.ts"
import * as DeadLetters from "./DeadLetters.ts"
import * as Events from "./Events.ts"
import * as Flows from "./Flows.ts"
import * as JobQueues from "./JobQueues.ts"
import { group, keysOf } from "./Keys.ts"
import * as Limits from "./Limits.ts"
import { Redis, type RedisError } from "./Redis.ts"
import * as Scripts from "./Scripts.ts"

/** `unknown` id · `final`: it had ended already · `cancelled`: done · `requested`: a worker holds it and has been told. */
export type Revoked = "unknown" | "final" | "cancelled" | "requested"

/** What workers hear on the control channel. */
export type Message =
  | { readonly op: "revoke"; readonly id: string; readonly terminate: boolean }
  | { readonly op: "pause" | "resume"; readonly queue: QueueName }
  | { readonly op: "wake" | "reclaim" }

/** How long the outcome of a cancelled job is kept: 1 day. */
const ttlMs = 86_400_000

export class Control extends Context.Service<
  Control,
  {
    /** Cancels a job. `terminate` (default true) also interrupts it where it runs; else a running one is let finish. */
    readonly revoke: (id: string, options?: { readonly terminate?: boolean }) => Effect.Effect<Revoked, RedisError>
    /** Cancels every job that nobody has claimed, delayed ones included. Returns how many. */
    readonly purge: (queue: QueueName) => Effect.Effect<number, RedisError>
    /** Workers stop reading the queue; what they hold goes on. */
    readonly pause: (queue: QueueName) => Effect.Effect<void, RedisError>
    readonly resume: (queue: QueueName) => Effect.Effect<void, RedisError>
    /** Puts dead jobs back, by id or (at most 1,000) a queue's oldest. Returns their ids. */
    readonly replay: (
      what: { readonly id: string } | { readonly queue: QueueName; readonly limit?: number }
    ) => Effect.Effect<ReadonlyArray<JobId>, RedisError>
  }
>()("loglytics/streams/Control") {
  static readonly layer = Layer.effect(
    Control,
    Effect.gen(function* () {
      const redis = yield* Redis
      const keys = keysOf(redis.namespace)
      const carrier = { client: redis.client, namespace: redis.namespace, limits: Limits.defaults }
      const error = JSON.stringify({ _tag: "Cancelled", message: "revoked" })
      const setPaused = (queue: QueueName, paused: boolean) =>
        redis.use(paused ? "pause" : "resume", async (client) => {
          if (paused) await client.hset(keys.queue(queue).meta, "paused", "1")
          else await client.hdel(keys.queue(queue).meta, "paused")
          await client.publish(keys.control, JSON.stringify({ op: paused ? "pause" : "resume", queue }))
        })
      return Control.of({
        revoke: (id, options) =>
          redis.use("revoke", async (client) => {
            const queue = queueOf(id)
            if (queue === undefined) return "unknown"
            const k = keys.queue(queue)
            const terminate = options?.terminate === false ? "0" : "1"
            const [status, task] = await Scripts.revoke(
              client,
              [k.jobs, k.delayed, k.revoked],
              [k.prefix, group, id, terminate, ttlMs, keys.control, error]
            )
            if (status === "cancelled") {
              await Events.emit(client, redis.namespace, [
                [id, task, "cancelled", 0, null, null, Date.now(), "revoked"]
              ])
            }
            return status
          }),
        purge: (queue) =>
          redis.use("purge", async (client) => {
            const k = keys.queue(queue)
            const purged = JSON.stringify({ _tag: "Cancelled", message: "the queue was purged" })
            let total = 0
            // A queue whose lag the server has lost can't be purged before it is mended.
            await JobQueues.trim(client, k)
            // Bounded by what a queue may hold: each turn cancels up to 64.
            while (true) {
              const [count, metas] = await Scripts.purge(client, [k.jobs, k.delayed], [k.prefix, group, ttlMs, purged])
              total += count
              for (const meta of metas) await Flows.tell(carrier, `{"meta":${meta},"failed":${purged}}`)
              if (count === 0) return total
            }
          }),
        pause: (queue) => setPaused(queue, true),
        resume: (queue) => setPaused(queue, false),
        replay: (what) =>
          redis.use("replay", async (client) => {
            const queue = "id" in what ? queueOf(what.id) : what.queue
            if (queue === undefined) return []
            const k = keys.queue(queue)
            const dead =
              "id" in what
                ? await DeadLetters.ofJob(client, k, what.id)
                : await DeadLetters.list(client, k, Math.min(1_000, what.limit ?? 1_000))
            const out: Array<JobId> = []
            for (const letter of dead) {
              const id = await Scripts.replay(client, [k.dead, k.jobs], [k.prefix, letter.entry, fresh(letter.meta)])
              if (id !== "") out.push(id as JobId)
            }
            return out
          })
      })
    })
  )
}

/** The meta of a job that starts anew: its failures forgotten, its links kept. */
const fresh = (text: string): string => {
  if (text === "") return ""
  const { l, t, u } = JSON.parse(text) as Meta
  const meta = {
    ...(t === undefined ? {} : { t }),
    ...(u === undefined ? {} : { u }),
    ...(l === undefined ? {} : { l })
  }
  return Object.keys(meta).length === 0 ? "" : JSON.stringify(meta)
}
