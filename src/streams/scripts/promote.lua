-- Moves delayed jobs that are due into their stream, oldest first.
-- KEYS    1 delayed set, 2 jobs stream
-- ARGV    1 key prefix, 2 how many at most
-- returns how many were moved, ms until the next is due (-1 = none is waiting)
-- atomic because a job must be in the set or in the stream, never in both or neither
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local moved = 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[2])) do
  local key = ARGV[1] .. 'job:' .. id
  local job = redis.call('HMGET', key, 'task', 'payload', 'meta', 'state')
  if job[2] and (job[4] == 'scheduled' or job[4] == 'retrying') then
    local entry
    if job[3] and job[3] ~= '' then
      entry = redis.call('XADD', KEYS[2], '*', 'id', id, 'task', job[1], 'payload', job[2], 'meta', job[3])
    else
      entry = redis.call('XADD', KEYS[2], '*', 'id', id, 'task', job[1], 'payload', job[2])
    end
    redis.call('HSET', key, 'state', 'queued', 'entry', entry)
    redis.call('HDEL', key, 'payload', 'meta')
    moved = moved + 1
  end
  redis.call('ZREM', KEYS[1], id)
end
local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return { moved, next[2] and math.max(0, tonumber(next[2]) - now) or -1 }
