-- Puts up to 64 jobs of a task that was paused back into their queue, in the order in which they were parked.
-- KEYS    1 parked set, 2 jobs stream
-- ARGV    1 key prefix
-- returns how many left the set (0 = it is empty)
-- atomic because a job must be in the set or in the stream, never in both or neither
local left, bytes = 0, 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, 63)) do
  -- large payloads take time to copy: on with the next call
  if bytes > 262144 then break end
  local key = ARGV[1] .. 'job:' .. id
  local job = redis.call('HMGET', key, 'task', 'payload', 'meta', 'state')
  if job[2] and job[4] == 'scheduled' then
    local entry
    bytes = bytes + #job[2]
    if job[3] and job[3] ~= '' then
      entry = redis.call('XADD', KEYS[2], '*', 'id', id, 'task', job[1], 'payload', job[2], 'meta', job[3])
    else
      entry = redis.call('XADD', KEYS[2], '*', 'id', id, 'task', job[1], 'payload', job[2])
    end
    redis.call('HSET', key, 'state', 'queued', 'entry', entry)
    redis.call('HDEL', key, 'payload', 'meta')
  end
  redis.call('ZREM', KEYS[1], id)
  left = left + 1
end
-- those set aside count towards what a queue may hold
local meta = ARGV[1] .. 'meta'
if left > 0 and redis.call('HINCRBY', meta, 'parked', -left) <= 0 then redis.call('HDEL', meta, 'parked') end
return left
