/**
 * What the beats of all processes share: schedules added at run time, which are paused, and of each schedule its latest slot
 * and last runs. Promises that a slot has one claimant at a time and is only ever remembered forward, and that a change is
 * told at once. What a definition says is left to the beat.
 */
import { Effect, type Scope } from "effect"
import { keysOf } from "./Keys.ts"
import type { Client, Redis, RedisError } from "./Redis.ts"
import * as Scripts from "./Scripts.ts"

type Store = Redis["Service"]

/** One run of a schedule: a slot that fired or was left out, or a run by hand. */
export interface Run {
  /** Epoch ms; null where it was run by hand. */
  readonly slot: number | null
  /** When it was decided, epoch ms. */
  readonly at: number
  /** The job's id; null where the slot was left out. */
  readonly job: string | null
  /** Why: "on time", "the one before has not ended", "by hand", "backfill" … */
  readonly why: string
}

/** What is kept of a schedule. */
export interface Remembered {
  /** The latest slot that is over. */
  readonly slot: number | undefined
  /** Slots fired so far. */
  readonly runs: number
  /** Newest first, at most `runsKept`. */
  readonly last: ReadonlyArray<Run>
}

/** What all beats agree on. `version` grows with each change. */
export interface Shared {
  readonly version: number
  /** Definitions by name: JSON with `rev` first. */
  readonly definitions: ReadonlyMap<string, string>
  readonly paused: ReadonlySet<string>
}

/** Runs kept per schedule. */
export const runsKept = 10
/** Fired slots kept per schedule, for backfills to know. */
export const firedKept = 2_000
/** Most schedules (and marks of paused ones) that are stored. */
export const storedMax = 10_000

const serverTime = (time: readonly [string, string]): number =>
  Number(time[0]) * 1_000 + Math.floor(Number(time[1]) / 1_000)

/** The server's time in epoch ms, and the version of what is stored. */
export const look = (redis: Store): Effect.Effect<{ readonly now: number; readonly version: number }, RedisError> =>
  redis.use("look", async (client) => {
    const [version, time] = await Promise.all([
      client.hget(keysOf(redis.namespace).beat.schedules, "v"),
      client.time() as unknown as Promise<readonly [string, string]>
    ])
    return { now: serverTime(time), version: Number(version ?? 0) }
  })

/** Every stored schedule and which are paused. */
export const shared = (redis: Store): Effect.Effect<Shared, RedisError> =>
  redis.use("schedules", async (client) => {
    const hash = await client.hgetall(keysOf(redis.namespace).beat.schedules)
    const definitions = new Map<string, string>()
    const paused = new Set<string>()
    for (const [field, value] of Object.entries(hash)) {
      if (field.startsWith("d:")) definitions.set(field.slice(2), value)
      else if (field.startsWith("p:")) paused.add(field.slice(2))
    }
    return { version: Number(hash["v"] ?? 0), definitions, paused }
  })

const readOne = async (client: Client, namespace: string, name: string): Promise<Remembered> => {
  const { beat } = keysOf(namespace)
  const [[slot, runs], rows] = await Promise.all([
    client.hmget(beat.slots(name), "slot", "runs"),
    client.lrange(beat.runs(name), 0, -1)
  ])
  return {
    slot: slot === null || slot === undefined ? undefined : Number(slot),
    runs: Number(runs ?? 0),
    last: rows.map((row) => JSON.parse(row) as Run)
  }
}

/** What is remembered of schedules, by name, in one round trip. */
export const recall = (
  redis: Store,
  names: ReadonlyArray<string>
): Effect.Effect<ReadonlyMap<string, Remembered>, RedisError> =>
  names.length === 0
    ? Effect.succeed(new Map())
    : redis.use(
        "recall",
        async (client) =>
          new Map(
            await Promise.all(names.map(async (name) => [name, await readOne(client, redis.namespace, name)] as const))
          )
      )

/** Which of the slots have fired. `oldest`: those before it are no longer known. */
export const firedAmong = (redis: Store, name: string, from: number, to: number) =>
  redis.use("fired", async (client) => {
    const key = keysOf(redis.namespace).beat.fired(name)
    const [slots, count, oldest] = await Promise.all([
      client.zrangebyscore(key, from, to),
      client.zcard(key),
      client.zrange(key, "0", "0")
    ])
    return {
      fired: new Set(slots.map(Number)),
      oldest: count >= firedKept ? Number(oldest[0]) : Number.NEGATIVE_INFINITY
    }
  })

export interface Claiming {
  readonly name: string
  readonly slot: number
  /** Who asks. */
  readonly token: string
  /** How long the claim holds others off, ms. */
  readonly leaseMs: number
  readonly maxRuns: number | undefined
  /** Revision of a stored definition. */
  readonly rev: number | undefined
}

/** Asks for the right to fire a slot. */
export const claim = (redis: Store, c: Claiming) =>
  redis.use("claim", (client) => {
    const { beat } = keysOf(redis.namespace)
    return Scripts.slotClaim(
      client,
      [beat.slots(c.name), beat.fired(c.name), beat.schedules],
      [c.name, c.slot, c.token, c.leaseMs, c.maxRuns ?? "", c.rev ?? ""]
    )
  })

/** Remembers a run; `madeUp`: of a slot of the past. False where it is known already. */
export const remember = (
  redis: Store,
  name: string,
  run: Run,
  options: { readonly madeUp?: boolean; readonly stored: boolean }
) =>
  redis.use("remember", async (client) => {
    const { beat } = keysOf(redis.namespace)
    const done = await Scripts.slots(
      client,
      [beat.slots(name), beat.runs(name), beat.fired(name), beat.schedules],
      [
        run.slot ?? "",
        run.job === null ? "" : "1",
        JSON.stringify(run),
        runsKept,
        firedKept,
        options.madeUp === true ? "1" : "",
        options.stored ? `d:${name}` : ""
      ]
    )
    return done === 1
  })

/** What became of a write. */
export type Written = { readonly rev: number } | "exists" | "unknown" | "changed" | "full"

/** Stores a definition (JSON of an object with fields). `replaces`: the revision that is expected there. */
export const put = (
  redis: Store,
  name: string,
  definition: string,
  replaces: number | undefined,
  anew: boolean
): Effect.Effect<Written, RedisError> =>
  redis.use("put", async (client) => {
    const { beat } = keysOf(redis.namespace)
    const rev = await Scripts.schedulePut(
      client,
      [beat.schedules, beat.slots(name)],
      [name, definition, replaces ?? "", storedMax, beat.changed, anew ? "1" : "0"]
    )
    if (rev > 0) return { rev }
    return rev === -1 ? "exists" : rev === -2 ? "unknown" : rev === -3 ? "changed" : "full"
  })

/** Forgets a stored schedule. False where there was none. */
export const remove = (redis: Store, name: string): Effect.Effect<boolean, RedisError> =>
  redis.use("remove", async (client) => {
    const { beat } = keysOf(redis.namespace)
    const keys = [beat.schedules, beat.slots(name), beat.runs(name), beat.fired(name)]
    return (await Scripts.scheduleRemove(client, keys, [name, beat.changed])) === 1
  })

/** Pauses a schedule or lets it go on. False where that changes nothing. */
export const setPaused = (redis: Store, name: string, paused: boolean): Effect.Effect<boolean, RedisError> =>
  redis.use("pause", async (client) => {
    const { beat } = keysOf(redis.namespace)
    const args = [name, paused ? "1" : "0", beat.changed]
    return (await Scripts.schedulePause(client, [beat.schedules, beat.slots(name)], args)) === 1
  })

/** Calls `changed` at each change, and after each (re)connection, until the scope closes. */
export const listen = (redis: Store, changed: () => void): Effect.Effect<void, never, Scope.Scope> =>
  redis.subscribe("beat", keysOf(redis.namespace).beat.changed, { message: changed, listening: changed })
