-- Gives held entries back, so that the next reclaimer takes them at once.
-- KEYS    1 jobs stream
-- ARGV    1 group, 2 consumer, 3 idle time to pretend in ms, 4 control channel, 5 key prefix, then entry, delivery count, new
--         count, id of the job per entry
-- returns how many were given back
-- atomic because only what is still held may be given back. New count = count - 1 where the job never ran, so that waiting
-- in a worker is no attempt. One that ran keeps its count, which is the fence; `drained` tells the reclaimer that no worker was
-- lost, also under one that had lost another worker before.
local given = 0
for i = 6, #ARGV, 4 do
  local row = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])[1]
  if row and row[4] == tonumber(ARGV[i + 1]) then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'IDLE', ARGV[3], 'RETRYCOUNT', ARGV[i + 2], 'JUSTID')
    local key = ARGV[5] .. 'job:' .. ARGV[i + 3]
    -- where the slot is on its way to another master this may raise an error: then a loss is counted that was none
    if tonumber(ARGV[i + 2]) > 0 and redis.pcall('HGET', key, 'state') == 'queued' then
      redis.call('HSET', key, 'drained', ARGV[i] .. ':' .. ARGV[i + 2])
    end
    given = given + 1
  end
end
if given > 0 then redis.call('PUBLISH', ARGV[4], '{"op":"reclaim"}') end
return given
