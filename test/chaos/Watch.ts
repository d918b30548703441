/**
 * Looks at Redis during and after a run, on a connection that is not harmed: whether lag is true at every look, whether all is
 * done, and what is left. Judging is left to the checks.
 */
import { setTimeout as pause } from "node:timers/promises"
import { type QueueName, queues } from "../../src/jobs/JobQueue.ts"
import { packedRows, type Entry, type PackedRow } from "../../src/streams/Events.ts"
import { group, keysOf } from "../../src/streams/Keys.ts"
import type { Arena } from "./Arena.ts"
import { nowMs } from "./Clock.ts"

/** A look at a queue's lag that found another number than there were entries to deliver. */
export interface WrongLook {
  readonly at: number
  readonly queue: QueueName
  readonly lag: number | null
  readonly truth: number
}

export interface Looks {
  count: number
  readonly wrong: Array<WrongLook>
}

const lookEveryMs = 10

/** What XINFO says and what there is, in one moment. A queue whose group is gone just now tells nothing. */
const lookScript = `
local out = {}
for i, key in ipairs(KEYS) do
  out[i] = { -2, 0 }
  if redis.call('EXISTS', key) == 1 then
    for _, flat in ipairs(redis.call('XINFO', 'GROUPS', key)) do
      local g = {}
      for j = 1, #flat, 2 do g[flat[j]] = flat[j + 1] end
      if g['name'] == ARGV[1] then
        out[i] = { g['lag'] or -1, #redis.call('XRANGE', key, '(' .. g['last-delivered-id'], '+', 'COUNT', 10000) }
      end
    end
  end
end
return out`

/** Looks until told to stop; resolves with all that was seen. */
export const watchLag = (arena: Arena): (() => Promise<Looks>) => {
  const looks: Looks = { count: 0, wrong: [] }
  const keys = queues.map((queue) => keysOf(arena.namespace).queue(queue).jobs)
  const looking = { stopped: false }
  const loop = async () => {
    while (!looking.stopped) {
      const rows = (await arena.redis.eval(lookScript, keys.length, ...keys, group)) as ReadonlyArray<[number, number]>
      const at = nowMs()
      rows.forEach(([lag, truth], i) => {
        if (lag === -2) return
        looks.count++
        if (lag !== truth) looks.wrong.push({ at, queue: queues[i] ?? "default", lag: lag < 0 ? null : lag, truth })
      })
      await pause(lookEveryMs)
    }
    return looks
  }
  const end = loop()
  return () => {
    looking.stopped = true
    return end
  }
}

/** What each queue still holds: to be delivered, claimed, delayed. */
export const holdings = async ({ namespace, redis }: Arena): Promise<Record<string, string>> => {
  const out: Record<string, string> = {}
  for (const queue of queues) {
    const keys = keysOf(namespace).queue(queue)
    const [[lag = -2] = []] = (await redis.eval(lookScript, 1, keys.jobs, group)) as ReadonlyArray<
      ReadonlyArray<number>
    >
    const pending = await redis.xpending(keys.jobs, group).then(
      (row) => Number(row[0]),
      () => -1
    )
    const delayed = await redis.zcard(keys.delayed)
    if (lag !== 0 || pending !== 0 || delayed !== 0) out[queue] = `lag ${lag}, claimed ${pending}, delayed ${delayed}`
  }
  return out
}

/** A key as it was left, with its time to live in ms (-1 = none). */
export interface LeftKey {
  readonly key: string
  readonly ttl: number
}

/** What was left of a job. */
export interface LeftJob {
  readonly state: string
  readonly result: string | undefined
  readonly error: string | undefined
  readonly ttl: number
}

/** What was left of everything. */
export interface Left {
  readonly keys: ReadonlyArray<LeftKey>
  readonly jobs: ReadonlyMap<string, LeftJob>
  readonly rows: ReadonlyArray<PackedRow>
}

export const whatIsLeft = async ({ namespace, redis }: Arena): Promise<Left> => {
  const keys: Array<LeftKey> = []
  const jobs = new Map<string, LeftJob>()
  for await (const page of redis.scanStream({ match: `${namespace}:*`, count: 1_000 }) as AsyncIterable<
    Array<string>
  >) {
    const pipeline = redis.pipeline()
    for (const key of page) {
      pipeline.pttl(key)
      if (key.includes("}:job:")) pipeline.hmget(key, "state", "result", "error")
      else pipeline.exists(key)
    }
    const rows = (await pipeline.exec()) ?? []
    page.forEach((key, i) => {
      const ttl = Number(rows[i * 2]?.[1])
      keys.push({ key, ttl })
      const at = key.indexOf("}:job:")
      if (at < 0) return
      const [state, result, error] = (rows[i * 2 + 1]?.[1] ?? []) as ReadonlyArray<string | null>
      const left = { state: state ?? "", result: result ?? undefined, error: error ?? undefined, ttl }
      jobs.set(key.slice(at + "}:job:".length), left)
    })
  }
  const entries = (await redis.xrange(keysOf(namespace).events, "-", "+")) as ReadonlyArray<Entry>
  return { keys, jobs, rows: entries.flatMap(packedRows) }
}
