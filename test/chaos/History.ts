/**
 * The life of every job as Redis itself wrote it down: its append-only file holds each write there ever was, in order, also
 * those between two looks of anybody. Promises states in the order in which they were written. Pure.
 */
import * as JobEntry from "../../src/streams/JobEntry.ts"

/** One state that a job was given. */
export interface Step {
  readonly state: string
  /** The entry it was queued as, where it was. */
  readonly entry?: string
  /** attempt:enqueued:started:finished of what was settled. */
  readonly run?: string
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
  for (const words of commandsOf(file)) {
    const key = words[1] ?? ""
    if (!key.startsWith(`${namespace}:{`)) continue
    const command = (words[0] ?? "").toLowerCase()
    const rest = key.slice(key.indexOf("}:") + 2)
    if (command === "xadd" && rest === "jobs") {
      // Behind the entry's own id, which the file has in place of "*".
      const { id, task } = JobEntry.read(words.slice(3))
      if (id !== "" && task !== "@link") entries.set(id, (entries.get(id) ?? 0) + 1)
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
  return { steps, uniques, entries, order }
}

const fieldsOf = (words: ReadonlyArray<string>, from: number): ReadonlyMap<string, string> => {
  const out = new Map<string, string>()
  if (from < 0) return out
  for (let i = from; i + 1 < words.length; i += 2) out.set(words[i] ?? "", words[i + 1] ?? "")
  return out
}
