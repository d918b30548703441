-- Gives one beat the right to fire a slot, for a while: the others wait until it has, or has died.
-- KEYS    1 hash of the schedule, 2 sorted set of slots that fired, 3 schedules hash
-- ARGV    1 schedule, 2 slot in epoch ms, 3 token of the beat, 4 lease ms, 5 most runs ('' = any),
--         6 revision of the definition ('' = it is defined in code)
-- returns 'yours' | 'held' | 'over' | 'paused' | 'changed' | 'ended', and ms until a holder's lease ends
-- atomic because two beats that claim at the same moment must not both get it, nor one after the schedule was paused
if redis.call('HEXISTS', KEYS[3], 'p:' .. ARGV[1]) == 1 then return { 'paused', 0 } end
if ARGV[6] ~= '' then
  local stored = redis.call('HGET', KEYS[3], 'd:' .. ARGV[1])
  if not stored or string.match(stored, '^{"rev":(%d+)') ~= ARGV[6] then return { 'changed', 0 } end
end
local known = redis.call('HMGET', KEYS[1], 'slot', 'runs', 'token', 'until')
if known[1] and tonumber(known[1]) >= tonumber(ARGV[2]) then return { 'over', 0 } end
if redis.call('ZSCORE', KEYS[2], ARGV[2]) then return { 'over', 0 } end
if ARGV[5] ~= '' and tonumber(known[2] or '0') >= tonumber(ARGV[5]) then return { 'ended', 0 } end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if known[3] and known[3] ~= ARGV[3] and tonumber(known[4]) > now then return { 'held', tonumber(known[4]) - now } end
redis.call('HSET', KEYS[1], 'token', ARGV[3], 'until', string.format('%.0f', now + ARGV[4]))
return { 'yours', 0 }
