-- Writes down up to 64 jobs of a flow before any of it is sent: known by id, waiting.
-- KEYS    1 jobs stream (for its slot)
-- ARGV    1 key prefix, 2 ttl ms, 3 id of the flow, then five per job: id, task, payload ('' = it travels otherwise), meta ('' = none),
--         '1' = the result of the step before is not merged into the payload
-- returns how many were not known
-- atomic because a job may be cancelled or sent while the plan is sent again: what is known stays as it is
local count = 0
for at = 4, #ARGV, 5 do
  local key = ARGV[1] .. 'job:' .. ARGV[at]
  if redis.call('HSETNX', key, 'state', 'waiting') == 1 then
    redis.call('HSET', key, 'task', ARGV[at + 1], 'flow', ARGV[3])
    if ARGV[at + 2] ~= '' then redis.call('HSET', key, 'payload', ARGV[at + 2]) end
    if ARGV[at + 3] ~= '' then redis.call('HSET', key, 'meta', ARGV[at + 3]) end
    if ARGV[at + 4] ~= '' then redis.call('HSET', key, 'fixed', ARGV[at + 4]) end
    redis.call('PEXPIRE', key, ARGV[2])
    count = count + 1
  end
end
return count
