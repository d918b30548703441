-- Tells a group that members have ended; the last one makes its own job start, which gathers the results.
-- KEYS    1 flow hash, 2 jobs stream
-- ARGV    1 key prefix, 2 id of the group's own job, 3 ttl ms, 4 most bytes of all results,
--         5 error as JSON ('' = members are done), then index and result as JSON per member (at most 64; of one that failed: '')
-- returns 'gone' (told before, or ended otherwise) | 'waits' | 'complete' | 'failed', the meta of the group's job, and the error
-- atomic because members end at the same time, and what follows must start once. Telling twice changes nothing; a member
-- whose failure has failed the group is told so again, as it may have died before it could tell what follows.
local body = redis.call('HMGET', KEYS[1], 'left', 'meta', 'by', 'error')
if not body[1] then return { 'gone', '', '' } end
local key = ARGV[1] .. 'job:' .. ARGV[2]
local meta = body[2] or ''
if body[3] then
  for at = 6, #ARGV, 2 do
    if body[3] == ARGV[at] then return { 'failed', meta, body[4] } end
  end
  return { 'gone', '', '' }
end
if redis.call('HGET', key, 'state') ~= 'waiting' then return { 'gone', '', '' } end
local function fail(why)
  redis.call('UNLINK', KEYS[1])
  redis.call('HSET', KEYS[1], 'left', 0, 'meta', meta, 'by', ARGV[6], 'error', why)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  redis.call('HSET', key, 'state', 'dead', 'task', '@all', 'error', why)
  redis.call('PEXPIRE', key, ARGV[3])
  return { 'failed', meta, why }
end
if ARGV[5] ~= '' then return fail(ARGV[5]) end
local left, bytes = tonumber(body[1]), 0
for at = 6, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[1], 'r' .. ARGV[at], ARGV[at + 1]) == 1 then
    left = left - 1
    bytes = bytes + #ARGV[at + 1] + 1
  end
end
bytes = redis.call('HINCRBY', KEYS[1], 'bytes', bytes)
if bytes > tonumber(ARGV[4]) then
  return fail(cjson.encode({ _tag = 'ResultTooLarge',
    message = 'expected at most ' .. ARGV[4] .. ' bytes of results in a group, got ' .. string.format('%.0f', bytes) }))
end
redis.call('HSET', KEYS[1], 'left', left)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if left > 0 then
  redis.call('PEXPIRE', key, ARGV[3])
  return { 'waits', '', '' }
end
local payload = '{"gather":' .. redis.call('HGET', KEYS[1], 'total') .. '}'
local entry
if meta == '' then entry = redis.call('XADD', KEYS[2], '*', 'id', ARGV[2], 'task', '@all', 'payload', payload)
else entry = redis.call('XADD', KEYS[2], '*', 'id', ARGV[2], 'task', '@all', 'payload', payload, 'meta', meta) end
redis.call('HSET', key, 'state', 'queued', 'entry', entry)
redis.call('HDEL', key, 'meta', 'payload', 'fixed')
redis.call('PERSIST', key)
return { 'complete', '', '' }
