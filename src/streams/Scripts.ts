/**
 * The Lua scripts of the engine, by name. Promises one round trip per call: by digest, and by text once where a server does
 * not know it yet. What each script does stands in its own header.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { isCluster, replicasOf } from "./Connect.ts"
import type { Client } from "./Redis.ts"

type Arg = string | number

export type Script<A> = (client: Client, keys: ReadonlyArray<string>, args: ReadonlyArray<Arg>) => Promise<A>

/** `libraries`: scripts whose text stands before this one's. */
const read = (name: string, libraries: ReadonlyArray<string>) => {
  const text = [...libraries, name]
    .map((file) => readFileSync(new URL(`./scripts/${file}.lua`, import.meta.url), "utf8"))
    .join("\n")
  return { text, digest: createHash("sha1").update(text).digest("hex") }
}

/**
 * On a Cluster a script is also told a key that never exists: while the slot is on its way to another master, its keys being on
 * both, the server then has no part of the script carried out on either (TRYAGAIN). Else a script on the one to come would take
 * a job for gone that has only not arrived.
 */
const guarded = (client: Client, keys: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = isCluster(client) ? (keys[0]?.indexOf("}") ?? -1) : -1
  return end < 0 ? keys : [...keys, `${keys[0]?.slice(0, end + 1)}:none`]
}

/**
 * The slot is on its way, and has been for longer than the driver tries; or a key that the script came upon has gone ahead. The
 * scripts look before they change, so the call may be made again.
 */
const isMoving = (error: unknown): boolean =>
  error instanceof Error && /^TRYAGAIN|access a non local key/u.test(error.message)
/** How often, this many ms apart, such a call is made again before its caller is told. */
const movingTries = 48
const movingMs = 100

/** Makes a call that came upon such a key again. */
const patiently = async <A>(call: () => Promise<A>): Promise<A> => {
  for (let tries = 1; ; tries++) {
    await new Promise((resolve) => setTimeout(resolve, movingMs))
    try {
      return await call()
    } catch (error) {
      if (!isMoving(error) || tries >= movingTries) throw error
    }
  }
}

const isUnknown = (error: unknown): boolean => error instanceof Error && error.message.startsWith("NOSCRIPT")

const load = <A>(name: string, ...libraries: ReadonlyArray<string>): Script<A> => {
  const { digest, text } = read(name, libraries)
  return (client, named, args) => {
    const keys = guarded(client, named)
    const byText = () => client.eval(text, keys.length, ...keys, ...args)
    return client.evalsha(digest, keys.length, ...keys, ...args).catch((error: unknown) => {
      if (isUnknown(error)) return byText()
      if (isMoving(error)) return patiently(byText)
      throw error
    }) as Promise<A>
  }
}

/** How long replicas have to say that they hold a write, ms. */
const replicatedMs = 1_000

/** As `load`; where the URL asks for replicas, it only succeeds once so many hold what was written. */
const loadAccepting = <A>(name: string, ...libraries: ReadonlyArray<string>): Script<A> => {
  const { digest, text } = read(name, libraries)
  const plain = load<A>(name, ...libraries)
  return async (client, named, args) => {
    const wanted = replicasOf(client)
    if (wanted === 0) return plain(client, named, args)
    const keys = guarded(client, named)
    // In one pipeline: WAIT speaks of what its own connection has written.
    const run = async (how: "eval" | "evalsha") => {
      const pipeline = client.pipeline()
      pipeline[how](how === "eval" ? text : digest, keys.length, ...keys, ...args)
      return (await pipeline.wait(wanted, replicatedMs).exec()) ?? []
    }
    const accepted = async (how: "eval" | "evalsha") => {
      const rows = await run(how)
      for (const [error] of rows) if (error !== null) throw error
      const held = Number(rows[1]?.[1])
      if (held >= wanted) return rows[0]?.[1] as A
      throw new Error(`NOREPLICAS expected ${wanted} to hold it within ${replicatedMs} ms, got ${held}`)
    }
    try {
      return await accepted("evalsha")
    } catch (error) {
      if (isUnknown(error)) return await accepted("eval")
      if (isMoving(error)) return await patiently(() => accepted("eval"))
      throw error
    }
  }
}

export const add = load<0 | 1>("add")
export const enqueue = loadAccepting<ReadonlyArray<number | string>>("enqueue", "lanes", "entries")
export const finish = load<ReadonlyArray<number> | 0>("finish")
export const settle = load<ReadonlyArray<number>>("settle", "entries")
export const promote = load<readonly [moved: number, nextMs: number]>("promote", "lanes")
export const group = load<0 | 1 | 2>("group")
export const renew = load<ReadonlyArray<string>>("renew")
export const reclaim = load<
  readonly [
    cursor: string,
    taken: ReadonlyArray<readonly [entry: string, fields: ReadonlyArray<string>, count: number, lost: string]>,
    gone: ReadonlyArray<string>
  ]
>("reclaim", "entries")
export const release = load<number>("release")
export const trim = load<readonly [dropped: number, again: 0 | 1]>("trim")
export const revoke = load<
  readonly [
    status: "unknown" | "final" | "cancelled" | "requested",
    task: string,
    ...moment: readonly [gate: string, at: string] | readonly []
  ]
>("revoke", "entries")
export const purge = load<
  readonly [count: number, metas: ReadonlyArray<string>, done: 0 | 1, moments: ReadonlyArray<string>]
>("purge", "entries")
export const prepare = load<number>("prepare")
export const join =
  load<readonly [status: "gone" | "waits" | "complete" | "failed", meta: string, error: string]>("join")
export const fail = load<ReadonlyArray<0 | 1 | 2 | string>>("fail")
export const gateAsk =
  load<readonly [answers: ReadonlyArray<string>, wake: ReadonlyArray<string>, now: string]>("gate_ask")
export const gateFree = load<readonly [wake: ReadonlyArray<string>, waiting: number]>("gate_free")
export const gateRenew = load<number>("gate_renew")
export const hasten = load<ReadonlyArray<string>>("hasten")
export const unpark = load<number>("unpark")
export const find = load<readonly [ids: ReadonlyArray<string>, next: string, looked: number]>("find", "entries")
export const note = load<0 | 1>("note")
export const forget = load<0 | 1>("forget")
export const replay = load<ReadonlyArray<string>>("replay")
export const deadEdit = load<string>("dead_edit")
export const deadDiscard = load<number>("dead_discard")
export const slot = load<string>("slot")
export const beat = load<0 | 1>("beat")
export const janitor = load<number>("janitor")
export const slots = load<0 | 1>("slots")
export const slotClaim =
  load<readonly [status: "yours" | "held" | "over" | "paused" | "changed" | "ended", ms: number]>("slot_claim")
export const schedulePut = load<number>("schedule_put")
export const scheduleRemove = load<0 | 1>("schedule_remove")
export const schedulePause = load<0 | 1>("schedule_pause")
