/**
 * The Lua scripts of the engine, by name. Promises one round trip per call: by digest, and by text once where a server does
 * not know it yet. What each script does stands in its own header.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import type { Client } from "./Redis.ts"

type Arg = string | number

export type Script<A> = (client: Client, keys: ReadonlyArray<string>, args: ReadonlyArray<Arg>) => Promise<A>

const load = <A>(name: string): Script<A> => {
  const text = readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), "utf8")
  const digest = createHash("sha1").update(text).digest("hex")
  return (client, keys, args) =>
    client.evalsha(digest, keys.length, ...keys, ...args).catch((error: unknown) => {
      if (error instanceof Error && error.message.startsWith("NOSCRIPT"))
        return client.eval(text, keys.length, ...keys, ...args)
      throw error
    }) as Promise<A>
}

export const enqueue = load<ReadonlyArray<number | string>>("enqueue")
export const settle = load<ReadonlyArray<number>>("settle")
export const promote = load<readonly [moved: number, nextMs: number]>("promote")
export const group = load<0 | 1 | 2>("group")
export const renew = load<ReadonlyArray<string>>("renew")
export const reclaim =
  load<
    readonly [
      cursor: string,
      taken: ReadonlyArray<readonly [entry: string, fields: ReadonlyArray<string>, count: number]>,
      gone: ReadonlyArray<string>
    ]
  >("reclaim")
export const release = load<number>("release")
export const trim = load<number>("trim")
export const revoke = load<readonly [status: "unknown" | "final" | "cancelled" | "requested", task: string]>("revoke")
export const purge = load<readonly [count: number, metas: ReadonlyArray<string>]>("purge")
export const join = load<readonly [status: "gone" | "waits" | "complete" | "failed", meta: string]>("join")
export const fail = load<0 | 1>("fail")
export const replay = load<string>("replay")
export const slot = load<string>("slot")
export const beat = load<0 | 1>("beat")
export const janitor = load<number>("janitor")
export const slots = load<0 | 1>("slots")
