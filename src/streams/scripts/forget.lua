-- Forgets a job that has ended: its record, its result kept apart, its list of children.
-- KEYS    1 hash of the job, 2 its result kept apart, 3 its children
-- returns 1, or 0 where it has not ended or is not known
-- atomic because a job that starts anew (replay) in between must keep its record
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'done' and state ~= 'dead' and state ~= 'cancelled' then return 0 end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
return 1
