-- Writes down what a running job tells of itself: progress, a state of its own.
-- KEYS    1 hash of the job
-- ARGV    field, value, …
-- returns 1, or 0 where the job has ended or is forgotten
-- atomic because what comes late must not bring back the record of a job that is gone, for ever
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state == 'done' or state == 'dead' or state == 'cancelled' then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1
