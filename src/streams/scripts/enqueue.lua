-- Adds up to a few dozen jobs to one queue, at once or for later.
-- KEYS    1 jobs stream, 2 delayed set, 3 meta hash
-- ARGV    1 key prefix of the queue, 2 default limit, 3 control channel, then six per job:
--         id, task, payload, meta ('' = none), delay in ms ('' = now), check ('' = fresh id, 'c' = id may be known,
--         'u<key>' = the unique key may be held)
-- returns the exceptions only: index, 'full' or the id that is known already, …; then nothing
-- atomic because the limit, the look at a known id or unique key and the adding must not be parted
local prefix = ARGV[1]
local limit = tonumber(redis.call('HGET', KEYS[3], 'limit') or ARGV[2])
local count = (#ARGV - 3) / 6
local size = redis.call('XLEN', KEYS[1]) + redis.call('ZCARD', KEYS[2])
if size + count > limit and redis.call('EXISTS', KEYS[1]) == 1 then
  -- XLEN counts entries that are acknowledged but not yet trimmed; look closer before refusing
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    local info = {}
    for i = 1, #group, 2 do info[group[i]] = group[i + 1] end
    if info['name'] == 'workers' and info['lag'] then
      size = info['lag'] + info['pending'] + redis.call('ZCARD', KEYS[2])
    end
  end
end
local now
local soonest
local out = {}
for i = 1, count do
  local at = 4 + (i - 1) * 6
  local id, task, payload, meta, delay, check = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
  local key = prefix .. 'job:' .. id
  local known
  if check ~= '' then
    local state = redis.call('HGET', key, 'state')
    if state and state ~= 'waiting' then known = id end
    if not known and string.sub(check, 1, 1) == 'u' then
      local unique = prefix .. 'unique:' .. string.sub(check, 2)
      local holder = redis.call('GET', unique)
      if holder and holder ~= id then
        local held = redis.call('HGET', prefix .. 'job:' .. holder, 'state')
        if held and held ~= 'done' and held ~= 'dead' and held ~= 'cancelled' then known = holder end
      end
      if not known and size < limit then redis.call('SET', unique, id) end
    end
    if state == 'waiting' then redis.call('PERSIST', key) end
  end
  if known then
    out[#out + 1] = i
    out[#out + 1] = known
  elseif size >= limit then
    out[#out + 1] = i
    out[#out + 1] = 'full'
  else
    size = size + 1
    if delay == '' then
      local entry
      if meta == '' then
        entry = redis.call('XADD', KEYS[1], '*', 'id', id, 'task', task, 'payload', payload)
      else
        entry = redis.call('XADD', KEYS[1], '*', 'id', id, 'task', task, 'payload', payload, 'meta', meta)
      end
      redis.call('HSET', key, 'state', 'queued', 'entry', entry)
    else
      if not now then
        local t = redis.call('TIME')
        now = t[1] * 1000 + math.floor(t[2] / 1000)
      end
      local wait = tonumber(delay)
      redis.call('HSET', key, 'state', 'scheduled', 'task', task, 'payload', payload, 'meta', meta)
      redis.call('ZADD', KEYS[2], now + wait, id)
      if not soonest or wait < soonest then soonest = wait end
    end
  end
end
if soonest and soonest <= 1000 then redis.call('PUBLISH', ARGV[3], '{"op":"wake"}') end
return out
