-- Makes delayed jobs due now: those that waited for a permit which is theirs.
-- KEYS    1 delayed set
-- ARGV    1 control channel, then up to 64 ids
-- returns the ids that no longer wait
-- atomic because workers are told once, after all are due
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local gone = {}
for i = 2, #ARGV do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) then redis.call('ZADD', KEYS[1], 'XX', now, ARGV[i])
  else gone[#gone + 1] = ARGV[i] end
end
if #gone < #ARGV - 1 then redis.call('PUBLISH', ARGV[1], '{"op":"wake"}') end
return gone
