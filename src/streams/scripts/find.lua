-- Looks through a part of a queue for jobs of one task. Begins with entries.lua.
-- KEYS    1 the jobs stream, or a sorted set of ids (delayed or parked)
-- ARGV    1 'stream' | 'set', 2 key prefix, 3 task, 4 where to go on ('-' or '0' at first), 5 how many to look at
-- returns the ids found, where to go on ('' = all was looked at), how many were looked at
-- atomic only as one look; what is added meanwhile is found where it stands behind
local ids, looked = {}, 0
if ARGV[1] == 'stream' then
  local at, most, bytes = ARGV[4], tonumber(ARGV[5]), 0
  -- a few at a time, since nobody knows how large they are before
  repeat
    local part = math.min(most - looked, looked == 0 and 1 or 16)
    local rows = redis.call('XRANGE', KEYS[1], at, '+', 'COUNT', part)
    for _, row in ipairs(rows) do
      looked = looked + 1
      at = '(' .. row[1]
      local job, size = entries.read(row[2])
      bytes = bytes + size
      if job['task'] == ARGV[3] then ids[#ids + 1] = job['id'] end
    end
    if #rows < part then return { ids, '', looked } end
  until looked >= most or bytes > 262144
  return { ids, at, looked }
end
local got = redis.call('ZSCAN', KEYS[1], ARGV[4], 'COUNT', ARGV[5])
for i = 1, #got[2], 2 do
  looked = looked + 1
  if redis.call('HGET', ARGV[2] .. 'job:' .. got[2][i], 'task') == ARGV[3] then ids[#ids + 1] = got[2][i] end
end
return { ids, got[1] == '0' and '' or got[1], looked }
