-- Forgets a schedule that was added at run time, and all that is remembered of it, and tells all beats.
-- KEYS    1 schedules hash, 2 hash of the schedule, 3 list of its runs, 4 sorted set of slots that fired
-- ARGV    1 name, 2 channel
-- returns 1, or 0 where there is none
-- atomic because a beat must not find its memory without its definition
if redis.call('HDEL', KEYS[1], 'd:' .. ARGV[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[1], 'p:' .. ARGV[1])
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
redis.call('HINCRBY', KEYS[1], 'v', 1)
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1
