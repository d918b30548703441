-- Adds up to a few dozen jobs to one queue, at once or for later. Begins with lanes.lua and entries.lua.
-- KEYS    1 jobs stream, 2 delayed set, 3 meta hash
-- ARGV    1 key prefix of the queue, 2 default limit, 3 control channel, then six per job:
--         id, task, payload, meta ('' = none), delay in ms ('' = now), check ('' = fresh id, 'c' = id may be known,
--         'u<key>' = the unique key may be held, '{…' = JSON with u key, m 'r' refuse | 'p' replace | 'd' debounce,
--         w ms that the key is held, x longest that debouncing may put off in ms)
-- returns the exceptions only: index, what, …: 'full'; the id that is known already, nothing was added; '=<id>' that job has
--         taken the payload over; '~<id>' added in place of that job, which is cancelled
-- atomic because the limit, the look at a known id or unique key and the adding must not be parted
local prefix = ARGV[1]
local told = redis.call('HMGET', KEYS[3], 'limit', 'lanes', 'parked')
local limit = tonumber(told[1] or ARGV[2])
local count = (#ARGV - 3) / 6
-- in lanes, and set aside while their tasks are paused
local apart = (told[2] or 0) + (told[3] or 0)
local size = redis.call('XLEN', KEYS[1]) + redis.call('ZCARD', KEYS[2]) + apart
if size + count > limit and redis.call('EXISTS', KEYS[1]) == 1 then
  -- XLEN counts entries that are acknowledged but not yet trimmed; look closer before refusing
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    local info = {}
    for i = 1, #group, 2 do info[group[i]] = group[i + 1] end
    if info['name'] == 'workers' and info['lag'] then
      size = info['lag'] + info['pending'] + redis.call('ZCARD', KEYS[2]) + apart
    end
  end
end
local clock
local function now()
  if not clock then
    local t = redis.call('TIME')
    clock = t[1] * 1000 + math.floor(t[2] / 1000)
  end
  return clock
end
-- Readers look at the revoked before they start a job; one that runs goes on, but is not tried again.
local function displace(holder, entry, by)
  local revoked = prefix .. 'revoked'
  redis.call('ZADD', revoked, now(), holder)
  local old = redis.call('ZCOUNT', revoked, '-inf', now() - 86400000)
  if old > 0 then redis.call('ZREMRANGEBYRANK', revoked, 0, math.min(old, 100) - 1) end
  redis.call('ZREMRANGEBYRANK', revoked, 0, -50001)
  redis.call('PEXPIRE', revoked, 86400000)
  redis.call('PUBLISH', ARGV[3], cjson.encode({ op = 'revoke', id = holder, terminate = false }))
  local ok, rows = pcall(redis.call, 'XPENDING', KEYS[1], 'workers', entry, entry, 1)
  if ok and rows[1] then return false end
  local found = redis.call('XRANGE', KEYS[1], entry, entry)[1]
  local task = found and entries.read(found[2])['task'] or ''
  local key = prefix .. 'job:' .. holder
  redis.call('HSET', key, 'state', 'cancelled', 'task', task, 'error',
    cjson.encode({ _tag = 'Cancelled', message = 'replaced by ' .. by }))
  redis.call('PEXPIRE', key, 86400000)
  return true
end
-- What the unique key decides: known id, and what to tell; and when a debounced job was first asked for.
local function decide(o, id, task, payload, meta, delay)
  local unique = prefix .. 'unique:' .. o.u
  local holder = redis.call('GET', unique)
  if not holder or holder == id then return nil, nil, nil end
  local held = redis.call('HMGET', prefix .. 'job:' .. holder, 'state', 'entry', 'first')
  local state, entry = held[1], held[2]
  if o.m == 'r' then
    if o.w then return state ~= 'cancelled' and holder or nil, nil, nil end
    return state and state ~= 'done' and state ~= 'dead' and state ~= 'cancelled' and holder or nil, nil, nil
  end
  if state == 'scheduled' or state == 'retrying' or (state == 'queued' and not entry) then
    local key = prefix .. 'job:' .. holder
    redis.call('HSET', key, 'task', task, 'payload', payload, 'meta', meta)
    redis.call('HDEL', key, 'error', 'run')
    if state ~= 'queued' then
      redis.call('HSET', key, 'state', 'scheduled')
      if o.m == 'd' then
        local due = now() + tonumber(delay)
        if o.x and held[3] then due = math.min(due, tonumber(held[3]) + o.x) end
        redis.call('ZADD', KEYS[2], 'XX', due, holder)
      end
    end
    return holder, '=' .. holder, nil
  end
  if state ~= 'queued' then return nil, nil, nil end
  return nil, displace(holder, entry, id) and '~' .. holder or nil, held[3]
end
local soonest
local laned = false
local out = {}
-- A client whose connection broke before the answer came sends the same call again: then its first fresh id is known here.
local again = false
for at = 9, #ARGV, 6 do
  if ARGV[at] == '' then
    again = redis.call('EXISTS', prefix .. 'job:' .. ARGV[at - 5]) == 1
    break
  end
end
for i = 1, count do
  local at = 4 + (i - 1) * 6
  local id, task, payload, meta, delay, check = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
  local key = prefix .. 'job:' .. id
  local known, tell, first, o, waits
  local stands = check == '' and again and redis.call('EXISTS', key) == 1
  if check ~= '' then
    local state = redis.call('HGET', key, 'state')
    if state and state ~= 'waiting' then known = id end
    local kind = string.sub(check, 1, 1)
    if not known and kind ~= 'c' then
      o = kind == 'u' and { u = string.sub(check, 2), m = 'r' } or cjson.decode(check)
      -- in a full queue nothing may be displaced, as nothing could be added instead
      if size < limit or o.m == 'r' then known, tell, first = decide(o, id, task, payload, meta, delay) end
      if not known and size < limit then
        if o.w and o.m ~= 'd' then redis.call('SET', prefix .. 'unique:' .. o.u, id, 'PX', o.w)
        else redis.call('SET', prefix .. 'unique:' .. o.u, id) end
      end
    end
    waits = state == 'waiting'
  end
  if known or tell then
    out[#out + 1] = i
    out[#out + 1] = tell or known
  end
  if not known and not stands and size >= limit then
    out[#out + 1] = i
    out[#out + 1] = 'full'
  elseif not known and not stands then
    size = size + 1
    if waits then
      redis.call('PERSIST', key)
      redis.call('HDEL', key, 'payload', 'meta', 'fixed')
    end
    local lane = meta ~= '' and lanes.key(meta)
    if lane and delay == '' then lanes.touch(prefix, lane) end
    local parent = meta ~= '' and lanes.parent(meta)
    if parent then redis.call('HSET', key, 'parent', parent) end
    if delay == '' and lane then
      redis.call('HSET', key, 'state', 'queued', 'task', task, 'payload', payload, 'meta', meta)
      lanes.push(prefix, lane, id)
      laned = true
    elseif delay == '' then
      local entry
      if meta == '' then
        entry = redis.call('XADD', KEYS[1], '*', 'id', id, 'task', task, 'payload', payload)
      else
        entry = redis.call('XADD', KEYS[1], '*', 'id', id, 'task', task, 'payload', payload, 'meta', meta)
      end
      redis.call('HSET', key, 'state', 'queued', 'entry', entry)
    else
      local due = now() + tonumber(delay)
      if o and o.x then
        first = first or string.format('%.0f', now())
        due = math.min(due, tonumber(first) + o.x)
        redis.call('HSET', key, 'first', first)
      end
      redis.call('HSET', key, 'state', 'scheduled', 'task', task, 'payload', payload, 'meta', meta)
      redis.call('ZADD', KEYS[2], due, id)
      if not soonest or due < soonest then soonest = due end
    end
  end
end
if soonest and soonest - now() <= 1000 then redis.call('PUBLISH', ARGV[3], '{"op":"wake"}') end
if laned then lanes.feed(prefix, KEYS[1]) end
return out
