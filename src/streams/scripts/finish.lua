-- Finishes up to a few dozen attempts that are plainly done: one task, one time to live, nothing to tell, no unique key. The
-- short way of settle.lua, in two thirds of its time, since most attempts end so.
-- KEYS    1 jobs stream, 2 revoked set, 3 cursor hash; 4 events stream, where the ends are to be told in the same breath
-- ARGV    1 key prefix, 2 group, 3 consumer, 4 task, 5 ttl ms, 6 delivery count, then entry, id, run, result per attempt, by
--         entry (settle.lua says what they are); with KEYS[4] also the rows of the event and how many entries are kept. They are
--         told only where no attempt is an exception
-- returns the exceptions only: index, reason, …, as settle.lua; or 0 where nothing was done and settle.lua has to look closer
-- atomic because fence, acknowledgement and result are one decision: a late worker must change nothing
local call = redis.call
if call('HEXISTS', KEYS[3], 'recovered') == 1 then return 0 end
local key, group, consumer, task, ttl, count = ARGV[1] .. 'job:', ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
-- on a Cluster the fourth is the one that never exists
local told = KEYS[4] and string.sub(KEYS[4], -5) ~= ':none' and 2 or 0
local n = (#ARGV - 6 - told) / 4
local counts = {}
for _, row in ipairs(call('XPENDING', KEYS[1], group, ARGV[7], ARGV[#ARGV - told - 3], n * 4 + 16, consumer)) do counts[row[1]] = row[4] end
local revoked = call('EXISTS', KEYS[2]) == 1
local acks, out = {}, {}
for i = 1, n do
  local at = 3 + i * 4
  local entry, id, run = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local held = counts[entry]
  if not held then
    local row = call('XPENDING', KEYS[1], group, entry, entry, 1, consumer)[1]
    held = row and row[4]
  end
  local reason, again
  if held ~= count then
    -- A worker whose connection broke before the answer came sends the same call again: what stands there is its own.
    again = not held and call('HGET', key .. id, 'run') == run
    reason = not again and 1 or nil
  else
    acks[#acks + 1] = entry
    if revoked and call('ZSCORE', KEYS[2], id) and call('HGET', key .. id, 'state') == 'cancelled' then reason = 2 end
  end
  if reason then
    out[#out + 1] = i
    out[#out + 1] = reason
  elseif not again then
    call('HSET', key .. id, 'state', 'done', 'task', task, 'run', run, 'result', ARGV[at + 3])
    call('PEXPIRE', key .. id, ttl)
  end
end
if #acks > 0 then call('XACK', KEYS[1], group, unpack(acks)) end
if told > 0 and #acks == n and #out == 0 then
  call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[#ARGV], '*', 'rows', ARGV[#ARGV - 1])
end
return out
