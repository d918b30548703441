-- Takes over entries whose holder has not renewed its lease, and writes down who was lost under which job. Begins with entries.lua.
-- KEYS    1 jobs stream
-- ARGV    1 group, 2 consumer, 3 lease in ms, 4 cursor, 5 how many at most (fewer where they are large), 6 how many of those that
--         were given back, 7 key prefix, 8 when this was asked, by the server's time in epoch ms: a call that was long on its way
--         saw leases that nobody could renew meanwhile, and takes nothing
-- returns the next cursor, { entry, fields, delivery count, losses as 'worker@ms,…' } of each taken, ids of entries that no
--         longer exist (an alarm)
-- A job given back by a worker that drains is no loss (`drained` says which delivery that was). A job delivered again counts
-- a loss only where it had begun (`began`); of a first delivery nobody knows, so it counts.
-- atomic because the delivery count read must be the one this claim has made, and the holder the one it was taken from
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if now - tonumber(ARGV[8]) > ARGV[3] / 2 then return { ARGV[4], {}, {} } end
local page, lease, left, given = 256, tonumber(ARGV[3]), tonumber(ARGV[5]), tonumber(ARGV[6])
local cursor, bytes, full = ARGV[4], 0, false
local taken, gone = {}, {}
local rows = redis.call('XPENDING', KEYS[1], ARGV[1], cursor == '0-0' and '-' or '(' .. cursor, '+', page)
for _, row in ipairs(rows) do
  local id, owner, idle = row[1], row[2], row[3]
  -- who gives a claim back pretends that it has been silent for a day
  local back = idle >= 43200000
  full = left <= 0 or bytes > 262144
  if full then break end
  if idle >= lease and (not back or given > 0) then
    local entry = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], lease, id)[1]
    if entry then
      left = left - 1
      if back then given = given - 1 end
      local count, lost = row[4] + 1, ''
      local fields, size = entries.read(entry[2])
      bytes = bytes + size
      if count > 1 and fields['id'] and string.sub(fields['task'] or '@', 1, 1) ~= '@' then
        local key = ARGV[7] .. 'job:' .. fields['id']
        -- raises where the slot is on its way to another master and the key has gone ahead: the claim stands, no loss is counted
        local job = redis.pcall('HMGET', key, 'state', 'drained', 'began', 'lost')
        local mark = id .. ':' .. (count - 1)
        lost = job[4] or ''
        if job[1] == 'queued' and job[2] ~= mark and (count == 2 or job[3] == mark) and #lost < 2000 then
          lost = (lost == '' and '' or lost .. ',') .. owner .. '@' .. string.format('%.0f', now)
          redis.call('HSET', key, 'lost', lost)
        end
      end
      taken[#taken + 1] = { id, entry[2], count, lost }
    else gone[#gone + 1] = id end
  end
  cursor = id
end
if not full and #rows < page then cursor = '0-0' end
return { cursor, taken, gone }
