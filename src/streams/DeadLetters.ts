/**
 * Jobs that gave up: looked at, mended, put back or thrown away. Promises that payload, history and fingerprint are kept (the
 * newest 100,000 of each queue, and as long as the workers' `deadMaxAge` says), that XLEN of the dead streams is how many
 * there are, and that operators who do the same at the same time do it once. Writing letters is the settle script's matter.
 */
import { Context, Data, Effect, Layer, Result } from "effect"
import { PayloadInvalid, PayloadTooLarge } from "../jobs/Engine.ts"
import { type JobId, type QueueName, queues } from "../jobs/JobQueue.ts"
import * as Rate from "../jobs/Rate.ts"
import { type AnyTask, Registry } from "../jobs/Registry.ts"
import { cut } from "./Cut.ts"
import * as Dead from "./Dead.ts"
import type { DeadLetter, Filter } from "./Dead.ts"
import * as Steps from "./DeadSteps.ts"
import * as Events from "./Events.ts"
import { scriptMax } from "./JobQueues.ts"
import { type Keys, keysOf } from "./Keys.ts"
import * as Limits from "./Limits.ts"
import { type Client, Redis, type RedisError } from "./Redis.ts"
import * as Scripts from "./Scripts.ts"

export { isCursor } from "./Dead.ts"
export type { DeadLetter, Filter } from "./Dead.ts"

/** No dead job has that id: it never died, or was replayed, discarded or forgotten. */
export class DeadLetterUnknown extends Data.TaggedError("DeadLetterUnknown")<{ readonly id: string }> {
  readonly retryable = false
  override get message(): string {
    return `no dead job has the id ${this.id}`
  }
}

/** Another unfinished job holds the unique key of the dead one. */
export class UniqueKeyHeld extends Data.TaggedError("UniqueKeyHeld")<{ readonly id: string; readonly holder: string }> {
  readonly retryable = true
  override get message(): string {
    return `the unique key of ${this.id} is held by ${this.holder}, which has not ended`
  }
}

export interface Listed {
  readonly letters: ReadonlyArray<DeadLetter>
  /** To ask for the next page with; undefined where there is none. A page may be empty and not the last. */
  readonly cursor: string | undefined
}

/** What has been done so far, of a matter that takes many steps. */
export interface Progress {
  readonly done: number
  /** Left as they were: another did it first, or the unique key is held. */
  readonly skipped: number
}

export interface ReplayOptions {
  /** How fast they start, "50/s": they wait in the delayed set for their turn. Default: all at once. */
  readonly rate?: Rate.RateInput | undefined
  /** At most so many, the oldest first. */
  readonly limit?: number | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

type Faults = DeadLetterUnknown | RedisError
type Mended = PayloadInvalid | PayloadTooLarge

export class DeadLetters extends Context.Service<
  DeadLetters,
  {
    /** Newest first; `limit` 1 to 500, default 50. */
    readonly list: (
      filter?: Filter,
      options?: { readonly limit?: number | undefined; readonly cursor?: string | undefined }
    ) => Effect.Effect<Listed, RedisError>
    /** Grouped by fingerprint, the largest first; looks at all that match. At most 1,000 groups. */
    readonly groups: (filter?: Filter) => Effect.Effect<ReadonlyArray<Steps.Group>, RedisError>
    readonly get: (id: string) => Effect.Effect<DeadLetter, Faults>
    /** How many there are, by queue. */
    readonly depth: Effect.Effect<Readonly<Record<QueueName, number>>, RedisError>
    /**
     * Gives a dead job another payload (encoded JSON). It is checked by the task's schema where the task is among `tasks` or
     * registered in this process.
     */
    readonly edit: (
      id: string,
      payload: unknown,
      tasks?: Iterable<AnyTask>
    ) => Effect.Effect<DeadLetter, Faults | Mended>
    /** Puts one back into its queue, its failures forgotten, with another payload where one is given. */
    readonly replay: (
      id: string,
      payload?: unknown,
      tasks?: Iterable<AnyTask>
    ) => Effect.Effect<JobId, Faults | Mended | UniqueKeyHeld>
    /** Puts all back that match and are dead now, the oldest first. */
    readonly replayAll: (filter: Filter, options?: ReplayOptions) => Effect.Effect<Progress, RedisError>
    /** Throws one away; false where it was gone. */
    readonly discard: (id: string) => Effect.Effect<boolean, RedisError>
    /** Throws all away that match and are dead now. */
    readonly discardAll: (
      filter: Filter,
      options?: Pick<ReplayOptions, "limit" | "onProgress">
    ) => Effect.Effect<Progress, RedisError>
  }
>()("loglytics/streams/DeadLetters") {
  static readonly layer = Layer.effect(
    DeadLetters,
    Effect.gen(function* () {
      const redis = yield* Redis
      const registry = yield* Registry
      return make(redis, registry)
    })
  )
}

const listMax = 500

/** Wrong numbers and cursors are the caller's own mistake: what was expected, or nothing. */
const faultOf = (
  filter: Filter,
  options: { readonly limit?: number | undefined; readonly cursor?: string | undefined } = {}
): RangeError | undefined => {
  for (const name of ["since", "until"] as const) {
    const at = filter[name]
    if (at !== undefined && !Number.isFinite(at)) return new RangeError(`${name}: expected epoch ms, got ${at}`)
  }
  const { cursor, limit } = options
  if (limit !== undefined && !(limit >= 0)) return new RangeError(`limit: expected a number of letters, got ${limit}`)
  return cursor === undefined || Dead.isCursor(cursor)
    ? undefined
    : new RangeError(`cursor: expected one that a page has given, got ${JSON.stringify(cursor)}`)
}

/** Runs what makes sense; what does not is a defect. */
const sound = <A, E>(fault: RangeError | undefined, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  fault === undefined ? effect : Effect.die(fault)

const make = (redis: Redis["Service"], registry: Registry["Service"]): DeadLetters["Service"] => {
  const keys = keysOf(redis.namespace)
  const tell = (rows: ReadonlyArray<Events.PackedRow>) =>
    Effect.ignore(redis.use("events", (client) => Events.emit(client, redis.namespace, rows)))
  const find = (id: string): Effect.Effect<Dead.Raw, Faults> =>
    Effect.flatMap(
      redis.use("dead", (client) => Steps.ofJob(client, keys, id)),
      (raw) => (raw === undefined ? Effect.fail(new DeadLetterUnknown({ id })) : Effect.succeed(raw))
    )
  const mend = (task: string, payload: unknown, tasks: Iterable<AnyTask> = []) =>
    Effect.fromResult(checked(task, payload, tasks, registry))
  return DeadLetters.of({
    list: (filter = {}, { cursor, limit = 50 } = {}) =>
      sound(
        faultOf(filter, { cursor, limit }),
        redis.use("dead", async (client) => {
          const page = await Dead.page(client, keys, filter, { cursor, limit: Math.max(1, Math.min(listMax, limit)) })
          return { letters: page.letters.map(Dead.letter), cursor: page.cursor }
        })
      ),
    groups: (filter = {}) =>
      sound(
        faultOf(filter),
        redis.use("dead", (client) => Steps.groups(client, keys, filter))
      ),
    get: (id) => Effect.map(find(id), Dead.letter),
    depth: redis.use("dead", async (client) => {
      const all = await Promise.all(queues.map(async (q) => [q, await client.xlen(keys.queue(q).dead)] as const))
      return Object.fromEntries(all) as Record<QueueName, number>
    }),
    edit: (id, payload, tasks) =>
      Effect.gen(function* () {
        const raw = yield* find(id)
        const text = yield* mend(raw.task, payload, tasks)
        const k = keys.queue(raw.queue)
        const entry = yield* redis.use("edit", (client) =>
          Scripts.deadEdit(client, [k.dead], [k.prefix, raw.entry, text])
        )
        if (entry === "") return yield* new DeadLetterUnknown({ id })
        return Dead.letter({ ...raw, entry, payload: text, died: String(Dead.diedAt(raw)) })
      }),
    replay: (id, payload, tasks) =>
      Effect.gen(function* () {
        const raw = yield* find(id)
        const text = payload === undefined ? "" : yield* mend(raw.task, payload, tasks)
        const [end] = yield* redis.use("replay", (client) => Steps.putBack(client, keys, [{ raw, payload: text }]))
        if (end === undefined || end === "") return yield* new DeadLetterUnknown({ id })
        if (end.startsWith("=")) return yield* new UniqueKeyHeld({ id, holder: end.slice(1) })
        yield* tell([[id, raw.task, "queued", 0, null, null, null]])
        return id as JobId
      }),
    replayAll: Effect.fnUntraced(function* (filter, options = {}) {
      const rate = options.rate === undefined ? undefined : Rate.make(options.rate)
      let place = 0
      return yield* sweep(redis, keys, filter, options, async (client, raws) => {
        const ends = await Steps.putBack(
          client,
          keys,
          raws.map((raw) => ({
            raw,
            payload: "",
            delayMs: rate === undefined ? undefined : Math.floor((place++ * rate.windowMs) / rate.limit)
          }))
        )
        const back = raws.filter((_, i) => ends[i] !== "" && ends[i]?.startsWith("=") !== true)
        const state = rate === undefined ? "queued" : "scheduled"
        await Events.emit(
          client,
          redis.namespace,
          back.map((raw) => [raw.id, raw.task, state, 0, null, null, null] as const)
        ).catch(() => {})
        return back.length
      })
    }),
    discard: (id) =>
      Effect.flatMap(Effect.option(find(id)), (raw) =>
        raw._tag === "None"
          ? Effect.succeed(false)
          : Effect.map(
              redis.use("discard", (client) => Steps.throwAway(client, keys, [raw.value])),
              (count) => count === 1
            )
      ),
    discardAll: (filter, options = {}) =>
      sweep(redis, keys, filter, options, (client, raws) => Steps.throwAway(client, keys, raws))
  })
}

/** Does something to all letters that match, some at a time. What dies again meanwhile is left alone. */
const sweep = (
  redis: Redis["Service"],
  keys: Keys,
  filter: Filter,
  options: Pick<ReplayOptions, "limit" | "onProgress">,
  step: (client: Client, raws: ReadonlyArray<Dead.Raw>) => Promise<number>
): Effect.Effect<Progress, RedisError> =>
  Effect.gen(function* () {
    const fault = faultOf(filter, options)
    if (fault !== undefined) return yield* Effect.die(fault)
    const most = options.limit ?? Number.POSITIVE_INFINITY
    const upTo = yield* redis.use("dead", (client) => Dead.endsOf(client, keys))
    let progress: Progress = { done: 0, skipped: 0 }
    let cursor: string | undefined
    do {
      const limit = Math.floor(Math.min(scriptMax, most - progress.done - progress.skipped))
      if (limit <= 0) return progress
      const found = yield* redis.use("dead", (client) =>
        Dead.page(client, keys, filter, { limit, cursor, oldestFirst: true, upTo })
      )
      cursor = found.cursor
      if (found.letters.length === 0) continue
      for (const part of cut(found.letters, scriptMax, Dead.charsOf)) {
        const count = yield* redis.use("dead", (client) => step(client, part))
        progress = { done: progress.done + count, skipped: progress.skipped + part.length - count }
        options.onProgress?.(progress)
      }
    } while (cursor !== undefined)
    return progress
  })

/** A payload from outside as text, checked by the schema of its task where that is known. */
const checked = (
  task: string,
  payload: unknown,
  tasks: Iterable<AnyTask>,
  registry: Registry["Service"]
): Result.Result<string, Mended> => {
  let encoded = payload
  let known = false
  for (const one of tasks) {
    if (one.name !== task) continue
    const job = one.jobFromJson(payload)
    if (Result.isFailure(job)) return Result.fail(job.failure)
    if (Result.isSuccess(job.success.payload)) encoded = job.success.payload.success
    known = true
  }
  const decoded = known ? undefined : registry.tasks.get(task)?.decode(payload)
  if (decoded !== undefined && Result.isFailure(decoded)) {
    return Result.fail(new PayloadInvalid({ task, issues: decoded.failure }))
  }
  const text = textOf(encoded)
  if (text === undefined) {
    return Result.fail(
      new PayloadInvalid({ task, issues: [{ path: "", message: "expected JSON, got what it can't hold" }] })
    )
  }
  const bytes = Buffer.byteLength(text)
  const limit = Limits.defaults.maxPayloadBytes
  return bytes > limit ? Result.fail(new PayloadTooLarge({ task, bytes, limit })) : Result.succeed(text)
}

const textOf = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
