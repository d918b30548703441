/** Jobs that gave up, one stream per queue, newest 100,000. Promises that payload and reason are kept until they are replayed. */
import type { QueueKeys } from "./Keys.ts"
import type { Client } from "./Redis.ts"

export interface DeadLetter {
  /** Id of the entry in the dead stream. */
  readonly entry: string
  readonly id: string
  readonly task: string
  readonly payload: string
  readonly meta: string
  /** The failure as JSON. */
  readonly error: string
}

/** The oldest dead letters of a queue, at most `limit`. */
export const list = async (client: Client, keys: QueueKeys, limit: number): Promise<ReadonlyArray<DeadLetter>> => {
  const rows = (await client.xrange(keys.dead, "-", "+", "COUNT", limit)) as ReadonlyArray<
    readonly [string, ReadonlyArray<string>]
  >
  return rows.map(([entry, fields]) => parse(entry, fields))
}

/** The dead letter of one job, if it has one. */
export const ofJob = async (client: Client, keys: QueueKeys, id: string): Promise<ReadonlyArray<DeadLetter>> => {
  const entry = await client.hget(keys.job(id), "dead")
  if (entry === null) return []
  const rows = (await client.xrange(keys.dead, entry, entry)) as ReadonlyArray<readonly [string, ReadonlyArray<string>]>
  return rows.map(([found, fields]) => parse(found, fields))
}

const parse = (entry: string, fields: ReadonlyArray<string>): DeadLetter => {
  const f = new Map<string, string>()
  for (let i = 0; i + 1 < fields.length; i += 2) f.set(fields[i]!, fields[i + 1]!)
  const get = (name: string) => f.get(name) ?? ""
  return { entry, id: get("id"), task: get("task"), payload: get("payload"), meta: get("meta"), error: get("error") }
}
