/**
 * Reading the streams of dead jobs: an entry as a letter, filters, and pages over all queues in order of time. Promises that
 * a look is bounded and can be continued where it ended. What is done with letters is the matter of `DeadLetters`.
 */
import type { Failure } from "../jobs/Engine.ts"
import * as Fingerprint from "../jobs/Fingerprint.ts"
import { type QueueName, queues } from "../jobs/JobQueue.ts"
import * as MetaText from "../jobs/MetaText.ts"
import type { Meta } from "../jobs/Plan.ts"
import type { Keys } from "./Keys.ts"
import type { Client } from "./Redis.ts"

/** An entry as it lies in the stream. */
export interface Raw {
  readonly queue: QueueName
  readonly entry: string
  readonly id: string
  readonly task: string
  readonly payload: string
  readonly meta: string
  readonly error: string
  /** When it died where the entry was edited since, else "". */
  readonly died: string
}

/** A dead job. Times in epoch ms. */
export interface DeadLetter {
  readonly id: string
  readonly task: string
  readonly queue: QueueName
  /** Encoded JSON. */
  readonly payload: unknown
  readonly error: Failure
  readonly fingerprint: string
  /** Runs that are known of. */
  readonly attempts: number
  readonly enqueuedAt: number | null
  readonly firstFailedAt: number
  readonly diedAt: number
  readonly edited: boolean
  /** Its failures, oldest first: the last 10 that were tried again, and the one that it died of. */
  readonly history: ReadonlyArray<{
    readonly attempt: number
    readonly at: number
    readonly tag: string
    readonly message: string
  }>
}

export interface Filter {
  readonly queue?: QueueName | undefined
  readonly task?: string | undefined
  readonly fingerprint?: string | undefined
  /** Died (or edited) not before, epoch ms. */
  readonly since?: number | undefined
  /** Not after, epoch ms. */
  readonly until?: number | undefined
  /** Found in the id, the payload or the error, whatever the case. */
  readonly text?: string | undefined
  readonly id?: string | undefined
}

export const errorOf = (raw: Raw): Failure => {
  try {
    const error = JSON.parse(raw.error) as Failure
    const { _tag, message } = error as { readonly _tag: unknown; readonly message?: unknown }
    if (typeof _tag === "string")
      return typeof (message ?? "") === "string" ? error : { ...error, message: String(message) }
  } catch {
    // Not ours: told as it is.
  }
  return { _tag: "Error", message: raw.error }
}

const parsed = <A>(text: string, otherwise: A): A => {
  try {
    return JSON.parse(text) as A
  } catch {
    return otherwise
  }
}

export const metaOf = (raw: Raw): Meta => MetaText.read(raw.meta) ?? {}
export const fingerprintOf = (raw: Raw): string => Fingerprint.of(raw.task, errorOf(raw), raw.payload)
export const diedAt = (raw: Raw): number => Number(/^\d{1,15}$/u.test(raw.died) ? raw.died : raw.entry.split("-")[0])

/** The letter of an entry. */
export const letter = (raw: Raw): DeadLetter => {
  const meta = metaOf(raw)
  const error = errorOf(raw)
  const died = diedAt(raw)
  const attempts = (meta.a ?? 0) + 1
  const before = (meta.h ?? []).map(([attempt, at, tag, message]) => ({ attempt, at, tag, message }))
  const last = { attempt: attempts, at: died, tag: error._tag, message: (error.message ?? "").slice(0, 200) }
  return {
    id: raw.id,
    task: raw.task,
    queue: raw.queue,
    payload: parsed<unknown>(raw.payload, raw.payload),
    error,
    fingerprint: fingerprintOf(raw),
    attempts,
    enqueuedAt: meta.t ?? null,
    firstFailedAt: before[0]?.at ?? died,
    diedAt: died,
    edited: raw.died !== "",
    history: [...before, last]
  }
}

/** True for an entry that a filter lets through; the cheap questions come first. */
export const matches = (filter: Filter, raw: Raw): boolean => {
  if (filter.id !== undefined && raw.id !== filter.id) return false
  if (filter.task !== undefined && raw.task !== filter.task) return false
  if (filter.text !== undefined) {
    const text = filter.text.toLowerCase()
    if (![raw.id, raw.payload, raw.error].some((s) => s.toLowerCase().includes(text))) return false
  }
  return filter.fingerprint === undefined || fingerprintOf(raw) === filter.fingerprint
}

/** Entries asked for at once: few at first, since nobody knows how large they are, then about so many characters. */
const chunkFirst = 4
const chunkMax = 500
const chunkChars = 524_288
/** Entries looked at for one page. */
export const lookedMax = 20_000

interface Head {
  readonly queue: QueueName
  /** Id of the last entry looked at; "" = none yet. */
  after: string
  buffer: ReadonlyArray<Raw>
  at: number
  ended: boolean
  /** How many are asked for next. */
  chunk: number
}

export interface Page {
  readonly letters: ReadonlyArray<Raw>
  /** To go on from here; undefined where all has been looked at. A page may be empty and not the last. */
  readonly cursor: string | undefined
}

/** The last entries of queues, by their ids. */
export type Ends = Readonly<Partial<Record<QueueName, string>>>

/** Where the dead streams end now. */
export const endsOf = async (client: Client, keys: Keys): Promise<Ends> => {
  const last = async (queue: QueueName) =>
    (await client.xrevrange(keys.queue(queue).dead, "+", "-", "COUNT", 1)).map(([entry]) => [queue, entry] as const)
  return Object.fromEntries((await Promise.all(queues.map(last))).flat())
}

export interface PageOptions {
  readonly limit: number
  readonly cursor?: string | undefined
  /** Default: newest first. */
  readonly oldestFirst?: boolean
  /** By queue: no letters behind this entry, none at all where a queue has no such. With `oldestFirst`. */
  readonly upTo?: Ends
}

/** The last entries looked at, by queue. */
const cursorPattern = /^(?:end|(?:\d{1,16}-\d{1,16})?)(?:,(?:end|(?:\d{1,16}-\d{1,16})?)){2}$/u
/** True for what a page may have given to go on with. */
export const isCursor = (text: string): boolean => cursorPattern.test(text)

/** One page of entries that match, over all queues by time. */
export const page = async (client: Client, keys: Keys, filter: Filter, options: PageOptions): Promise<Page> => {
  const up = options.oldestFirst === true
  const from = (options.cursor ?? "").split(",")
  const served = queues.filter((q) => filter.queue === undefined || q === filter.queue)
  const heads = served.map((queue): Head => {
    const after = from[queues.indexOf(queue)] ?? ""
    return {
      queue,
      after: after === "end" ? "" : after,
      buffer: [],
      at: 0,
      ended: after === "end" || (options.upTo !== undefined && options.upTo[queue] === undefined),
      chunk: chunkFirst
    }
  })
  const letters: Array<Raw> = []
  for (let looked = 0; looked < lookedMax && letters.length < options.limit; looked++) {
    let next: Head | undefined
    for (const head of heads) {
      if (head.at >= head.buffer.length && !head.ended)
        await fill(client, keys, filter, head, up, options.upTo?.[head.queue])
      const raw = head.buffer[head.at]
      if (raw === undefined) continue
      const best = next?.buffer[next.at]
      if (best === undefined || (up ? earlier(raw.entry, best.entry) : earlier(best.entry, raw.entry))) next = head
    }
    const raw = next?.buffer[next.at]
    if (next === undefined || raw === undefined) return { letters, cursor: undefined }
    next.at++
    next.after = raw.entry
    if (matches(filter, raw)) letters.push(raw)
  }
  const positions = queues.map((q) => {
    const head = heads.find((h) => h.queue === q)
    return head === undefined || (head.ended && head.at >= head.buffer.length) ? "end" : head.after
  })
  return { letters, cursor: positions.every((p) => p === "end") ? undefined : positions.join(",") }
}

/** What a letter brings along. */
export const charsOf = (raw: Raw): number => raw.payload.length + raw.error.length + raw.meta.length

/** A time as a stream's ids begin. */
const msOf = (at: number): string => String(Math.max(0, Math.floor(at)))

const fill = async (
  client: Client,
  keys: Keys,
  filter: Filter,
  head: Head,
  up: boolean,
  upTo: string | undefined
): Promise<void> => {
  const low = up && head.after !== "" ? `(${head.after}` : filter.since === undefined ? "-" : msOf(filter.since)
  const until = filter.until === undefined ? "+" : msOf(filter.until)
  const timed = upTo === undefined || Number(upTo.split("-")[0]) > (filter.until ?? Number.POSITIVE_INFINITY)
  const high = !up && head.after !== "" ? `(${head.after}` : timed ? until : upTo
  const { dead } = keys.queue(head.queue)
  const rows = await (up
    ? client.xrange(dead, low, high, "COUNT", head.chunk)
    : client.xrevrange(dead, high, low, "COUNT", head.chunk))
  head.buffer = rows.map(([entry, fields]) => rawOf(head.queue, entry, fields))
  head.at = 0
  head.ended = rows.length < head.chunk
  const chars = head.buffer.reduce((sum, raw) => sum + charsOf(raw), 0)
  head.chunk = Math.max(1, Math.min(chunkMax, Math.floor((chunkChars * rows.length) / Math.max(1, chars))))
}

const earlier = (a: string, b: string): boolean => {
  const [am, as] = a.split("-").map(Number) as [number, number]
  const [bm, bs] = b.split("-").map(Number) as [number, number]
  return am === bm ? as < bs : am < bm
}

export const rawOf = (queue: QueueName, entry: string, fields: ReadonlyArray<string>): Raw => {
  const f = new Map<string, string>()
  for (let i = 0; i + 1 < fields.length; i += 2) f.set(fields[i]!, fields[i + 1]!)
  const get = (name: string) => f.get(name) ?? ""
  return {
    queue,
    entry,
    id: get("id"),
    task: get("task"),
    payload: get("payload"),
    meta: get("meta"),
    error: get("error"),
    died: get("died")
  }
}
