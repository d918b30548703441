-- Tells a worker's record that it is alive, and forgets records of workers long silent.
-- KEYS    1 workers hash
-- ARGV    1 name, 2 token, 3 record as JSON without heartbeatAt (it must end in '}'), 4 ms after which silence means gone
-- returns 1, or 0 where another process holds the name now
-- atomic because the name may have been given to another
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held then
  local ok, record = pcall(cjson.decode, held)
  if ok and record['token'] ~= ARGV[2] then return 0 end
end
redis.call('HSET', KEYS[1], ARGV[1], string.sub(ARGV[3], 1, -2) .. ',"heartbeatAt":' .. string.format('%.0f', now) .. '}')
if redis.call('HLEN', KEYS[1]) <= 1000 then
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local ok, record = pcall(cjson.decode, all[i + 1])
    if not ok or now - (tonumber(record['heartbeatAt']) or 0) > tonumber(ARGV[4]) then redis.call('HDEL', KEYS[1], all[i]) end
  end
end
return 1
