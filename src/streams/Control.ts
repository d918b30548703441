/**
 * Steering from outside: revoke, purge, pause, replay. Promises that a revoke reaches a queued, delayed or running job on
 * any node, that a purge keeps lag true, and that workers hear of it at once over one channel.
 */
import { Context, Data, type Duration, Effect, Layer, Result } from "effect"
import { type JobId, type QueueName, queueOf } from "../jobs/JobQueue.ts"
import type { RateInput } from "../jobs/Rate.ts"
import * as DeadSteps from "./DeadSteps.ts"
import * as Events from "./Events.ts"
import * as Flows from "./Flows.ts"
import * as FlowStore from "./FlowStore.ts"
import * as Gates from "./Gates.ts"
import * as JobQueues from "./JobQueues.ts"
import { group, keysOf } from "./Keys.ts"
import * as Limits from "./Limits.ts"
import { type Client, Redis, type RedisError } from "./Redis.ts"
import * as Requests from "./Requests.ts"
import type { AskOptions, Asks, Consumers, Replies, Request } from "./Requests.ts"
import * as Scripts from "./Scripts.ts"
import * as Settings from "./Settings.ts"
import type { Setting } from "./Settings.ts"
import * as Steering from "./Steering.ts"

/** `unknown` id · `final`: it had ended already · `cancelled`: done · `requested`: a worker holds it and has been told. */
export type Revoked = "unknown" | "final" | "cancelled" | "requested"

/** What workers hear on the control channel. */
export type Message =
  | { readonly op: "revoke"; readonly id: string; readonly terminate: boolean }
  /** Something was set: to be read again. */
  | { readonly op: "settings" }
  | { readonly op: "wake" | "reclaim" }
  | Request

type Ask<A> = Effect.Effect<Replies<A>, RedisError>

/** What was to be set makes no sense; says what was expected. */
export class NotAllowed extends Data.TaggedError("NotAllowed")<{ readonly message: string }> {
  readonly retryable = false
}

/** Scripts that revoke under way at the same time. */
const revokesAtOnce = 64
/** Moments given back at once, two texts each. */
const momentsAtOnce = 1_024
/** How long the outcome of a cancelled job is kept: 1 day. */
const ttlMs = 86_400_000

export class Control extends Context.Service<
  Control,
  {
    /** Cancels a job. `terminate` (default true) also interrupts it where it runs; else a running one is let finish. */
    readonly revoke: (id: string, options?: { readonly terminate?: boolean }) => Effect.Effect<Revoked, RedisError>
    /** Cancels all jobs of a flow, by the id of any of them; what has ended stays as it is. */
    readonly revokeFlow: (
      id: string,
      options?: { readonly terminate?: boolean }
    ) => Effect.Effect<FlowStore.FlowRevoked, RedisError>
    /** As `revoke`, for many ids (at most 10,000); what became of each, in their order. */
    readonly revokeAll: (
      ids: ReadonlyArray<string>,
      options?: { readonly terminate?: boolean }
    ) => Effect.Effect<ReadonlyArray<Revoked>, RedisError>
    /**
     * Cancels every job of a task that is there now: queued, delayed, set aside or (`terminate`, default true) running.
     * Jobs enqueued later run. Returns how many were cancelled, and how many a worker holds and was told of.
     */
    readonly revokeTask: (
      task: string,
      options?: { readonly terminate?: boolean }
    ) => Effect.Effect<Steering.RevokedTask, RedisError>
    /**
     * How often jobs of a task may start, over all workers: "10/s", "600/m", "100/h", a number per second; null = without
     * limit; "default" = as the task's code says. Kept in Redis, heard at once.
     */
    readonly rateLimit: (
      task: string,
      rate: RateInput | null | "default"
    ) => Effect.Effect<void, RedisError | NotAllowed>
    /** How many jobs of a task may run at once, over all workers. As `rateLimit`. */
    readonly concurrency: (
      task: string,
      limit: number | null | "default"
    ) => Effect.Effect<void, RedisError | NotAllowed>
    /** Time limits of attempts that begin from now on. As `rateLimit`; a missing one is none. */
    readonly timeLimit: (
      task: string,
      limits: { readonly soft?: Duration.Input; readonly hard?: Duration.Input } | "default"
    ) => Effect.Effect<void, RedisError | NotAllowed>
    /** Jobs of the task are set aside instead of run, wherever they are; what runs goes on. */
    readonly pauseTask: (task: string) => Effect.Effect<void, RedisError>
    /** Puts what was set aside back into its queues. Returns how many. */
    readonly resumeTask: (task: string) => Effect.Effect<number, RedisError>
    /** More (or, below 0, fewer) permits for the workers asked; what runs goes on. */
    readonly pool: (by: number, options?: AskOptions) => Ask<{ readonly concurrency: number }>
    readonly addConsumer: (queue: QueueName, options?: AskOptions) => Ask<Consumers>
    /** Workers give back what they have not begun of the queue, and read no more of it. */
    readonly cancelConsumer: (queue: QueueName, options?: AskOptions) => Ask<Consumers>
    /** Workers finish what runs, take nothing new, and stay. */
    readonly drain: (options?: AskOptions) => Ask<{ readonly running: number }>
    readonly undrain: (options?: AskOptions) => Ask<{ readonly running: number }>
    /** Workers end: what runs may finish within their drain limit. */
    readonly shutdown: (options?: AskOptions) => Ask<{ readonly running: number }>
    /** Any of the questions that workers answer. */
    readonly ask: <W extends Requests.Ask>(
      what: W,
      args: Asks[W]["args"],
      options?: AskOptions
    ) => Ask<Asks[W]["answer"]>
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
          await client.publish(keys.control, '{"op":"settings"}')
        })
      const revoke = async (client: Client, id: string, terminate: boolean): Promise<Revoked> => {
        const queue = queueOf(id)
        if (queue === undefined) return "unknown"
        const k = keys.queue(queue)
        const [status, task, ...moment] = await Scripts.revoke(
          client,
          [k.jobs, k.delayed, k.revoked],
          [k.prefix, group, id, terminate ? "1" : "0", ttlMs, keys.control, error]
        )
        await Gates.giveBack(client, moment)
        if (status === "cancelled") {
          await Events.emit(client, redis.namespace, [[id, task, "cancelled", 0, null, null, Date.now(), "revoked"]])
        }
        return status
      }
      const revokeAll = async (client: Client, ids: ReadonlyArray<string>, terminate: boolean) => {
        // The last first: what runs is mostly at the front, and what follows must not begin when it is interrupted.
        const out: Array<Revoked> = []
        for (let end = ids.length; end > 0; end -= revokesAtOnce) {
          const part = ids.slice(Math.max(0, end - revokesAtOnce), end).toReversed()
          out.push(...(await Promise.all(part.map((id) => revoke(client, id, terminate)))))
        }
        return out.toReversed()
      }
      const set = (name: Setting, task: string, value: Result.Result<string | undefined, string>) =>
        Result.isFailure(value) || task === ""
          ? Effect.fail(
              new NotAllowed({
                message: Result.isFailure(value) ? value.failure : "expected the name of a task, got none"
              })
            )
          : redis.use("set", async (client) => {
              await Settings.put(client, redis.namespace, name, task, value.success)
              // What waits for its turn under the old limits asks anew.
              if (name !== "time") await Steering.hasten(client, redis.namespace, task)
            })
      const ask = <W extends Requests.Ask>(what: W, args: Asks[W]["args"], options?: AskOptions) =>
        Requests.ask(redis, what, args, options)
      return Control.of({
        revoke: (id, options) => redis.use("revoke", (client) => revoke(client, id, options?.terminate !== false)),
        revokeFlow: (id, options) =>
          redis.use("revoke", () =>
            FlowStore.revoke(carrier, id, { terminate: options?.terminate !== false, error, ttlMs })
          ),
        revokeAll: (ids, options) =>
          redis.use("revoke", (client) => revokeAll(client, ids.slice(0, 10_000), options?.terminate !== false)),
        revokeTask: (task, options) =>
          redis.use("revoke", (client) =>
            Steering.revokeTask(client, redis.namespace, task, (ids) =>
              revokeAll(client, ids, options?.terminate !== false)
            )
          ),
        rateLimit: (task, rate) => set("rate", task, Steering.rateText(rate)),
        concurrency: (task, limit) => set("concurrency", task, Steering.concurrencyText(limit)),
        timeLimit: (task, limits) => set("time", task, Steering.timeText(limits)),
        pauseTask: (task) => redis.use("pause", (client) => Steering.pauseTask(client, redis.namespace, task)),
        resumeTask: (task) => redis.use("resume", (client) => Steering.resumeTask(client, redis.namespace, task)),
        pool: (by, options) => ask("pool", { by }, options),
        addConsumer: (queue, options) => ask("add_consumer", { queue }, options),
        cancelConsumer: (queue, options) => ask("cancel_consumer", { queue }, options),
        drain: (options) => ask("drain", {}, options),
        undrain: (options) => ask("undrain", {}, options),
        shutdown: (options) => ask("shutdown", {}, options),
        ask,
        purge: (queue) =>
          redis.use("purge", async (client) => {
            const k = keys.queue(queue)
            const purged = JSON.stringify({ _tag: "Cancelled", message: "the queue was purged" })
            let total = 0
            const freed: Array<string> = []
            // A queue whose lag the server has lost can't be purged before it is mended.
            await JobQueues.trim(client, k)
            // Bounded by what a queue may hold: each turn cancels or drops some.
            const settings = (await Settings.load(client, redis.namespace)).queues.get(queue)
            const parked = [...(settings?.pausedTasks ?? [])].map((task) => Steering.parkedKey(k, task))
            const places = [...parked, k.delayed]
            while (true) {
              const place = places[0] ?? k.delayed
              const [count, metas, done, moments] = await Scripts.purge(
                client,
                [k.jobs, place],
                [k.prefix, group, ttlMs, purged]
              )
              total += count
              freed.push(...moments)
              if (done === 1 || freed.length >= momentsAtOnce) await Gates.giveBack(client, freed.splice(0))
              for (let i = 0; i + 2 < metas.length; i += 3) {
                const [id = "", task = "", meta = ""] = metas.slice(i, i + 3)
                if (task === Flows.linkTask) total--
                await Flows.tellPurged(carrier, id, task, meta, purged)
              }
              if (done === 0) continue
              places.shift()
              if (places.length === 0) return total
            }
          }),
        pause: (queue) => setPaused(queue, true),
        resume: (queue) => setPaused(queue, false),
        replay: (what) =>
          redis.use("replay", async (client) => {
            if ("id" in what) {
              const raw = await DeadSteps.ofJob(client, keys, what.id)
              const ends = raw === undefined ? [] : await DeadSteps.putBack(client, keys, [{ raw, payload: "" }])
              return ends[0] === what.id ? [what.id as JobId] : []
            }
            return DeadSteps.oldestBack(client, keys, what.queue, Math.min(1_000, what.limit ?? 1_000))
          })
      })
    })
  )
}
