/**
 * The life of every job as Redis itself wrote it down: its append-only file holds each write there ever was, in order, also
 * those between two looks of anybody. Promises states in the order in which they were written. Pure.
 */
import { queueOf } from "../../src/jobs/JobQueue.ts"
import * as JobEntry from "../../src/streams/JobEntry.ts"
import { wallMs } from "./Clock.ts"

/** One state that a job was given. */
export interface Step {
  readonly state: string
  /** The entry it was queued as, where it was. */
  readonly entry?: string
  /** attempt:enqueued:started:finished of what was settled. */
  readonly run?: string
}

/** A worker held an entry, from its claim to the last time it renewed it; by the clock of the run. */
export interface Claim {
  readonly entry: string
  readonly consumer: string
  /** Which delivery it was. */
  readonly count: number
  readonly from: number
  renewed: number
}

export interface History {
  /** By job id. */
  readonly steps: ReadonlyMap<string, ReadonlyArray<Step>>
  /** Unique key of a job, by id, where one was set for it. */
  readonly uniques: ReadonlyMap<string, string>
  /** How often each job was added to a stream, by id; link jobs not counted. */
  readonly entries: ReadonlyMap<string, number>
  /** Order of all states: id and state. */
  readonly order: ReadonlyArray<readonly [id: string, state: string]>
  /** Who held what, by queue and entry. */
  readonly claims: ReadonlyMap<string, ReadonlyArray<Claim>>
}

const claimKey = (queue: string, entry: string): string => `${queue} ${entry}`

/** Who held a job, in order of time, whichever entries it was queued as. */
export const claimsOf = ({ claims, steps }: History, id: string): ReadonlyArray<Claim> => {
  const entries = new Set((steps.get(id) ?? []).flatMap(({ entry }) => entry ?? []))
  const all = [...entries].flatMap((entry) => claims.get(claimKey(queueOf(id) ?? "", entry)) ?? [])
  return all.sort((a, b) => a.from - b.from)
}

/** The commands of an append-only file; a last one cut short by a crash is left out. */
export const commandsOf = function* (file: Buffer): Generator<ReadonlyArray<string>> {
  let at = 0
  const number = (): number | undefined => {
    const end = file.indexOf("\r\n", at)
    if (end < 0) return undefined
    const value = Number(file.toString("latin1", at + 1, end))
    at = end + 2
    return value
  }
  while (at < file.length) {
    // A timestamp or other note of the server.
    if (file[at] === 0x23) {
      const end = file.indexOf("\n", at)
      if (end < 0) return
      at = end + 1
      continue
    }
    const count = number()
    if (count === undefined) return
    const words: Array<string> = []
    for (let i = 0; i < count; i++) {
      const length = number()
      if (length === undefined || at + length + 2 > file.length) return
      words.push(file.toString("utf8", at, at + length))
      at += length + 2
    }
    yield words
  }
}

/** What the file tells of the jobs of a namespace. */
export const historyOf = (file: Buffer, namespace: string): History => {
  const steps = new Map<string, Array<Step>>()
  const uniques = new Map<string, string>()
  const entries = new Map<string, number>()
  const order: Array<readonly [string, string]> = []
  const claims = new Map<string, Array<Claim>>()
  for (const words of commandsOf(file)) {
    const key = words[1] ?? ""
    if (!key.startsWith(`${namespace}:{`)) continue
    const command = (words[0] ?? "").toLowerCase()
    const rest = key.slice(key.indexOf("}:") + 2)
    if (command === "xadd" && rest === "jobs") {
      // Behind the entry's own id, which the file has in place of "*".
      const { id, task } = JobEntry.read(words.slice(3))
      if (id !== "" && task !== "@link") entries.set(id, (entries.get(id) ?? 0) + 1)
    } else if (command === "xclaim" && rest === "jobs") {
      noteClaim(claims, key.slice(key.indexOf("{") + 1, key.indexOf("}")), words)
    } else if (command === "set" && rest.startsWith("unique:")) {
      uniques.set(words[2] ?? "", rest)
    } else if (rest.startsWith("job:") && (command === "hset" || command === "hsetnx")) {
      const fields = fieldsOf(words, 2)
      const state = fields.get("state")
      if (state === undefined) continue
      const id = rest.slice("job:".length)
      const [entry, run] = [fields.get("entry"), fields.get("run")]
      const step = { state, ...(entry === undefined ? {} : { entry }), ...(run === undefined ? {} : { run }) }
      const known = steps.get(id)
      if (known === undefined) steps.set(id, [step])
      else known.push(step)
      order.push([id, state])
    }
  }
  return { steps, uniques, entries, order, claims }
}

/** Every delivery, renewal and take-over, as the file has it: XCLAIM key group consumer 0 entry TIME ms RETRYCOUNT n … */
const noteClaim = (claims: Map<string, Array<Claim>>, queue: string, words: ReadonlyArray<string>): void => {
  const [, , , consumer = "", , entry = ""] = words
  const told = fieldsOf(words, 6)
  const [at, count] = [Number(told.get("TIME")) - wallMs, Number(told.get("RETRYCOUNT"))]
  const key = claimKey(queue, entry)
  const known = claims.get(key) ?? []
  claims.set(key, known)
  const last = known.at(-1)
  if (last?.consumer === consumer && last.count === count) last.renewed = at
  else known.push({ entry, consumer, count, from: at, renewed: at })
}

const fieldsOf = (words: ReadonlyArray<string>, from: number): ReadonlyMap<string, string> => {
  const out = new Map<string, string>()
  if (from < 0) return out
  for (let i = from; i + 1 < words.length; i += 2) out.set(words[i] ?? "", words[i + 1] ?? "")
  return out
}
