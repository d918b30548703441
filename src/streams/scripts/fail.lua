-- Ends up to 64 jobs that still wait for another which will never succeed.
-- KEYS    1 jobs stream (for its slot)
-- ARGV    1 key prefix, 2 error as JSON, 3 ttl ms, then id and task per job
-- returns per job: 1 it was waiting and is dead now, 2 it was dead or cancelled, 0 it has started or ended otherwise; and its meta
-- atomic because they may be cancelled at the same time
local out = {}
for at = 4, #ARGV, 2 do
  local key = ARGV[1] .. 'job:' .. ARGV[at]
  local job = redis.call('HMGET', key, 'state', 'meta')
  local state, ended = job[1], 0
  if not state or state == 'waiting' then
    redis.call('HSET', key, 'state', 'dead', 'task', ARGV[at + 1], 'error', ARGV[2])
    redis.call('HDEL', key, 'payload', 'fixed')
    redis.call('PEXPIRE', key, ARGV[3])
    ended = 1
  elseif state == 'dead' or state == 'cancelled' then
    ended = 2
  end
  out[#out + 1] = ended
  out[#out + 1] = job[2] or ''
end
return out
