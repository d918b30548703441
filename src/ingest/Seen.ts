/**
 * The ids that were handed out and may still come again, kept as 8 bytes of hash in groups: a group is a minute of event
 * time and a minute of ingestion. Promises a bounded size and a text form. Which ids may be forgotten is left to Scan.ts. At
 * 250,000 ids the chance that a new event is taken for an old one is below 2·10⁻¹⁴.
 */
import { createHash } from "node:crypto"

/** The width of a group, ms. */
export const minute = 60_000
const hashBytes = 8

/** Group → hashes, each a string of 8 characters below 256. */
export type Seen = Map<string, Set<string>>

/** Event time rounded down and ingestion rounded up, in minutes: what is known of an id in a group. */
export interface Group {
  readonly time: number
  readonly ingested: number
}

/** What is no time, or before 1970, is put at the beginning of all. */
const sane = (ms: number): number => (ms > 0 && ms < Number.MAX_SAFE_INTEGER ? ms : 0)

export const groupOf = (time: number, ingested: number): Group => ({
  time: Math.floor(sane(time) / minute),
  ingested: Math.ceil(sane(ingested) / minute)
})

const nameOf = (group: Group): string => `${group.time}.${group.ingested}`
const read = (name: string): Group => {
  const dot = name.indexOf(".")
  return { time: Number(name.slice(0, dot)), ingested: Number(name.slice(dot + 1)) }
}

const hashOf = (id: string): string => createHash("sha1").update(id).digest("latin1").slice(0, hashBytes)

/** Notes an id; false when it was there. Sets that are not named in `owned` are shared with others and copied first. */
export const add = (seen: Seen, owned: Set<string>, group: Group, id: string): boolean => {
  const name = nameOf(group)
  const hash = hashOf(id)
  const hashes = seen.get(name)
  if (hashes?.has(hash) === true) return false
  if (hashes !== undefined && owned.has(name)) hashes.add(hash)
  else {
    owned.add(name)
    seen.set(name, new Set([...(hashes ?? []), hash]))
  }
  return true
}

export const size = (seen: Seen): number => {
  let sum = 0
  for (const hashes of seen.values()) sum += hashes.size
  return sum
}

/** Forgets the groups that need not be known. */
export const forget = (seen: Seen, needless: (group: Group) => boolean): void => {
  for (const name of seen.keys()) if (needless(read(name))) seen.delete(name)
}

/** Forgets the groups ingested first until at most `max` ids are left; the last ingestion forgotten, in minutes, if any. */
export const shrink = (seen: Seen, max: number): number | undefined => {
  let left = size(seen)
  if (left <= max) return undefined
  let last: number | undefined
  for (const name of [...seen.keys()].toSorted((a, b) => read(a).ingested - read(b).ingested)) {
    const { ingested } = read(name)
    // All groups of one minute go together, since what is forgotten is told by the minute.
    if (left <= max && ingested !== last) break
    left -= seen.get(name)?.size ?? 0
    seen.delete(name)
    last = ingested
  }
  return last
}

export const encode = (seen: Seen): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...seen].map(([name, hashes]) => [name, Buffer.from([...hashes].join(""), "latin1").toString("base64")])
  )

/** Undefined when it is not what `encode` makes. */
export const decode = (value: unknown): Seen | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  const seen: Seen = new Map()
  for (const [name, text] of Object.entries(value)) {
    if (!/^\d+\.\d+$/u.test(name) || typeof text !== "string") return undefined
    const bytes = Buffer.from(text, "base64").toString("latin1")
    const hashes = new Set<string>()
    for (let at = 0; at + hashBytes <= bytes.length; at += hashBytes) hashes.add(bytes.slice(at, at + hashBytes))
    seen.set(name, hashes)
  }
  return seen
}
