-- Throws dead letters of one queue away; their jobs stay failed.
-- KEYS    1 dead stream
-- ARGV    1 key prefix, then at most 64 entry ids
-- returns how many were thrown away now (one that is gone counts no more)
-- atomic because one that is replayed at the same time must not be counted, nor lose its mark
local gone = 0
for i = 2, #ARGV do
  local entry = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1]
  if entry and redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then
    gone = gone + 1
    for n = 1, #entry[2], 2 do
      if entry[2][n] == 'id' then
        local key = ARGV[1] .. 'job:' .. entry[2][n + 1]
        if redis.call('HGET', key, 'dead') == ARGV[i] then redis.call('HDEL', key, 'dead') end
      end
    end
  end
end
return gone
