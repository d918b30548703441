-- Cancels one job wherever it is. Begins with entries.lua.
-- KEYS    1 jobs stream, 2 delayed set, 3 revoked set
-- ARGV    1 key prefix, 2 group, 3 id, 4 '1' = also interrupt it if it runs, 5 ttl ms of the outcome, 6 control channel,
--         7 error as JSON, 8 'f' = the whole flow is cancelled: what follows is not told, only error callbacks are
-- returns 'unknown' | 'final' | 'cancelled' | 'requested', its task, and where it waited for its moment at a gate the name of the
--         gate's state and the moment
-- atomic because the job may be moving from delayed to queued to claimed while we look
local prefix, id = ARGV[1], ARGV[3]
local key = prefix .. 'job:' .. id
local job = redis.call('HMGET', key, 'state', 'entry', 'task', 'meta')
local state = job[1]
if not state then return { 'unknown', '' } end
if state == 'done' or state == 'dead' or state == 'cancelled' then return { 'final', job[3] or '' } end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local task, meta, pending = job[3], job[4] or '', false
if state == 'queued' and job[2] then
  local entry = redis.call('XRANGE', KEYS[1], job[2], job[2])[1]
  if entry then
    local fields = entries.read(entry[2])
    task, meta = fields['task'] or task, fields['meta'] or meta
  end
  local ok, rows = pcall(redis.call, 'XPENDING', KEYS[1], ARGV[2], job[2], job[2], 1)
  pending = ok and rows[1] ~= nil
end
if state == 'queued' then
  -- readers look here before they start a job; bounded by age and number
  redis.call('ZADD', KEYS[3], now, id)
  -- those too old a few at a time
  local old = redis.call('ZCOUNT', KEYS[3], '-inf', now - 86400000)
  if old > 0 then redis.call('ZREMRANGEBYRANK', KEYS[3], 0, math.min(old, 100) - 1) end
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -50001)
  redis.call('PEXPIRE', KEYS[3], 86400000)
  redis.call('PUBLISH', ARGV[6], cjson.encode({ op = 'revoke', id = id, terminate = ARGV[4] == '1' }))
  if pending then return { 'requested', task or '' } end
end
local link, unique, moment, gate
if meta ~= '' then
  local ok, read = pcall(cjson.decode, meta)
  -- one that can't be read (nested too deep, or not ours) is told: whoever carries the link looks closer
  if not ok or type(read) ~= 'table' then read = { l = string.sub(meta, 1, 1) == '{' } end
  moment, gate = state == 'scheduled' and tonumber(read['g']), read['q']
  link = (read['l'] and ARGV[8] ~= 'f') or read['e']
  unique = type(read['u']) == 'string' and prefix .. 'unique:' .. read['u']
  -- looked at before anything is changed: on a Cluster whose slot moves it may have gone ahead, which raises an error
  if unique and redis.call('GET', unique) ~= id then unique = nil end
end
redis.call('ZREM', KEYS[2], id)
if task and redis.call('ZREM', prefix .. 'parked:' .. task, id) == 1 then redis.call('HINCRBY', prefix .. 'meta', 'parked', -1) end
-- what waits in a lane is only dropped when its turn comes, but no longer counted
if state == 'queued' and not job[2] then redis.call('HINCRBY', prefix .. 'meta', 'lanes', -1) end
redis.call('HSET', key, 'state', 'cancelled', 'task', task or '', 'error', ARGV[7])
redis.call('HDEL', key, 'payload', 'fixed')
redis.call('PEXPIRE', key, ARGV[5])
if unique then redis.call('DEL', unique) end
if link then
  redis.call('XADD', KEYS[1], '*', 'id', id, 'task', '@link', 'payload',
    '{"meta":' .. meta .. ',"task":' .. cjson.encode(task or '') .. ',"failed":' .. ARGV[7] .. '}')
end
if moment and type(gate) == 'string' then return { 'cancelled', task or '', gate, string.format('%.0f', moment) } end
return { 'cancelled', task or '' }
