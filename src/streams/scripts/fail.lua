-- Ends a job that still waits for another which will never succeed.
-- KEYS    1 hash of the job
-- ARGV    1 task, 2 error as JSON, 3 ttl ms
-- returns 1 where it was waiting and is dead now, 0 where it had ended or started otherwise
-- atomic because it may be cancelled at the same time
local state = redis.call('HGET', KEYS[1], 'state')
if state and state ~= 'waiting' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'dead', 'task', ARGV[1], 'error', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
