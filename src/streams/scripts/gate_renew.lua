-- Renews permits of a gate.
-- KEYS    1 gate hash, 2 permits
-- ARGV    1 lease ms, then id, fence per permit
-- returns how many were renewed
-- atomic because a permit that has passed to another run of the job must not be prolonged by the old one. A permit that was
-- lost in between (a long stall, a flushed key) is taken again: its job runs.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local renewed = 0
for i = 2, #ARGV, 2 do
  local owner = redis.call('HGET', KEYS[1], 'o:' .. ARGV[i])
  if not owner or owner == ARGV[i + 1] then
    redis.call('HSET', KEYS[1], 'o:' .. ARGV[i], ARGV[i + 1])
    redis.call('ZADD', KEYS[2], now + tonumber(ARGV[1]), ARGV[i])
    renewed = renewed + 1
  end
end
-- whoever asks says how long they are kept; where nobody has asked yet, a day
for i = 1, 2 do if redis.call('PTTL', KEYS[i]) == -1 then redis.call('PEXPIRE', KEYS[i], 86400000) end end
return renewed
