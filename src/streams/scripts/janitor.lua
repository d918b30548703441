-- Deletes a consumer that holds nothing and has been silent for long.
-- KEYS    1 jobs stream
-- ARGV    1 group, 2 ms of silence
-- returns how many consumers were deleted
-- atomic because DELCONSUMER loses what is pending: the look and the deletion must not be parted
local deleted = 0
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for i = 1, #flat, 2 do consumer[flat[i]] = flat[i + 1] end
  if consumer['pending'] == 0 and consumer['idle'] > tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer['name'])
    deleted = deleted + 1
  end
end
return deleted
