-- Fair lanes: text that other scripts begin with (the loader puts it before theirs); by itself it does nothing.
-- Jobs with a key wait in a list per key (`lane:<key>`); the sorted set `lanes` has each lane's virtual time, the lowest is
-- next; the meta hash tells how many jobs wait in lanes (`lanes`) and which entry readers must have passed before more is
-- fed (`fed`); the hash `weights` has the shares of those that do not have 1. All keys are of the queue's slot.
-- A feed moves at most 40 jobs and only while few of the last feed are unread, so that a newcomer waits for at most about 60.
local lanes = { most = 40, few = 20 }
-- Key and parent stand at the start of a meta's text: looking for them costs nothing where they are not.
function lanes.key(meta) return string.match(meta, '^{"k":"([^"]+)"') end
function lanes.parent(meta)
  return string.match(meta, '^{"p":"([^"]+)"') or string.match(meta, '^{"k":"[^"]+","p":"([^"]+)"')
end
-- On a Cluster whose slot is on its way to another master a key that has gone ahead raises an error: before anything is changed.
function lanes.touch(prefix, key)
  redis.call('EXISTS', prefix .. 'lane:' .. key)
  redis.call('EXISTS', prefix .. 'lanes')
  redis.call('EXISTS', prefix .. 'meta')
end
function lanes.push(prefix, key, id)
  if redis.call('RPUSH', prefix .. 'lane:' .. key, id) == 1 then
    -- a lane that begins stands level with the one whose turn it is
    local first = redis.call('ZRANGE', prefix .. 'lanes', 0, 0, 'WITHSCORES')
    redis.call('ZADD', prefix .. 'lanes', 'NX', first[2] or 0, key)
  end
  -- since when it waits, for those who look at the oldest
  local t = redis.call('TIME')
  redis.call('HSET', prefix .. 'job:' .. id, 'laned', string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000)))
  redis.call('HINCRBY', prefix .. 'meta', 'lanes', 1)
end
local function before(a, b)
  local am, as = string.match(a, '(%d+)-(%d+)')
  local bm, bs = string.match(b, '(%d+)-(%d+)')
  if am ~= bm then return tonumber(am) < tonumber(bm) end
  return tonumber(as) < tonumber(bs)
end
-- True where enough of the last feed has been read.
function lanes.thirsty(prefix, stream)
  local fed = redis.call('HGET', prefix .. 'meta', 'fed')
  if not fed or redis.call('EXISTS', stream) == 0 then return true end
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local group = {}
    for i = 1, #flat, 2 do group[flat[i]] = flat[i + 1] end
    if group['name'] == 'workers' then
      return (group['lag'] and group['lag'] < lanes.few) or not before(group['last-delivered-id'], fed)
    end
  end
  return false
end
-- Moves jobs from the lanes into the stream, in turns. Returns how many.
function lanes.feed(prefix, stream)
  if redis.call('EXISTS', prefix .. 'lanes') == 0 or not lanes.thirsty(prefix, stream) then return 0 end
  redis.call('EXISTS', prefix .. 'meta')
  local weighed = redis.call('EXISTS', prefix .. 'weights') == 1
  local entries, bytes = {}, 0
  -- what was cancelled in its lane is only dropped here; it costs its lane a turn, so that the others don't wait for it
  for _ = 1, 64 do
    local lane = redis.call('ZRANGE', prefix .. 'lanes', 0, 0, 'WITHSCORES')
    if not lane[1] or #entries >= lanes.most or bytes > 262144 then break end
    local id = redis.call('LINDEX', prefix .. 'lane:' .. lane[1], 0)
    if not id then
      redis.call('ZREM', prefix .. 'lanes', lane[1])
    else
      local key = prefix .. 'job:' .. id
      local job = redis.call('HMGET', key, 'task', 'payload', 'meta', 'state', 'entry')
      if job[2] and job[4] == 'queued' and not job[5] then
        local entry = redis.call('XADD', stream, '*', 'id', id, 'task', job[1], 'payload', job[2], 'meta', job[3])
        redis.call('HSET', key, 'entry', entry)
        bytes = bytes + #job[2]
        redis.call('HDEL', key, 'payload', 'meta', 'laned')
        entries[#entries + 1] = entry
      end
      redis.call('LPOP', prefix .. 'lane:' .. lane[1])
      local weight = weighed and tonumber(redis.call('HGET', prefix .. 'weights', lane[1]) or 1) or 1
      redis.call('ZADD', prefix .. 'lanes', lane[2] + 1 / weight, lane[1])
    end
  end
  if #entries > 0 then
    redis.call('HSET', prefix .. 'meta', 'fed', entries[math.ceil(#entries / 2)])
    redis.call('HINCRBY', prefix .. 'meta', 'lanes', -#entries)
  end
  if redis.call('EXISTS', prefix .. 'lanes') == 0 then redis.call('HDEL', prefix .. 'meta', 'lanes') end
  return #entries
end
