-- Renews the lease of up to a few dozen held entries, without stealing back what another worker has taken.
-- KEYS    1 jobs stream
-- ARGV    1 group, 2 consumer, 3 and 4 lowest and highest entry id (a hint), then entry, delivery count per held entry
-- returns the entries whose claim was lost
-- atomic because between the look at the owner and XCLAIM another may have claimed
local counts = {}
for _, row in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[4], #ARGV + 16, ARGV[2])) do
  counts[row[1]] = row[4]
end
local mine, lost = {}, {}
for i = 5, #ARGV, 2 do
  local held = counts[ARGV[i]]
  if not held then
    local row = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])[1]
    held = row and row[4]
  end
  if held == tonumber(ARGV[i + 1]) then mine[#mine + 1] = ARGV[i] else lost[#lost + 1] = ARGV[i] end
end
if #mine > 0 then
  mine[#mine + 1] = 'JUSTID'
  redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, unpack(mine))
end
return lost
