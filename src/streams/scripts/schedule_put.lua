-- Adds or changes a schedule and tells all beats.
-- KEYS    1 schedules hash, 2 hash of the schedule
-- ARGV    1 name, 2 definition as JSON object, 3 revision it replaces ('' = it must not exist), 4 most fields of the hash,
--         5 channel, 6 '1' = its slots up to now are over (it is new, or comes at other times)
-- returns the new revision; -1 it exists, -2 it does not, -3 another revision is there, -4 there are too many
-- atomic because two writers must not both succeed, and no beat may see a definition without its revision
local field = 'd:' .. ARGV[1]
local known = redis.call('HGET', KEYS[1], field)
if ARGV[3] == '' then
  if known then return -1 end
  if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then return -4 end
elseif not known then
  return -2
elseif string.match(known, '^{"rev":(%d+)') ~= ARGV[3] then
  return -3
end
local rev = redis.call('HINCRBY', KEYS[1], 'v', 1)
redis.call('HSET', KEYS[1], field, '{"rev":' .. rev .. ',' .. string.sub(ARGV[2], 2))
if ARGV[6] == '1' then
  local t = redis.call('TIME')
  local now = t[1] * 1000 + math.floor(t[2] / 1000)
  local slot = redis.call('HGET', KEYS[2], 'slot')
  if not slot or tonumber(slot) < now then redis.call('HSET', KEYS[2], 'slot', string.format('%.0f', now)) end
end
redis.call('PUBLISH', ARGV[5], ARGV[1])
return rev
