-- Moves delayed jobs that are due into their stream or lane, oldest first, and feeds the lanes. Begins with lanes.lua.
-- KEYS    1 delayed set, 2 jobs stream
-- ARGV    1 key prefix, 2 how many at most
-- returns how many delayed jobs were moved (where bytes set the limit: as many as were asked for), ms until the next is due (-1 = none is waiting)
-- atomic because a job must be in the set, in a lane or in the stream, never in two of them or in none
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local moved, bytes = 0, 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[2])) do
  -- large payloads take time to copy: on with the next call
  if bytes > 262144 then
    moved = tonumber(ARGV[2])
    break
  end
  local key = ARGV[1] .. 'job:' .. id
  local job = redis.pcall('HMGET', key, 'task', 'payload', 'meta', 'state')
  -- one whose record is none must not hold up the others
  if job['err'] and not string.find(job['err'], 'WRONGTYPE', 1, true) then return job end
  if job[2] and (job[4] == 'scheduled' or job[4] == 'retrying') then
    local meta = job[3] or ''
    bytes = bytes + #job[2]
    local lane = meta ~= '' and lanes.key(meta)
    if lane then
      lanes.touch(ARGV[1], lane)
      redis.call('HSET', key, 'state', 'queued')
      lanes.push(ARGV[1], lane, id)
    else
      local entry
      if meta ~= '' then
        entry = redis.call('XADD', KEYS[2], '*', 'id', id, 'task', job[1], 'payload', job[2], 'meta', meta)
      else
        entry = redis.call('XADD', KEYS[2], '*', 'id', id, 'task', job[1], 'payload', job[2])
      end
      redis.call('HSET', key, 'state', 'queued', 'entry', entry)
      redis.call('HDEL', key, 'payload', 'meta')
    end
    moved = moved + 1
  end
  redis.call('ZREM', KEYS[1], id)
end
lanes.feed(ARGV[1], KEYS[2])
local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return { moved, next[2] and math.max(0, tonumber(next[2]) - now) or -1 }
