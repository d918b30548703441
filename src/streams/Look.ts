/** The commands behind `Inspect`, one function per look. Promises bounded reads and plain rows; decides nothing. */
import type { JobState } from "../jobs/Outcome.ts"
import { type Entry, type JobRow, packedRows, type PackedRow, unpack } from "./Events.ts"
import type { JobRecord, QueueRow, RecentOptions, WaitingRow, WorkerRow } from "./Inspect.ts"
import * as JobEntry from "./JobEntry.ts"
import { group, type QueueKeys } from "./Keys.ts"
import type { Client } from "./Redis.ts"
import * as JobQueues from "./JobQueues.ts"
import { failureOf } from "./Results.ts"

type Flat = ReadonlyArray<string | number | null>
const record = (flat: Flat): Record<string, string | number | null> => {
  const out: Record<string, string | number | null> = {}
  for (let i = 0; i + 1 < flat.length; i += 2) out[String(flat[i])] = flat[i + 1] ?? null
  return out
}

/** Lanes whose first jobs are looked at: those whose turn comes next. */
const lanesLooked = 100

/** Since when the first jobs of the lanes wait, epoch ms; none where there are no lanes. */
const lanedSince = async (client: Client, keys: QueueKeys): Promise<ReadonlyArray<number>> => {
  const lanes = await client.zrange(`${keys.prefix}lanes`, "0", String(lanesLooked - 1))
  if (lanes.length === 0) return []
  const first = client.pipeline()
  for (const lane of lanes) first.lindex(`${keys.prefix}lane:${lane}`, 0)
  const ids = ((await first.exec()) ?? []).flatMap(([, id]) => (typeof id === "string" ? [id] : []))
  const since = client.pipeline()
  for (const id of ids) since.hget(keys.job(id), "laned")
  return ((await since.exec()) ?? []).flatMap(([, at]) => (typeof at === "string" ? [Number(at)] : []))
}

/** A queue's figures, in two round trips; two more where jobs wait in lanes. */
export const queueRow = async (client: Client, keys: QueueKeys): Promise<QueueRow> => {
  const [groups, delayed, dead, [paused, lanes], time] = await Promise.all([
    client.xinfo("GROUPS", keys.jobs).catch(() => []) as Promise<ReadonlyArray<Flat>>,
    client.zcard(keys.delayed),
    client.xlen(keys.dead),
    client.hmget(keys.meta, "paused", "lanes"),
    client.time() as unknown as Promise<readonly [string, string]>
  ])
  const info = groups.map(record).find((g) => g["name"] === group)
  const last = typeof info?.["last-delivered-id"] === "string" ? info["last-delivered-id"] : "0-0"
  const [next, laned] = await Promise.all([
    client.xrange(keys.jobs, `(${last}`, "+", "COUNT", 1) as Promise<ReadonlyArray<Entry>>,
    Number(lanes ?? 0) > 0 ? lanedSince(client, keys) : []
  ])
  const since = [...laned, ...next.map(([entry]) => Number(entry.split("-")[0]))]
  const now = Number(time[0]) * 1_000 + Math.floor(Number(time[1]) / 1_000)
  return {
    name: keys.queue,
    backlog: Number(info?.["lag"] ?? 0) + Number(lanes ?? 0),
    inFlight: Number(info?.["pending"] ?? 0),
    delayed,
    dead,
    oldestAgeMs: since.length === 0 ? 0 : Math.max(0, now - Math.min(...since)),
    paused: paused === "1"
  }
}

const silentMs = 15_000

const isWorkerRow = (found: unknown): found is WorkerRow & { readonly token?: string } => {
  if (typeof found !== "object" || found === null) return false
  const row = found as { readonly [K in keyof WorkerRow]?: unknown }
  const lists = [row.running, row.queues, row.tasks].every(Array.isArray)
  return lists && typeof row.id === "string" && typeof row.heartbeatAt === "number"
}

/** Records of the workers that live. */
export const workers = async (client: Client, key: string): Promise<ReadonlyArray<WorkerRow>> => {
  const [all, time] = await Promise.all([
    client.hvals(key),
    client.time() as unknown as Promise<readonly [string, string]>
  ])
  const now = Number(time[0]) * 1_000
  const out: Array<WorkerRow> = []
  for (const text of all) {
    const found = parse(text)
    // What is not ours must not hide the others.
    if (!isWorkerRow(found)) continue
    const { token: _, ...row } = found
    if (now - row.heartbeatAt <= silentMs) out.push(row)
  }
  return out.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

const parse = (text: string | undefined): unknown => {
  if (text === undefined || text === "") return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const fieldsOf = (entry: Entry | undefined): Record<string, string> =>
  record(entry?.[1] ?? []) as Record<string, string>
const idMs = (id: string | undefined): number | null => (id === undefined ? null : Number(id.split("-")[0]))

/** One job: its hash, and its entry where it has one still. */
export const job = async (client: Client, keys: QueueKeys, id: string): Promise<JobRecord | undefined> => {
  const hash = await client.hgetall(keys.job(id))
  if (hash["state"] === undefined) return undefined
  const entryId = hash["entry"]
  const [entries, pending, letters] = await Promise.all([
    entryId === undefined ? [] : (client.xrange(keys.jobs, entryId, entryId) as Promise<ReadonlyArray<Entry>>),
    entryId === undefined || hash["state"] !== "queued"
      ? []
      : (client.xpending(keys.jobs, group, entryId, entryId, 1).catch(() => []) as Promise<ReadonlyArray<Flat>>),
    hash["dead"] === undefined
      ? []
      : (client.xrange(keys.dead, hash["dead"], hash["dead"]) as Promise<ReadonlyArray<Entry>>)
  ])
  const entry = entries[0] === undefined ? undefined : JobEntry.read(entries[0][1])
  const letter = fieldsOf(letters[0])
  const meta = (parse(hash["meta"] ?? entry?.meta) ?? {}) as { readonly a?: number; readonly t?: number }
  const claim = pending[0]
  const [attempt, enqueued, started, finished] = (hash["run"] ?? "").split(":")
  const final = hash["result"] !== undefined || hash["state"] === "dead" || hash["state"] === "cancelled"
  const state = stateOf(hash["state"], claim !== undefined)
  const startedAt = final
    ? (numberOf(started) ?? null)
    : claim !== undefined
      ? Number(hash["startedAt"] ?? Date.now() - Number(claim[2]))
      : (numberOf(started) ?? null)
  const finishedAt = final ? (numberOf(finished) ?? null) : null
  return {
    id,
    task: hash["task"] ?? entry?.task ?? "",
    queue: keys.queue,
    state,
    attempt: final
      ? (numberOf(attempt) ?? 0)
      : claim !== undefined
        ? (meta.a ?? 0) + Number(claim[3])
        : (numberOf(attempt) ?? meta.a ?? 0),
    payload: parse(hash["payload"] ?? entry?.payload ?? letter["payload"]),
    result: parse(
      hash["result"] === JobQueues.apart ? ((await client.get(keys.result(id))) ?? undefined) : hash["result"]
    ),
    error: hash["error"] === undefined ? undefined : failureOf(hash["error"]),
    progress: parse(hash["progress"]),
    custom: hash["custom"],
    parent: hash["parent"],
    replayable: hash["dead"] !== undefined,
    enqueuedAt: numberOf(enqueued) ?? meta.t ?? idMs(entryId),
    startedAt,
    finishedAt,
    durationMs: startedAt !== null && finishedAt !== null ? Math.max(0, finishedAt - startedAt) : null
  }
}

const numberOf = (text: string | undefined): number | undefined =>
  text === undefined || text === "" || Number.isNaN(Number(text)) ? undefined : Number(text)

const stateOf = (stored: string, claimed: boolean): JobState =>
  stored === "waiting" ? "scheduled" : stored === "queued" && claimed ? "running" : (stored as JobState)

/** How much later than a job's other events that of its arrival may come: a quick worker overtakes the one who enqueued. */
const overtakenMs = 2_000

/** The newest row of each job. */
export const recent = async (client: Client, key: string, options: RecentOptions): Promise<ReadonlyArray<JobRow>> => {
  const limit = Math.max(1, Math.min(1_000, options.limit ?? 50))
  const newest = new Map<string, { readonly row: PackedRow; readonly at: number }>()
  const wanted = () =>
    [...newest.values()].filter(
      ({ row }) =>
        (options.task === undefined || row[1] === options.task) &&
        (options.state === undefined || row[2] === options.state)
    )
  let before = "+"
  // Pages of 100 entries, at most 10,000 of them; mostly the first is enough.
  for (let page = 0; page < 100; page++) {
    const entries = (await client.xrevrange(key, before, "-", "COUNT", 100)) as ReadonlyArray<Entry>
    for (const entry of entries) {
      const at = Number(entry[0].split("-")[0])
      for (const row of packedRows(entry).toReversed()) {
        const known = newest.get(row[0])
        const overtaken = known?.row[2] === "queued" && row[2] !== "queued" && known.at - at < overtakenMs
        if (known === undefined || overtaken) newest.set(row[0], { row, at })
      }
    }
    const last = entries.at(-1)
    if (entries.length < 100 || last === undefined || wanted().length >= limit) break
    before = `(${last[0]}`
  }
  return wanted()
    .slice(0, limit)
    .map(({ row }) => unpack(row))
}

/** Claimed jobs of a queue. */
export const held = async (client: Client, keys: QueueKeys, limit: number): Promise<ReadonlyArray<WaitingRow>> => {
  const rows = (await client.xpending(keys.jobs, group, "-", "+", limit).catch(() => [])) as ReadonlyArray<Flat>
  if (rows.length === 0) return []
  const pipeline = client.pipeline()
  for (const row of rows) pipeline.xrange(keys.jobs, String(row[0]), String(row[0]))
  const entries = (await pipeline.exec()) ?? []
  return rows.flatMap((row, i) => {
    const { id, task } = JobEntry.read((entries[i]?.[1] as ReadonlyArray<Entry> | undefined)?.[0]?.[1] ?? [])
    const at = Date.now() - Number(row[2])
    return id === "" || task === "@link" ? [] : [{ id, task, queue: keys.queue, state: "queued" as const, at }]
  })
}

/** Delayed jobs of a queue, soonest first. */
export const delayed = async (client: Client, keys: QueueKeys, limit: number): Promise<ReadonlyArray<WaitingRow>> => {
  const flat = await client.zrange(keys.delayed, "0", String(limit - 1), "WITHSCORES")
  if (flat.length === 0) return []
  const pipeline = client.pipeline()
  for (let i = 0; i < flat.length; i += 2) pipeline.hmget(keys.job(String(flat[i])), "task", "state")
  const jobs = (await pipeline.exec()) ?? []
  return jobs.map(([, row], i) => {
    const [task, state] = (row ?? []) as ReadonlyArray<string | null>
    return {
      id: String(flat[i * 2]),
      task: task ?? "",
      queue: keys.queue,
      state: (state ?? "scheduled") as JobState,
      at: Number(flat[i * 2 + 1])
    }
  })
}

/** The server's clock, epoch ms. */
export const time = async (client: Client): Promise<number> => {
  const [seconds, micros] = (await client.time()) as unknown as readonly [string, string]
  return Number(seconds) * 1_000 + Number(micros) / 1_000
}

/** Ids revoked lately, newest last. */
export const revoked = async (
  client: Client,
  keys: QueueKeys,
  limit: number
): Promise<ReadonlyArray<{ readonly id: string; readonly at: number }>> => {
  const flat = await client.zrange(keys.revoked, String(-limit), "-1", "WITHSCORES")
  const rows: Array<{ readonly id: string; readonly at: number }> = []
  for (let i = 0; i < flat.length; i += 2) rows.push({ id: String(flat[i]), at: Number(flat[i + 1]) })
  return rows
}
