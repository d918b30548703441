/** The scripts of the log stream, and the one place that knows their keys and arguments. */
import type { Client } from "../Redis.ts"

export interface LogKeys {
  readonly batches: string
  readonly meta: string
  readonly lease: string
  readonly state: string
  readonly dead: string
  readonly seen: string
}

/** All keys of a partition share one hash tag, so each script stays in one Redis Cluster slot. */
export const keys = (namespace: string, partition: number): LogKeys => {
  const base = `${namespace}:{logs:${partition}}`
  return {
    batches: `${base}:batches`,
    meta: `${base}:meta`,
    lease: `${base}:lease`,
    state: `${base}:state`,
    dead: `${base}:dead`,
    seen: `${base}:seen`
  }
}

// KEYS: batches, meta, seen:<id>. ARGV: batches_max, bytes_max, remember_ms, id, project, received_ms, bytes, lines, format,
// encoding of the lines.
// Returns {"added" | "duplicate" | "full", batches, bytes}. Atomic: two doors at the limit must not both pass, and a
// batch id may be remembered only together with its batch. Every id is remembered, for a while at least: the driver sends a
// script again whose answer was lost, and rules would count its lines twice.
const appendLua = `
if redis.call('EXISTS', KEYS[3]) == 1 then return {'duplicate', 0, 0} end
local batches = redis.call('XLEN', KEYS[1])
local bytes = tonumber(redis.call('HGET', KEYS[2], 'bytes') or '0')
if batches >= tonumber(ARGV[1]) or bytes + tonumber(ARGV[7]) > tonumber(ARGV[2]) and batches > 0 then
  return {'full', batches, bytes}
end
redis.call('XADD', KEYS[1], '*', 'id', ARGV[4], 'project', ARGV[5], 'received', ARGV[6], 'bytes', ARGV[7], 'format', ARGV[9],
  'encoding', ARGV[10], 'lines', ARGV[8])
redis.call('HINCRBY', KEYS[2], 'bytes', ARGV[7])
redis.call('SET', KEYS[3], '1', 'PX', ARGV[3])
return {'added', batches + 1, bytes}
`

// KEYS: lease, meta, state. ARGV: owner, lease_ms. Returns {fence, position, state...} or false while another owns it.
// An owner that lost its connection may take its own lease again; the new fence bars what its former self still had in hand.
// Atomic: the fence must grow with each change of owner, and position and state must be of one moment.
const takeLua = `
local held = redis.call('GET', KEYS[1])
if held and string.gsub(held, ':%d+$', '') ~= ARGV[1] then return false end
local fence = redis.call('HINCRBY', KEYS[2], 'fence', 1)
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. fence, 'PX', ARGV[2])
local position = redis.call('HGET', KEYS[2], 'position') or '0-0'
return {fence, position, redis.call('HGETALL', KEYS[3])}
`

// KEYS: batches, meta, lease, state. ARGV: owner, fence, lease_ms, position ('' = no move), entries, minus bytes, group,
// then pairs of state field and value ('' deletes). Returns 1, or 0 when the fence is old.
// Atomic: position and judge state move together or not at all (each line counted once by every rule). Sent again, since its
// answer was lost, it counts nothing twice.
const commitLua = `
if redis.call('GET', KEYS[3]) ~= ARGV[1] .. ':' .. ARGV[2] then return 0 end
redis.call('PEXPIRE', KEYS[3], ARGV[3])
for i = 8, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[4], ARGV[i]) else redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1]) end
end
if ARGV[4] ~= '' and redis.call('HGET', KEYS[2], 'position') ~= ARGV[4] then
  local read = redis.call('HINCRBY', KEYS[2], 'read', ARGV[5])
  redis.call('HINCRBY', KEYS[2], 'bytes', ARGV[6])
  redis.call('HSET', KEYS[2], 'position', ARGV[4])
  redis.call('XGROUP', 'SETID', KEYS[1], ARGV[7], ARGV[4], 'ENTRIESREAD', read)
  local ms, seq = string.match(ARGV[4], '^(%d+)-(%d+)$')
  redis.call('XTRIM', KEYS[1], 'MINID', ms .. '-' .. string.format('%.0f', tonumber(seq) + 1))
end
return 1
`

// KEYS: lease. ARGV: owner, fence. Deletes the lease only where it is still ours (compare and delete must be one step).
const releaseLua = `
if redis.call('GET', KEYS[1]) == ARGV[1] .. ':' .. ARGV[2] then return redis.call('DEL', KEYS[1]) end
return 0
`

/** The processes that share all partitions; in a slot of its own. */
export const ownersKey = (namespace: string): string => `${namespace}:{logs}:owners`

// KEYS: owners. ARGV: owner, how long a sign of life counts, ms. Returns who is there.
// Atomic: all must see the same owners by the same clock, the server's.
const presentLua = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)
`

type Command = (...args: ReadonlyArray<string | number | Buffer>) => Promise<unknown>
interface Commands {
  readonly lgLogsAppend: Command
  readonly lgLogsTake: Command
  readonly lgLogsCommit: Command
  readonly lgLogsRelease: Command
  readonly lgLogsPresent: Command
}
const commands = (client: Client): Commands => client as unknown as Commands

/** Makes the scripts known to a client (EVALSHA, with EVAL where the server has lost them). */
export const define = (client: Client): void => {
  client.defineCommand("lgLogsAppend", { numberOfKeys: 3, lua: appendLua })
  client.defineCommand("lgLogsTake", { numberOfKeys: 3, lua: takeLua })
  client.defineCommand("lgLogsCommit", { numberOfKeys: 4, lua: commitLua })
  client.defineCommand("lgLogsRelease", { numberOfKeys: 1, lua: releaseLua })
  client.defineCommand("lgLogsPresent", { numberOfKeys: 1, lua: presentLua })
}

export const append = async (
  client: Client,
  key: LogKeys,
  a: {
    readonly batchesMax: number
    readonly bytesMax: number
    readonly rememberMs: number
    readonly id: string
    readonly project: string
    readonly receivedAt: number
    readonly bytes: number
    readonly lines: Buffer
    readonly format: string
    readonly encoding: string
  }
): Promise<readonly ["added" | "duplicate" | "full", number, number]> =>
  (await commands(client).lgLogsAppend(
    key.batches,
    key.meta,
    `${key.seen}:${a.id}`,
    a.batchesMax,
    a.bytesMax,
    a.rememberMs,
    a.id,
    a.project,
    a.receivedAt,
    a.bytes,
    a.lines,
    a.format,
    a.encoding
  )) as ["added" | "duplicate" | "full", number, number]

export const take = async (client: Client, key: LogKeys, owner: string, leaseMs: number) => {
  const reply = (await commands(client).lgLogsTake(key.lease, key.meta, key.state, owner, leaseMs)) as
    | [number, string, Array<string>]
    | null
  if (reply === null) return undefined
  const [fence, position, flat] = reply
  const state = new Map<string, string>()
  for (let i = 0; i + 1 < flat.length; i += 2) state.set(flat[i] ?? "", flat[i + 1] ?? "")
  return { fence, position, state }
}

export const commit = async (
  client: Client,
  key: LogKeys,
  a: {
    readonly owner: string
    readonly fence: number
    readonly leaseMs: number
    readonly position: string
    readonly entries: number
    readonly bytes: number
    readonly changes: ReadonlyMap<string, string>
  }
): Promise<boolean> => {
  const reply = await commands(client).lgLogsCommit(
    key.batches,
    key.meta,
    key.lease,
    key.state,
    a.owner,
    a.fence,
    a.leaseMs,
    a.position,
    a.entries,
    a.bytes === 0 ? 0 : -a.bytes,
    "pipeline",
    ...[...a.changes].flat()
  )
  return reply === 1
}

export const present = async (client: Client, namespace: string, owner: string, ms: number) =>
  (await commands(client).lgLogsPresent(ownersKey(namespace), owner, ms)) as Array<string>

export const release = async (client: Client, key: LogKeys, owner: string, fence: number): Promise<void> => {
  await commands(client).lgLogsRelease(key.lease, owner, fence)
}
