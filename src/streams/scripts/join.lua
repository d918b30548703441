-- Tells a group that one of its members has ended; the last one starts what follows.
-- KEYS    1 flow hash, 2 jobs stream
-- ARGV    1 key prefix, 2 id of the group's own job, 3 index of the member, 4 result as JSON ('' = the member failed),
--         5 error as JSON, 6 ttl ms
-- returns 'gone' (told before) | 'waits' | 'complete' | 'failed', and the meta of the group's job
-- atomic because members end at the same time, and what follows must start once. Telling twice changes nothing.
local body = redis.call('HMGET', KEYS[1], 'total', 'meta')
if not body[1] then return { 'gone', '' } end
local key = ARGV[1] .. 'job:' .. ARGV[2]
local meta = body[2] or ''
local alive = redis.call('HGET', key, 'state') == 'waiting'
if ARGV[4] == '' or not alive then
  redis.call('DEL', KEYS[1])
  if alive then
    redis.call('HSET', key, 'state', 'dead', 'task', '@all', 'error', ARGV[5])
    redis.call('PEXPIRE', key, ARGV[6])
  end
  return { 'failed', meta }
end
redis.call('HSETNX', KEYS[1], 'r' .. ARGV[3], ARGV[4])
local total = tonumber(body[1])
if redis.call('HLEN', KEYS[1]) < total + 2 then return { 'waits', '' } end
local results = {}
for i = 1, total do results[i] = redis.call('HGET', KEYS[1], 'r' .. (i - 1)) end
local payload = '{"results":[' .. table.concat(results, ',') .. ']}'
local entry
if meta == '' then entry = redis.call('XADD', KEYS[2], '*', 'id', ARGV[2], 'task', '@all', 'payload', payload)
else entry = redis.call('XADD', KEYS[2], '*', 'id', ARGV[2], 'task', '@all', 'payload', payload, 'meta', meta) end
redis.call('HSET', key, 'state', 'queued', 'entry', entry)
redis.call('PERSIST', key)
redis.call('DEL', KEYS[1])
return { 'complete', '' }
