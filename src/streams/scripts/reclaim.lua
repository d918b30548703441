-- Takes over entries whose holder has not renewed its lease.
-- KEYS    1 jobs stream
-- ARGV    1 group, 2 consumer, 3 lease in ms, 4 cursor, 5 how many at most
-- returns the next cursor, { entry, fields, delivery count } of each taken, ids of entries that no longer exist (an alarm)
-- atomic because the delivery count read must be the one this claim has made
local got = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'COUNT', ARGV[5])
local taken = {}
for _, entry in ipairs(got[2]) do
  local row = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1, ARGV[2])[1]
  taken[#taken + 1] = { entry[1], entry[2], row and row[4] or 0 }
end
return { got[1], taken, got[3] or {} }
