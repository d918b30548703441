-- Gives a dead job another payload. The entry is written anew, since entries of a stream can't be changed.
-- KEYS    1 dead stream
-- ARGV    1 key prefix, 2 entry id, 3 payload
-- returns the id of the new entry, or '' where the old one is gone
-- atomic because it may be replayed or discarded at the same time
local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
if not entry then return '' end
local fields = {}
local id, died = nil, nil
for i = 1, #entry[2], 2 do
  local name, value = entry[2][i], entry[2][i + 1]
  if name == 'id' then id = value end
  if name == 'died' then died = value end
  if name == 'payload' then value = ARGV[3] end
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
if not died then
  fields[#fields + 1] = 'died'
  fields[#fields + 1] = string.match(ARGV[2], '%d+')
end
local key = ARGV[1] .. 'job:' .. id
local marked = redis.call('HGET', key, 'dead') == ARGV[2]
redis.call('XDEL', KEYS[1], ARGV[2])
local new = redis.call('XADD', KEYS[1], '*', unpack(fields))
if marked then redis.call('HSET', key, 'dead', new) end
return new
