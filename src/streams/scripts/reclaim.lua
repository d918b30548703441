-- Takes over entries whose holder has not renewed its lease, and writes down who was lost under which job.
-- KEYS    1 jobs stream
-- ARGV    1 group, 2 consumer, 3 lease in ms, 4 cursor, 5 how many at most (fewer where they are large), 6 key prefix, 7 when this was asked, by the server's
--         time in epoch ms: a call that was long on its way saw leases that nobody could renew meanwhile, and takes nothing
-- returns the next cursor, { entry, fields, delivery count, losses as 'worker@ms,…' } of each taken, ids of entries that no
--         longer exist (an alarm)
-- A job given back by a worker that drains is no loss (`drained` says which delivery that was). A job delivered again counts
-- a loss only where it had begun (`began`); of a first delivery nobody knows, so it counts.
-- atomic because the delivery count read must be the one this claim has made, and the holder the one it was taken from
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if now - tonumber(ARGV[7]) > ARGV[3] / 2 then return { ARGV[4], {}, {} } end
local owners = {}
local from = ARGV[4] == '0-0' and '-' or ARGV[4]
for _, row in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[3], from, '+', ARGV[5])) do
  owners[row[1]] = row[2]
end
local cursor, left, bytes = ARGV[4], tonumber(ARGV[5]), 0
local claimed, gone = {}, {}
-- a few at a time, since nobody knows how large they are before
repeat
  local part = math.min(left, #claimed == 0 and 1 or 8)
  local got = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], cursor, 'COUNT', part)
  cursor = got[1]
  for _, entry in ipairs(got[2]) do
    claimed[#claimed + 1] = entry
    for i = 2, #entry[2], 2 do bytes = bytes + #entry[2][i] end
  end
  for _, id in ipairs(got[3] or {}) do gone[#gone + 1] = id end
  left = left - part
until cursor == '0-0' or left <= 0 or bytes > 262144
local taken = {}
for _, entry in ipairs(claimed) do
  local row = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1, ARGV[2])[1]
  local count = row and row[4] or 0
  local lost = ''
  local fields = {}
  for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
  if count > 1 and fields['id'] and string.sub(fields['task'] or '@', 1, 1) ~= '@' then
    local key = ARGV[6] .. 'job:' .. fields['id']
    -- raises where the slot is on its way to another master and the key has gone ahead: the claim stands, no loss is counted
    local job = redis.pcall('HMGET', key, 'state', 'drained', 'began', 'lost')
    local mark = entry[1] .. ':' .. (count - 1)
    lost = job[4] or ''
    if job[1] == 'queued' and job[2] ~= mark and (count == 2 or job[3] == mark) and #lost < 2000 then
      lost = (lost == '' and '' or lost .. ',') .. (owners[entry[1]] or 'unknown') .. '@' .. string.format('%.0f', now)
      redis.call('HSET', key, 'lost', lost)
    end
  end
  taken[#taken + 1] = { entry[1], entry[2], count, lost }
end
return { cursor, taken, gone }
