-- Finishes up to a few dozen attempts of one queue, each only where its claim still holds. Begins with entries.lua.
-- KEYS    1 jobs stream, 2 delayed set, 3 dead stream, 4 revoked set, 5 cursor hash
-- ARGV    1 key prefix, 2 group, 3 consumer, 4 and 5 lowest and highest entry id (a hint), 6 control channel, then per attempt
--         'D' done:  kind, entry, delivery count, id, task, run, result, ttl ms
--         'K' ack:   kind, entry, delivery count
--         else:      kind, entry, delivery count, id, task, run, body, ms, meta, link, unique
--         kinds: d done, X dead, C cancelled (ms = ttl), R retry, S snooze (ms = delay), P set aside
--         while its task is paused. `run` is attempt:enqueued:started:finished.
--         ttl 0 = nothing is kept of what is done or cancelled but a mark, 15 s. A result that begins with '>' is kept beside its job.
--         `link` is what the job that tells the next of a chain or group is to say ('' = none).
-- returns the exceptions only: index, reason, …: 1 the claim was lost, 2 cancelled before (acknowledged, nothing written),
--         3 revoked while it ran: settle again as cancelled
-- atomic because fence, acknowledgement and consequence are one decision: a late worker must change nothing
local prefix, group, consumer = ARGV[1], ARGV[2], ARGV[3]
local strides = { D = 8, K = 3 }
local total, at = 0, 7
while at <= #ARGV do
  total = total + 1
  at = at + (strides[ARGV[at]] or 11)
end
local counts = {}
if ARGV[4] ~= '' then
  for _, row in ipairs(redis.call('XPENDING', KEYS[1], group, ARGV[4], ARGV[5], total * 2 + 16, consumer)) do
    counts[row[1]] = row[4]
  end
end
local revoked = redis.call('EXISTS', KEYS[4]) == 1
local recovered = redis.call('HGET', KEYS[5], 'recovered')
local function notAfter(a, b)
  local am, as = string.match(a, '(%d+)-(%d+)')
  local bm, bs = string.match(b, '(%d+)-(%d+)')
  if am ~= bm then return tonumber(am) < tonumber(bm) end
  return tonumber(as) <= tonumber(bs)
end
local now, soonest
local acks, out = {}, {}
local index = 0
at = 7
while at <= #ARGV do
  index = index + 1
  local kind, entry, id = ARGV[at], ARGV[at + 1], ARGV[at + 3]
  local held = counts[entry]
  if not held then
    local row = redis.call('XPENDING', KEYS[1], group, entry, entry, 1, consumer)[1]
    held = row and row[4]
  end
  local reason, again
  if held ~= tonumber(ARGV[at + 2]) then
    -- A worker whose connection broke before the answer came sends the same call again: what stands there is its own.
    again = not held and kind ~= 'K' and redis.call('HGET', prefix .. 'job:' .. id, 'run') == ARGV[at + 5]
    reason = not again and 1 or nil
  elseif kind ~= 'K' then
    local key = prefix .. 'job:' .. id
    if revoked and redis.call('ZSCORE', KEYS[4], id) then
      if redis.call('HGET', key, 'state') == 'cancelled' then reason = 2
      elseif kind == 'R' or kind == 'S' or kind == 'P' then reason = 3 end
    end
    if not reason and recovered and notAfter(entry, recovered) then
      -- delivered again after the group was lost: what is finished or moved on must not be finished twice
      if redis.call('HGET', key, 'entry') ~= entry or redis.call('HGET', key, 'state') ~= 'queued' then reason = 2 end
    end
  end
  if reason then
    out[#out + 1] = index
    out[#out + 1] = reason
  end
  -- what is done again is acknowledged; by now the entry may be another's
  if (not reason and not again) or reason == 2 then acks[#acks + 1] = entry end
  if not reason and not again and kind ~= 'K' then
    local key = prefix .. 'job:' .. id
    local task, run, body, ms = ARGV[at + 4], ARGV[at + 5], ARGV[at + 6], ARGV[at + 7]
    if ms == '0' and kind ~= 'R' and kind ~= 'S' then
      redis.call('DEL', key)
      -- without a state nobody finds it; whoever repeats its enqueue or this end, for want of an answer, is told by it
      redis.call('HSET', key, 'run', run)
      redis.call('PEXPIRE', key, 15000)
    elseif kind == 'D' or kind == 'd' then
      if string.byte(body) == 62 then
        redis.call('SET', prefix .. 'result:' .. id, string.sub(body, 2), 'PX', ms)
        body = '>'
      end
      redis.call('HSET', key, 'state', 'done', 'task', task, 'run', run, 'result', body)
      redis.call('PEXPIRE', key, ms)
    elseif kind == 'C' then
      redis.call('HSET', key, 'state', 'cancelled', 'task', task, 'run', run, 'error', body)
      redis.call('PEXPIRE', key, ms)
    else
      local found = redis.call('XRANGE', KEYS[1], entry, entry)[1]
      local fields = entries.read(found and found[2] or {})
      local payload = fields['payload'] or 'null'
      if kind == 'X' then
        -- raises where the slot is on its way to another master and the key has gone ahead: no letter twice
        redis.call('EXISTS', key)
        local dead = redis.call('XADD', KEYS[3], 'MAXLEN', '~', '100000', '*', 'id', id, 'task', task, 'payload', payload,
          'meta', fields['meta'] or '', 'error', body)
        redis.call('HSET', key, 'state', 'dead', 'task', task, 'run', run, 'error', body, 'dead', dead)
        redis.call('PEXPIRE', key, ms)
      else
        if not now then
          local t = redis.call('TIME')
          now = t[1] * 1000 + math.floor(t[2] / 1000)
        end
        redis.call('HSET', key, 'state', kind == 'R' and 'retrying' or 'scheduled', 'task', task, 'payload', payload,
          'meta', ARGV[at + 8], 'run', run)
        if kind == 'R' then redis.call('HSET', key, 'error', body) end
        -- the permit that it waits for has become free meanwhile (hasten.lua); whoever was put back has neither begun nor ended
        if kind == 'S' and string.sub(run, -2) == '::' and redis.call('HDEL', key, 'woken') == 1 then ms = '1' end
        redis.call('HDEL', key, 'entry')
        if kind == 'P' and redis.call('HEXISTS', prefix .. 'meta', 'paused:' .. task) == 1 then
          local new = redis.call('ZADD', prefix .. 'parked:' .. task, now, id)
          if new == 1 then redis.call('HINCRBY', prefix .. 'meta', 'parked', 1) end
          ms = '2000'
        else redis.call('ZADD', KEYS[2], now + tonumber(ms), id) end
        if not soonest or tonumber(ms) < soonest then soonest = tonumber(ms) end
      end
    end
    if kind ~= 'D' then
      if ARGV[at + 9] ~= '' then redis.call('XADD', KEYS[1], '*', 'id', id, 'task', '@link', 'payload', ARGV[at + 9]) end
      if ARGV[at + 10] ~= '' then
        local unique = prefix .. 'unique:' .. ARGV[at + 10]
        if redis.call('GET', unique) == id then redis.call('DEL', unique) end
      end
    end
  end
  at = at + (strides[kind] or 11)
end
if #acks > 0 then redis.call('XACK', KEYS[1], group, unpack(acks)) end
if soonest and soonest <= 1000 then redis.call('PUBLISH', ARGV[6], '{"op":"wake"}') end
return out
