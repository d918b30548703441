-- Drops what every group has finished, and nothing else; at most about 5,000 entries a call. Counts anew what a group has
-- read where the server has forgotten it or may have it wrong.
-- KEYS    1 stream, 2 cursor hash
-- returns how many entries were dropped, 1 where another call would go on with the work (0 = it is done)
-- MINID only: XDEL or MAXLEN would make lag NULL or drop pending work. Atomic because the lowest unfinished entry must not
-- change between the look and the cut.
if redis.call('EXISTS', KEYS[1]) == 0 then return { 0, 0 } end
local function less(a, b)
  local am, as = string.match(a, '(%d+)-(%d+)')
  local bm, bs = string.match(b, '(%d+)-(%d+)')
  if am ~= bm then return tonumber(am) < tonumber(bm) end
  return tonumber(as) < tonumber(bs)
end
local min
local groups = {}
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = {}
  for i = 1, #flat, 2 do group[flat[i]] = flat[i + 1] end
  local low
  if group['pending'] > 0 then
    low = redis.call('XPENDING', KEYS[1], group['name'])[2]
  else
    local ms, seq = string.match(group['last-delivered-id'], '(%d+)-(%d+)')
    if seq == '18446744073709551615' then low = string.format('%.0f', tonumber(ms) + 1) .. '-0'
    else low = ms .. '-' .. string.format('%.0f', tonumber(seq) + 1) end
  end
  if not min or less(low, min) then min = low end
  groups[#groups + 1] = group
end
if not min then return { 0, 0 } end
local dropped = redis.call('XTRIM', KEYS[1], 'MINID', '~', min, 'LIMIT', 5000)
if dropped == 0 then
  -- less than a node is left to drop; exact trimming of a node is cheap
  dropped = redis.call('XTRIM', KEYS[1], 'MINID', '=', min)
end
-- Redis 7.0 writes deliveries to its AOF and replicas without the count of entries read: after a restart or a failover the
-- count is what it last was told in full, and lag is NULL or a wrong number that stays wrong; autoscalers read it. So counts
-- are looked at once for each run of a server. As only a prefix is ever dropped, an entry's number in the order of all that
-- were ever added is `entries-added - length` and its place among those kept; the count is the number of the entry delivered
-- last. Counting goes on over many calls, each bounded in bytes, from where the last one stood. A group at the end of the
-- stream has read all, which costs no counting and is seen to at every call.
local info = {}
local flat = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #flat, 2 do info[flat[i]] = flat[i + 1] end
local used = redis.pcall('MEMORY', 'USAGE', KEYS[1])
local most = 100
if type(used) == 'number' and info['length'] > 0 then
  most = math.max(10, math.min(1000, math.floor(500000 * info['length'] / used)))
end
-- a server that does not tell its run (no INFO by ACL) is mended where its fault is plain
local told = redis.pcall('INFO', 'server')
local run = type(told) == 'string' and string.match(told, 'run_id:(%w+)') or ''
local fresh = run ~= '' and redis.call('HGET', KEYS[2], 'counted') ~= run
local unsure = false
-- after an XDEL places tell nothing any more; then what waits is counted, where it is little
local whole = not info['max-deleted-entry-id'] or info['max-deleted-entry-id'] == '0-0'

-- the number of the entry `last`, or nil where the counting has to go on
local function numberOf(group, last)
  if not whole then
    local waiting = #redis.call('XRANGE', KEYS[1], '(' .. last, '+', 'COUNT', most + 1)
    return waiting <= most and info['entries-added'] - waiting or nil
  end
  local field = 'count:' .. group
  local from, number = '-', info['entries-added'] - info['length']
  local stood = redis.call('HGET', KEYS[2], field)
  if stood and info['first-entry'] then
    local stoodRun, id, n = string.match(stood, '^(%w*) (%S+) (%d+)$')
    -- what was counted before it was dropped counts no more, a place behind the group is of no use
    if stoodRun == run and not less(id, info['first-entry'][1]) and not less(last, id) then
      from, number = '(' .. id, tonumber(n)
    end
  end
  local got = redis.call('XRANGE', KEYS[1], from, last, 'COUNT', most)
  number = number + #got
  if #got < most then
    redis.call('HDEL', KEYS[2], field)
    return number
  end
  redis.call('HSET', KEYS[2], field, run .. ' ' .. got[#got][1] .. ' ' .. string.format('%.0f', number))
end

for _, group in ipairs(groups) do
  local last, read = group['last-delivered-id'], nil
  if not less(last, info['last-generated-id']) then
    if group['lag'] ~= 0 then read = info['entries-added'] end
  elseif fresh or (not group['lag'] and not group['entries-read']) then
    read = numberOf(group['name'], last)
    unsure = unsure or not read
  end
  if read and read ~= group['entries-read'] then
    redis.call('XGROUP', 'SETID', KEYS[1], group['name'], last, 'ENTRIESREAD', read)
  end
end
if fresh and not unsure then redis.call('HSET', KEYS[2], 'counted', run) end
local recovered = redis.call('HGET', KEYS[2], 'recovered')
if recovered and less(recovered, min) then redis.call('HDEL', KEYS[2], 'recovered') end
return { dropped, (dropped >= 1000 or (unsure and whole)) and 1 or 0 }
