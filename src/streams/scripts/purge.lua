-- Cancels about 64 jobs (fewer where they are large) that nobody has claimed yet, delayed ones included. Begins with entries.lua.
-- KEYS    1 jobs stream, 2 delayed set, or the set of a task's jobs that were set aside
-- ARGV    1 key prefix, 2 group, 3 ttl ms, 4 error as JSON
-- returns how many were cancelled; id, task and meta of those that have one; 1 where nothing is left; gate and moment of
--         those that waited for theirs. An end that was not told yet counts as one: its job has ended, and stays as it is; id,
--         '@link' and what is to be told come back.
-- The group is moved past queued entries together with its count of entries read, so lag stays true (XDEL would break it).
-- atomic because a reader must not be given what is being cancelled
local prefix = ARGV[1]
local count = 0
local metas, moments = {}, {}
local function cancel(id, task, meta)
  local key = prefix .. 'job:' .. id
  redis.call('HSET', key, 'state', 'cancelled', 'task', task or '', 'error', ARGV[4])
  redis.call('HDEL', key, 'payload', 'meta')
  redis.call('PEXPIRE', key, ARGV[3])
  if meta and meta ~= '' then
    metas[#metas + 1] = id
    metas[#metas + 1] = task or ''
    metas[#metas + 1] = meta
    local ok, read = pcall(cjson.decode, meta)
    if ok and type(read) == 'table' and tonumber(read['g']) and type(read['q']) == 'string' then
      moments[#moments + 1] = read['q']
      moments[#moments + 1] = string.format('%.0f', read['g'])
    end
    local unique = ok and type(read) == 'table' and read['u']
    if type(unique) == 'string' and redis.call('GET', prefix .. 'unique:' .. unique) == id then redis.call('DEL', prefix .. 'unique:' .. unique) end
  end
  count = count + 1
end
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, 63)) do
  local job = redis.call('HMGET', prefix .. 'job:' .. id, 'task', 'meta')
  cancel(id, job[1], job[2])
  redis.call('ZREM', KEYS[2], id)
  if KEYS[2] ~= prefix .. 'delayed' then redis.call('HINCRBY', prefix .. 'meta', 'parked', -1) end
end
local dropped = 0
if count == 0 then
  -- the lanes of jobs with a key; what was cancelled in them before is only dropped
  for _ = 1, 500 do
    local lane = redis.call('ZRANGE', prefix .. 'lanes', 0, 0)[1]
    if not lane or count >= 64 then break end
    local id = redis.call('LPOP', prefix .. 'lane:' .. lane)
    local job = id and redis.call('HMGET', prefix .. 'job:' .. id, 'task', 'meta', 'state', 'entry')
    if not id then
      redis.call('ZREM', prefix .. 'lanes', lane)
      dropped = dropped + 1
    elseif job[3] == 'queued' and not job[4] then
      cancel(id, job[1], job[2])
      redis.call('HINCRBY', prefix .. 'meta', 'lanes', -1)
    else dropped = dropped + 1 end
  end
end
if count > 0 or dropped > 0 then return { count, metas, 0, moments } end
if redis.call('EXISTS', KEYS[1]) == 0 then return { 0, metas, 1, moments } end
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = {}
  for i = 1, #flat, 2 do group[flat[i]] = flat[i + 1] end
  if group['name'] == ARGV[2] and group['lag'] then
    local stream = {}
    local info = redis.call('XINFO', 'STREAM', KEYS[1])
    for i = 1, #info, 2 do stream[info[i]] = info[i + 1] end
    local read = stream['entries-added'] - group['lag']
    local last
    local bytes = 0
    -- a few at a time, since nobody knows how large they are before
    repeat
      local rows = redis.call('XRANGE', KEYS[1], '(' .. (last or group['last-delivered-id']), '+', 'COUNT', last and 8 or 1)
      for _, row in ipairs(rows) do
        local job, size = entries.read(row[2])
        bytes = bytes + size
        if job['task'] == '@link' then
          metas[#metas + 1] = job['id'] or ''
          metas[#metas + 1] = '@link'
          metas[#metas + 1] = job['payload'] or ''
          count = count + 1
        else cancel(job['id'] or '', job['task'], job['meta']) end
        last = row[1]
        read = read + 1
      end
    until #rows == 0 or count >= 64 or bytes > 262144
    if last then redis.call('XGROUP', 'SETID', KEYS[1], ARGV[2], last, 'ENTRIESREAD', read) end
  end
end
return { count, metas, count == 0 and 1 or 0, moments }
