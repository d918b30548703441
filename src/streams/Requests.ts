/**
 * Questions to running workers and their answers, over pub/sub. Promises an end after the timeout at the latest, and that
 * it is told which workers did not answer; nothing of it is kept, and what workers do is the matter of the actors.
 */
import { Effect, Schema, type Scope } from "effect"
import { randomUUID } from "node:crypto"
import type { QueueName } from "../jobs/JobQueue.ts"
import { keysOf } from "./Keys.ts"
import * as Look from "./Look.ts"
import type { Redis, RedisError } from "./Redis.ts"

/** A job that a worker holds. */
export interface HeldRow {
  readonly id: string
  readonly task: string
  readonly queue: QueueName
  readonly state: "reserved" | "running" | "settling"
  readonly attempt: number
  /** Epoch ms; null while it has not begun. */
  readonly startedAt: number | null
}

/** Options of a task as a worker knows it. */
export interface TaskOptions {
  readonly name: string
  readonly queue: QueueName
  readonly timeoutMs: number | null
  readonly hardTimeoutMs: number | null
  readonly rateLimit: string | null
  readonly concurrency: number | null
  readonly retries: number
  readonly resultTtlMs: number
}

/** What can be asked of a worker: arguments and answer. */
export interface Asks {
  readonly ping: { readonly args: Record<string, never>; readonly answer: { readonly at: number } }
  /** Grows or shrinks the permits by `by`. */
  readonly pool: { readonly args: { readonly by: number }; readonly answer: { readonly concurrency: number } }
  readonly add_consumer: { readonly args: { readonly queue: QueueName }; readonly answer: Consumers }
  readonly cancel_consumer: { readonly args: { readonly queue: QueueName }; readonly answer: Consumers }
  readonly drain: { readonly args: Record<string, never>; readonly answer: { readonly running: number } }
  readonly undrain: { readonly args: Record<string, never>; readonly answer: { readonly running: number } }
  readonly shutdown: { readonly args: Record<string, never>; readonly answer: { readonly running: number } }
  readonly conf: { readonly args: Record<string, never>; readonly answer: Readonly<Record<string, unknown>> }
  readonly query_task: {
    readonly args: { readonly ids: ReadonlyArray<string> }
    readonly answer: ReadonlyArray<HeldRow>
  }
  readonly active: { readonly args: Record<string, never>; readonly answer: ReadonlyArray<HeldRow> }
  readonly reserved: { readonly args: Record<string, never>; readonly answer: ReadonlyArray<HeldRow> }
  readonly active_queues: { readonly args: Record<string, never>; readonly answer: ReadonlyArray<QueueUse> }
  readonly registered: { readonly args: Record<string, never>; readonly answer: ReadonlyArray<TaskOptions> }
  readonly revoked: { readonly args: Record<string, never>; readonly answer: ReadonlyArray<string> }
  readonly stats: { readonly args: Record<string, never>; readonly answer: Readonly<Record<string, unknown>> }
}
export type Ask = keyof Asks

export interface QueueUse {
  readonly queue: QueueName
  readonly state: "open" | "paused" | "draining"
  readonly running: number
  readonly reserved: number
}
export interface Consumers {
  readonly queues: ReadonlyArray<QueueName>
}

/** A question as it travels. */
export interface Request {
  readonly op: "ask"
  readonly what: Ask
  readonly args: unknown
  /** Names of the workers meant; all where it is missing. */
  readonly to?: ReadonlyArray<string>
  /** Channel for the answer. */
  readonly reply: string
}

/** What one worker said. */
export type Reply<A> =
  | { readonly worker: string; readonly ok: true; readonly value: A }
  | { readonly worker: string; readonly ok: false; readonly error: string }

/** Answers by worker, and the workers that were asked and said nothing in time. Both empty: no worker runs. */
export interface Replies<A> {
  readonly replies: ReadonlyArray<Reply<A>>
  readonly silent: ReadonlyArray<string>
}

export interface AskOptions {
  /** How long to wait for answers, ms; default 1,000, at most 60,000. */
  readonly timeoutMs?: number
  /** Names of workers; default all. */
  readonly to?: ReadonlyArray<string>
}

const Answer = Schema.fromJsonString(
  Schema.Struct({
    worker: Schema.String,
    ok: Schema.Boolean,
    value: Schema.optionalKey(Schema.Unknown),
    error: Schema.optionalKey(Schema.String)
  })
)
const decode = Schema.decodeUnknownOption(Answer)

/** Asks workers and gathers their answers; ends early once everyone who lives has answered. */
export const ask = <W extends Ask>(
  redis: Redis["Service"],
  what: W,
  args: Asks[W]["args"],
  options: AskOptions = {}
): Effect.Effect<Replies<Asks[W]["answer"]>, RedisError> =>
  Effect.scoped(gather(redis, what, args, options)) as Effect.Effect<Replies<Asks[W]["answer"]>, RedisError>

const gather = (
  redis: Redis["Service"],
  what: Ask,
  args: unknown,
  options: AskOptions
): Effect.Effect<Replies<unknown>, RedisError, Scope.Scope> =>
  Effect.gen(function* () {
    const keys = keysOf(redis.namespace)
    const timeoutMs = Math.max(1, Math.min(60_000, options.timeoutMs ?? 1_000))
    const living = (yield* redis.use("workers", (client) => Look.workers(client, keys.workers))).map((w) => w.id)
    const expected = new Set(options.to ?? living)
    if (expected.size === 0 || living.length === 0) return { replies: [], silent: [...(options.to ?? [])] }
    const reply = `${redis.namespace}:reply:${randomUUID()}`
    const replies = new Map<string, Reply<unknown>>()
    const request: Request = { op: "ask", what, args, reply, ...(options.to === undefined ? {} : { to: options.to }) }
    let listening: () => void = () => {}
    const listens = new Promise<void>((resolve) => (listening = resolve))
    let complete: () => void = () => {}
    const all = new Promise<void>((resolve) => (complete = resolve))
    yield* redis.subscribe("replies", reply, {
      message: (text) => {
        const found = decode(text)
        if (found._tag === "None") return
        const { error, ok, value, worker } = found.value
        replies.set(worker, ok ? { worker, ok, value } : { worker, ok: false, error: error ?? "no reason was told" })
        if ([...expected].every((name) => replies.has(name))) complete()
      },
      listening
    })
    yield* Effect.gen(function* () {
      yield* Effect.promise(() => listens)
      yield* redis.use("ask", (client) => client.publish(keys.control, JSON.stringify(request)))
      yield* Effect.promise(() => all)
    }).pipe(Effect.timeoutOption(timeoutMs))
    const sorted = [...replies.values()].toSorted((a, b) => (a.worker < b.worker ? -1 : 1))
    return { replies: sorted, silent: [...expected].filter((name) => !replies.has(name)).toSorted() }
  })
