/**
 * Gathers the ends of members that are told in one turn of the event loop, so that a group of thousands costs few scripts.
 * Promises that each caller hears what became of its own.
 */
import type { JobId, QueueName } from "../jobs/JobQueue.ts"
import { parts, waitingTtlMs } from "./FlowStore.ts"
import { keysOf } from "./Keys.ts"
import type { Limits } from "./Limits.ts"
import type { Client } from "./Redis.ts"
import * as Scripts from "./Scripts.ts"

/** What became of a group when members were told. */
export interface Joined {
  readonly status: "gone" | "waits" | "complete" | "failed"
  /** Meta of the group's own job, where it failed. */
  readonly meta: string
  readonly error: string
}

interface Place {
  readonly id: JobId
  readonly queue: QueueName
  readonly index: number
}
interface Member {
  readonly index: number
  readonly result: string
  readonly heard: (joined: Promise<Joined>) => void
}

interface Carrier {
  readonly client: Client
  readonly namespace: string
  readonly limits: Limits
}

const joiners = new WeakMap<Client, Map<string, (at: Place, result: string) => Promise<Joined>>>()

/** The joiner of a client and namespace. */
export const joiner = (carrier: Carrier): ((at: Place, result: string) => Promise<Joined>) => {
  const byName = joiners.get(carrier.client) ?? new Map<string, (at: Place, result: string) => Promise<Joined>>()
  joiners.set(carrier.client, byName)
  const known = byName.get(carrier.namespace)
  if (known !== undefined) return known
  const made = make(carrier)
  byName.set(carrier.namespace, made)
  return made
}

const make = ({ client, limits, namespace }: Carrier) => {
  const groups = new Map<JobId, { readonly queue: QueueName; readonly members: Array<Member> }>()
  const send = async (id: JobId, queue: QueueName, members: ReadonlyArray<Member>): Promise<Joined> => {
    const k = keysOf(namespace).queue(queue)
    const args = [k.prefix, id, waitingTtlMs, limits.maxResultBytes, "", ...members.flatMap((m) => [m.index, m.result])]
    const [status, meta, error] = await Scripts.join(client, [k.flow(id), k.jobs], args)
    return { status, meta, error }
  }
  const flush = () => {
    for (const [id, { members, queue }] of groups) {
      for (const part of parts(members, (m) => m.result.length)) {
        const joined = send(id, queue, part)
        for (const m of part) m.heard(joined)
      }
    }
    groups.clear()
  }
  return (at: Place, result: string): Promise<Joined> =>
    new Promise((resolve) => {
      if (groups.size === 0) setImmediate(flush)
      const known = groups.get(at.id) ?? { queue: at.queue, members: [] }
      groups.set(at.id, known)
      known.members.push({ index: at.index, result, heard: resolve })
    })
}
