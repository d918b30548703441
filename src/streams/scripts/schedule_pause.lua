-- Pauses a schedule, or lets it go on: slots up to that moment are over then. Tells all beats.
-- KEYS    1 schedules hash, 2 hash of the schedule
-- ARGV    1 name, 2 '1' = pause, '0' = resume, 3 channel
-- returns 1, or 0 where nothing changed
-- atomic because a beat between the two would make up for slots of the pause
local t = redis.call('TIME')
local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
local field = 'p:' .. ARGV[1]
if ARGV[2] == '1' then
  if redis.call('HSETNX', KEYS[1], field, now) == 0 then return 0 end
else
  if redis.call('HDEL', KEYS[1], field) == 0 then return 0 end
  local slot = redis.call('HGET', KEYS[2], 'slot')
  if not slot or tonumber(slot) < tonumber(now) then redis.call('HSET', KEYS[2], 'slot', now) end
end
redis.call('HINCRBY', KEYS[1], 'v', 1)
redis.call('PUBLISH', ARGV[3], ARGV[1])
return 1
