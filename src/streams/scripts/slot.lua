-- Gives a worker process a consumer name of its own, `<host>:<slot>`, the same again after a restart.
-- KEYS    1 workers hash
-- ARGV    1 host, 2 token of the process, 3 ms after which a silent holder has lost its name, 4 record as JSON without id and heartbeatAt (it must end in '}')
-- returns the name
-- atomic because two processes that start together must not get one name
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
for slot = 0, 999 do
  local name = ARGV[1] .. ':' .. slot
  local held = redis.call('HGET', KEYS[1], name)
  local free = true
  if held then
    local at = tonumber(string.match(held, '"heartbeatAt":(%d+)}$')) or 0
    if string.match(held, '"token":"([^"]*)"') ~= ARGV[2] and now - at < tonumber(ARGV[3]) then free = false end
  end
  if free then
    redis.call('HSET', KEYS[1], name, string.sub(ARGV[4], 1, -2) .. ',"id":"' .. name .. '","heartbeatAt":'
      .. string.format('%.0f', now) .. '}')
    return name
  end
end
return redis.error_reply('ERR no free worker slot on this host')
