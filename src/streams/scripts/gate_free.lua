-- Gives permits of a gate back, and those that are free to whoever waits first. Without ids it only looks.
-- KEYS    1 gate hash, 2 permits, 3 waiters
-- ARGV    1 permits ('' = no limit), then id, fence per permit ('' = one that was kept for a waiter who no longer waits)
-- returns { ids to wake }, how many wait still
-- atomic because a permit must be given back by its owner only, and to one waiter
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
for i = 2, #ARGV, 2 do
  local owner = redis.call('HGET', KEYS[1], 'o:' .. ARGV[i])
  if (owner or '') == ARGV[i + 1] then
    redis.call('ZREM', KEYS[2], ARGV[i])
    redis.call('ZREM', KEYS[3], ARGV[i])
    redis.call('HDEL', KEYS[1], 'o:' .. ARGV[i])
  end
end
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], '-inf', now, 'BYSCORE', 'LIMIT', 0, 64)) do
  redis.call('ZREM', KEYS[2], id)
  redis.call('HDEL', KEYS[1], 'o:' .. id)
end
local free = 64
if ARGV[1] ~= '' then free = math.min(64, tonumber(ARGV[1]) - redis.call('ZCARD', KEYS[2])) end
local wake = {}
if free > 0 then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[3], 0, free - 1)) do
    if ARGV[1] ~= '' then redis.call('ZADD', KEYS[2], now + 30000, id) end
    redis.call('ZREM', KEYS[3], id)
    wake[#wake + 1] = id
  end
end
if #wake > 0 and ARGV[1] ~= '' then redis.call('PEXPIRE', KEYS[2], 86400000) end
return { wake, redis.call('ZCARD', KEYS[3]) }
