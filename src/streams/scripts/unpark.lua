-- Puts up to 64 jobs of a task that was paused back into their queue, in the order in which they were parked.
-- KEYS    1 parked set, 2 jobs stream
-- ARGV    1 key prefix
-- returns how many left the set (0 = it is empty)
-- atomic because a job must be in the set or in the stream, never in both or neither
local ids = redis.call('ZRANGE', KEYS[1], 0, 63)
for _, id in ipairs(ids) do
  local key = ARGV[1] .. 'job:' .. id
  local job = redis.call('HMGET', key, 'task', 'payload', 'meta', 'state')
  if job[2] and job[4] == 'scheduled' then
    local entry
    if job[3] and job[3] ~= '' then
      entry = redis.call('XADD', KEYS[2], '*', 'id', id, 'task', job[1], 'payload', job[2], 'meta', job[3])
    else
      entry = redis.call('XADD', KEYS[2], '*', 'id', id, 'task', job[1], 'payload', job[2])
    end
    redis.call('HSET', key, 'state', 'queued', 'entry', entry)
    redis.call('HDEL', key, 'payload', 'meta')
  end
  redis.call('ZREM', KEYS[1], id)
end
return #ids
