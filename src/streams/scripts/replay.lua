-- Puts one dead job back into its queue, its failures forgotten.
-- KEYS    1 dead stream, 2 jobs stream
-- ARGV    1 key prefix, 2 entry id in the dead stream, 3 meta of the new entry ('' = none)
-- returns the job's id, or '' where the entry is gone
-- atomic because two who replay at the same time must not make two jobs of one
local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
if not entry then return '' end
local job = {}
for i = 1, #entry[2], 2 do job[entry[2][i]] = entry[2][i + 1] end
redis.call('XDEL', KEYS[1], ARGV[2])
local added
if ARGV[3] == '' then added = redis.call('XADD', KEYS[2], '*', 'id', job['id'], 'task', job['task'], 'payload', job['payload'])
else added = redis.call('XADD', KEYS[2], '*', 'id', job['id'], 'task', job['task'], 'payload', job['payload'], 'meta', ARGV[3]) end
local key = ARGV[1] .. 'job:' .. job['id']
redis.call('HSET', key, 'state', 'queued', 'entry', added)
redis.call('HDEL', key, 'error', 'dead', 'run')
redis.call('PERSIST', key)
return job['id']
