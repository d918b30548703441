/**
 * The ends of attempts, carried out in batches: one script each, or a shorter one where all are plainly done. Promises what
 * the scripts promise: an end is carried out once, and only while the claim of its attempt holds.
 */
import { group, type QueueKeys } from "./Keys.ts"
import { apart, type Claim } from "./JobQueues.ts"
import type { Client } from "./Redis.ts"
import * as Scripts from "./Scripts.ts"

/** The end of an attempt, as the settle script takes it. */
export type Settlement =
  | { readonly kind: "K"; readonly claim: Claim }
  | {
      readonly kind: "D" | "d" | "X" | "C" | "R" | "S" | "P"
      readonly claim: Claim
      readonly id: string
      readonly task: string
      /** attempt:enqueued:started:finished */
      readonly run: string
      /** Result or error as JSON. */
      readonly body: string
      /** TTL of what is kept, or the delay of R and S, in ms. */
      readonly ms: number
      readonly meta: string
      /** Payload of the job that tells what follows, or "". */
      readonly link: string
      readonly unique: string
    }

/** Why a settlement was not carried out. `lost`: no claim any more. `cancelled`: before. `revoked`: settle it as cancelled. */
export type Refusal = "lost" | "cancelled" | "revoked"
const refusals: Record<number, Refusal> = { 1: "lost", 2: "cancelled", 3: "revoked" }

/** What is to be told of the ends in the same script, where that is possible: no second round trip. Not on a Cluster. */
export interface Telling {
  readonly events: string
  readonly rows: string
  /** Entries kept. */
  readonly keep: number
}

export interface Settled {
  /** By index. */
  readonly refused: ReadonlyMap<number, Refusal>
  /** Whether the telling has been done. */
  readonly told: boolean
}

/** Settles at most `scriptMax` attempts. */
export const settle = async (
  client: Client,
  keys: QueueKeys,
  control: string,
  consumer: string,
  batch: ReadonlyArray<Settlement>,
  telling?: Telling
): Promise<Settled> => {
  const plain = isPlain(batch) ? await finish(client, keys, consumer, batch, telling) : undefined
  if (plain !== undefined) return { refused: plain, told: telling !== undefined && plain.size === 0 }
  const args: Array<string | number> = [
    keys.prefix,
    group,
    consumer,
    batch[0]?.claim.entry ?? "",
    batch.at(-1)?.claim.entry ?? "",
    control
  ]
  for (const s of batch) {
    if (s.kind === "K") args.push("K", s.claim.entry, s.claim.count)
    else if (s.kind === "D") args.push("D", s.claim.entry, s.claim.count, s.id, s.task, s.run, s.body, s.ms)
    else {
      args.push(s.kind, s.claim.entry, s.claim.count, s.id, s.task, s.run, s.body, s.ms, s.meta, s.link, s.unique)
    }
  }
  const flat = await Scripts.settle(client, [keys.jobs, keys.delayed, keys.dead, keys.revoked, keys.cursor], args)
  return { refused: refused(flat), told: false }
}

const refused = (flat: ReadonlyArray<number>): ReadonlyMap<number, Refusal> => {
  if (flat.length === 0) return none
  const out = new Map<number, Refusal>()
  for (let i = 0; i < flat.length; i += 2) out.set((flat[i] as number) - 1, refusals[flat[i + 1] as number] ?? "lost")
  return out
}
const none: ReadonlyMap<number, Refusal> = new Map()

type Plain = Exclude<Settlement, { readonly kind: "K" }>

/** True where all are done, of one task, with one time to live and one delivery count, their results kept with their jobs. */
const isPlain = (batch: ReadonlyArray<Settlement>): batch is ReadonlyArray<Plain> => {
  const first = batch[0]
  if (first?.kind !== "D" || first.ms <= 0) return false
  return batch.every(
    (s) =>
      s.kind === "D" &&
      s.task === first.task &&
      s.ms === first.ms &&
      s.claim.count === first.claim.count &&
      !s.body.startsWith(apart)
  )
}

/** The short way; undefined where the other has to look closer. */
const finish = async (
  client: Client,
  keys: QueueKeys,
  consumer: string,
  batch: ReadonlyArray<Plain>,
  telling: Telling | undefined
) => {
  const first = batch[0] as Plain
  const args: Array<string | number> = [keys.prefix, group, consumer, first.task, first.ms, first.claim.count]
  for (const s of batch) args.push(s.claim.entry, s.id, s.run, s.body)
  const places = [keys.jobs, keys.revoked, keys.cursor]
  if (telling !== undefined) {
    places.push(telling.events)
    args.push(telling.rows, telling.keep)
  }
  const flat = await Scripts.finish(client, places, args)
  return flat === 0 ? undefined : refused(flat)
}
