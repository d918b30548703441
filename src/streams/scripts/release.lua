-- Gives held entries back, so that the next reclaimer takes them at once.
-- KEYS    1 jobs stream
-- ARGV    1 group, 2 consumer, 3 idle time to pretend in ms, 4 control channel, then entry, delivery count, new count per entry
-- returns how many were given back
-- atomic because only what is still held may be given back. New count = count - 1 where the job never ran, so that waiting
-- in a stopped worker is no attempt.
local given = 0
for i = 5, #ARGV, 3 do
  local row = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])[1]
  if row and row[4] == tonumber(ARGV[i + 1]) then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'IDLE', ARGV[3], 'RETRYCOUNT', ARGV[i + 2], 'JUSTID')
    given = given + 1
  end
end
if given > 0 then redis.call('PUBLISH', ARGV[4], '{"op":"reclaim"}') end
return given
