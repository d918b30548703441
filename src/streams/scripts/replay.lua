-- Puts dead jobs of one queue back, at once or for later, their failures forgotten.
-- KEYS    1 dead stream, 2 jobs stream, 3 delayed set
-- ARGV    1 key prefix, 2 control channel, then four per letter (at most 64): entry id in the dead stream, meta of the new
--         entry ('' = none), delay in ms ('' = at once), payload ('' = as it was)
-- returns per letter the job's id, '' where the entry is gone, or '=' and the id of the unfinished job that holds its unique key
-- One for a fair lane goes through the delayed set, whose mover knows the lanes.
-- atomic because two who replay or discard at the same time must not make two jobs of one
local prefix = ARGV[1]
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local out = {}
local soonest
for i = 3, #ARGV, 4 do
  local meta, delay = ARGV[i + 1], ARGV[i + 2]
  local entry = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1]
  local result = ''
  if entry then
    local job = {}
    for n = 1, #entry[2], 2 do job[entry[2][n]] = entry[2][n + 1] end
    local id = job['id'] or ''
    local payload = ARGV[i + 3] ~= '' and ARGV[i + 3] or job['payload'] or 'null'
    local key = prefix .. 'job:' .. id
    local ok, decoded = pcall(cjson.decode, meta)
    if not ok or type(decoded) ~= 'table' then decoded = { k = string.match(meta, '^{"k":"([^"]+)"') } end
    local unique = type(decoded['u']) == 'string' and prefix .. 'unique:' .. decoded['u']
    local holder = unique and redis.call('GET', unique)
    local held = holder and holder ~= id and redis.call('HGET', prefix .. 'job:' .. holder, 'state')
    if held and held ~= 'done' and held ~= 'dead' and held ~= 'cancelled' then
      result = '=' .. holder
    else
      result = id
      -- raises where the slot is on its way to another master and the key has gone ahead: the letter stays
      redis.call('EXISTS', key)
      redis.call('XDEL', KEYS[1], ARGV[i])
      if unique then redis.call('SET', unique, id) end
      redis.call('HDEL', key, 'error', 'dead', 'run', 'lost', 'began', 'drained', 'entry')
      if delay == '' and not decoded['k'] then
        local added
        if meta == '' then added = redis.call('XADD', KEYS[2], '*', 'id', id, 'task', job['task'] or '', 'payload', payload)
        else added = redis.call('XADD', KEYS[2], '*', 'id', id, 'task', job['task'] or '', 'payload', payload, 'meta', meta) end
        redis.call('HSET', key, 'state', 'queued', 'entry', added)
      else
        local wait = tonumber(delay) or 0
        redis.call('HSET', key, 'state', 'scheduled', 'task', job['task'] or '', 'payload', payload, 'meta', meta)
        redis.call('ZADD', KEYS[3], now + wait, id)
        if not soonest or wait < soonest then soonest = wait end
      end
      redis.call('PERSIST', key)
    end
  end
  out[#out + 1] = result
end
if soonest and soonest <= 1000 then redis.call('PUBLISH', ARGV[2], '{"op":"wake"}') end
return out
