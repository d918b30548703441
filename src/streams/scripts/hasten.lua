-- Makes delayed jobs due now: those that waited for a permit which is theirs.
-- KEYS    1 delayed set, 2 jobs stream
-- ARGV    1 control channel, 2 key prefix, 3 group, then up to 64 ids
-- returns the ids that no longer wait
-- One that a worker still holds was told to wait a moment ago and is about to be put among the delayed: it gets a mark, by which
-- settle.lua makes it due at once.
-- atomic because workers are told once, after all are due
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local gone, due = {}, false
for i = 4, #ARGV do
  local id = ARGV[i]
  if redis.call('ZSCORE', KEYS[1], id) then
    redis.call('ZADD', KEYS[1], 'XX', now, id)
    due = true
  else
    local key = ARGV[2] .. 'job:' .. id
    local job = redis.call('HMGET', key, 'state', 'entry')
    local ok, rows = true, {}
    if job[1] == 'queued' and job[2] then ok, rows = pcall(redis.call, 'XPENDING', KEYS[2], ARGV[3], job[2], job[2], 1) end
    if ok and rows[1] then redis.call('HSET', key, 'woken', '1') else gone[#gone + 1] = id end
  end
end
if due then redis.call('PUBLISH', ARGV[1], '{"op":"wake"}') end
return gone
