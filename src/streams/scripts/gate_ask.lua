-- Asks a gate for up to 64 jobs: each may start now, at a moment close by, or has to wait.
-- KEYS    1 gate hash (tat: when the next may start, vt: where the queue of slots ends,
--         o:<id>: fence of a permit), 2 permits (id -> lease end), 3 waiters (id -> when it was first refused), 4 moments that
--         cancelled jobs were given
-- ARGV    1 ms between starts ('' = no rate), 2 ms that a start may be early against the even pace, 3 permits ('' = no limit),
--         4 lease ms, 5 ms that a caller may hold a job for its moment, 6 ms until a waiter asks again by itself,
--         7 the limits as text, then per job: id, fence, slot it was given before ('' = none)
-- returns { per job: 'go', ms until it may start | 'slot', epoch ms to come again | 'wait', ms }, { ids to wake }, epoch ms
-- Rates: evenly paced (GCRA), times are the server's. Who is refused gets a slot of its own behind all others, so that a
-- backlog asks twice per job, not all the time; fresh ones queue behind those slots, or take that of one that was cancelled.
-- Permits: refused ones wait in line; a permit that is free is handed to the first of it.
-- atomic because two workers ask at the same time, and a permit or a slot must go to one of them
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local function text(ms) return string.format('%.3f', ms) end
local pace, early = tonumber(ARGV[1]), tonumber(ARGV[2])
local permits, lease = tonumber(ARGV[3]), tonumber(ARGV[4])
local hold, patience = tonumber(ARGV[5]), tonumber(ARGV[6])
local state = redis.call('HMGET', KEYS[1], 'tat', 'vt', 'limits')
local tat, vt = tonumber(state[1] or 0), tonumber(state[2] or 0)
if state[3] and state[3] ~= ARGV[7] then
  -- other limits: slots given before mean nothing any more, and no wait is longer than the new pace
  vt = 0
  redis.call('DEL', KEYS[4])
  if not pace or tat > now + pace then tat = now + (pace or 0) end
end
local taken = 0
if permits then
  local over = redis.call('ZRANGE', KEYS[2], '-inf', now, 'BYSCORE', 'LIMIT', 0, 64)
  for _, id in ipairs(over) do
    redis.call('ZREM', KEYS[2], id)
    redis.call('HDEL', KEYS[1], 'o:' .. id)
  end
  taken = redis.call('ZCARD', KEYS[2])
end
-- The first moment that was given back and is still to come.
local function again()
  local at = redis.call('ZRANGE', KEYS[4], now + hold, '+inf', 'BYSCORE', 'LIMIT', 0, 1)[1]
  if at then redis.call('ZREM', KEYS[4], at) end
  return tonumber(at)
end
if pace then redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now) end
local answers = {}
for i = 8, #ARGV, 3 do
  local id, fence, slot = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local mine, allowed = false, true
  if permits then
    mine = redis.call('ZSCORE', KEYS[2], id)
    if not mine then
      local rank = redis.call('ZRANK', KEYS[3], id)
      allowed = taken < permits and (rank or redis.call('ZCARD', KEYS[3])) < permits - taken
      if not allowed and not rank then redis.call('ZADD', KEYS[3], now, id) end
    end
  end
  if not allowed then
    answers[#answers + 1] = 'wait'
    answers[#answers + 1] = text(patience * (1 + math.random()))
  else
    local at = now
    local come
    if pace then
      local soonest = math.max(now, tat - early)
      local kept = slot and slot - hold * 2 <= now
      -- who comes to its slot is held longer: about one place of a slow rate, so that small lateness costs no second question
      local most = kept and math.max(hold, math.min(250, pace * 1.5)) or hold
      if soonest - now <= most and (kept or vt <= now + hold) then
        at = soonest
        tat = math.max(at, tat) + pace
      else
        -- also who is too late: taking the slots of others would make each of them late in turn, for as long as the line
        -- is. The slack lets lateness fade.
        come = again()
        if not come then
          come = math.max(vt, tat)
          vt = come + pace * 1.01
        end
      end
    end
    if come then
      if mine then
        redis.call('ZREM', KEYS[2], id)
        redis.call('HDEL', KEYS[1], 'o:' .. id)
        taken = taken - 1
      end
      if permits then redis.call('ZREM', KEYS[3], id) end
      answers[#answers + 1] = 'slot'
      answers[#answers + 1] = text(come)
    else
      if permits then
        if not mine then taken = taken + 1 end
        redis.call('ZADD', KEYS[2], now + lease + (at - now), id)
        redis.call('HSET', KEYS[1], 'o:' .. id, fence)
        redis.call('ZREM', KEYS[3], id)
      end
      answers[#answers + 1] = 'go'
      answers[#answers + 1] = text(at - now)
    end
  end
end
local wake = {}
if permits and taken < permits then
  -- a permit handed over is kept for its new owner for a while
  local first = redis.call('ZRANGE', KEYS[3], 0, math.min(64, permits - taken) - 1)
  for _, id in ipairs(first) do
    redis.call('ZADD', KEYS[2], now + 30000, id)
    redis.call('ZREM', KEYS[3], id)
    wake[#wake + 1] = id
  end
end
redis.call('HSET', KEYS[1], 'tat', text(tat), 'vt', text(vt), 'limits', ARGV[7])
local keep = math.ceil(math.max(0, vt - now, tat - now) + patience * 3 + 3600000)
for i = 1, 4 do redis.call('PEXPIRE', KEYS[i], keep) end
return { answers, wake, text(now) }
