-- Tells a worker's record that it is alive, and forgets workers long silent: three records, chosen at random, are looked at
-- in each call, so that the cost does not grow with the number of workers.
-- KEYS    1 workers hash
-- ARGV    1 name, 2 token, 3 record as JSON without heartbeatAt (it must end in '}'), 4 ms after which silence means gone
-- returns 1, or 0 where another process holds the name now
-- atomic because the name may have been given to another
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held and string.match(held, '"token":"([^"]*)"') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], string.sub(ARGV[3], 1, -2) .. ',"heartbeatAt":' .. string.format('%.0f', now) .. '}')
local some = redis.call('HRANDFIELD', KEYS[1], 3, 'WITHVALUES')
for i = 1, #some, 2 do
  local at = tonumber(string.match(some[i + 1], '"heartbeatAt":(%d+)}$')) or 0
  if now - at > tonumber(ARGV[4]) then redis.call('HDEL', KEYS[1], some[i]) end
end
return 1
