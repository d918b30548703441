-- Makes sure that the consumer group of a work stream exists, also after it was lost.
-- KEYS    1 stream, 2 cursor hash
-- ARGV    1 group
-- returns 0 it was there, 1 made for the first time, 2 made again after a loss
-- After a loss the group starts before the oldest entry still kept (trimming keeps all that is unfinished) with a count of
-- entries read that makes lag right at once; `recovered` tells the settler up to where entries may come a second time.
-- atomic because between the look at the stream and the making of the group the stream must not change
local exists = redis.call('EXISTS', KEYS[1]) == 1
if exists then
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    if group[2] == ARGV[1] then return 0 end
  end
end
local again = redis.call('HGET', KEYS[2], 'made')
redis.call('HSET', KEYS[2], 'made', '1')
if not exists then
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
  return again and 2 or 1
end
local info = {}
local flat = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #flat, 2 do info[flat[i]] = flat[i + 1] end
local start = '0-0'
local read = info['entries-added'] - info['length']
if info['length'] == 0 then
  start = info['last-generated-id']
elseif read > 0 then
  local ms, seq = string.match(info['first-entry'][1], '(%d+)-(%d+)')
  if seq == '0' then start = string.format('%.0f', tonumber(ms) - 1) .. '-18446744073709551615'
  else start = ms .. '-' .. string.format('%.0f', tonumber(seq) - 1) end
end
redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], start, 'ENTRIESREAD', read)
if not again then return 1 end
redis.call('HSET', KEYS[2], 'recovered', info['last-generated-id'])
return 2
