-- Remembers a run of a schedule: its slot, its job or why there is none.
-- KEYS    1 hash of the schedule, 2 list of its runs, 3 sorted set of slots that fired, 4 schedules hash
-- ARGV    1 slot in epoch ms ('' = no slot: run by hand), 2 '1' = the job was made ('' = left out), 3 row for the list,
--         4 rows kept, 5 slots kept, 6 '1' = a slot of the past made up for: the latest stays, no run is counted,
--         7 field of the schedule in the schedules hash ('' = it is defined in code)
-- returns 1, or 0 where a slot as late or later is known, or the schedule is gone
-- atomic because two beats remember at the same time, and the later slot must stay
if ARGV[7] ~= '' and redis.call('HEXISTS', KEYS[4], ARGV[7]) == 0 then return 0 end
if ARGV[1] ~= '' then
  if ARGV[6] == '' then
    local slot = redis.call('HGET', KEYS[1], 'slot')
    if slot and tonumber(slot) >= tonumber(ARGV[1]) then return 0 end
    redis.call('HSET', KEYS[1], 'slot', ARGV[1])
    redis.call('HDEL', KEYS[1], 'token', 'until')
    if ARGV[2] == '1' then redis.call('HINCRBY', KEYS[1], 'runs', 1) end
  end
  if ARGV[2] == '1' then
    redis.call('ZADD', KEYS[3], ARGV[1], ARGV[1])
    redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -tonumber(ARGV[5]) - 1)
  end
end
redis.call('LPUSH', KEYS[2], ARGV[3])
redis.call('LTRIM', KEYS[2], 0, tonumber(ARGV[4]) - 1)
return 1
