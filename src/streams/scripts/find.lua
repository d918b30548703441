-- Looks through a part of a queue for jobs of one task.
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
    local entries = redis.call('XRANGE', KEYS[1], at, '+', 'COUNT', part)
    for _, entry in ipairs(entries) do
      looked = looked + 1
      at = '(' .. entry[1]
      local id, task
      for i = 1, #entry[2], 2 do
        bytes = bytes + #entry[2][i + 1]
        if entry[2][i] == 'id' then id = entry[2][i + 1] end
        if entry[2][i] == 'task' then task = entry[2][i + 1] end
      end
      if task == ARGV[3] then ids[#ids + 1] = id end
    end
    if #entries < part then return { ids, '', looked } end
  until looked >= most or bytes > 262144
  return { ids, at, looked }
end
local got = redis.call('ZSCAN', KEYS[1], ARGV[4], 'COUNT', ARGV[5])
for i = 1, #got[2], 2 do
  looked = looked + 1
  if redis.call('HGET', ARGV[2] .. 'job:' .. got[2][i], 'task') == ARGV[3] then ids[#ids + 1] = got[2][i] end
end
return { ids, got[1] == '0' and '' or got[1], looked }
