-- Remembers the latest slot of a schedule and its last three jobs.
-- KEYS    1 beat hash
-- ARGV    1 schedule, 2 slot in epoch ms, 3 job id ('' = the slot was left out)
-- returns 1, or 0 where a slot as late or later is known
-- atomic because two beats remember at the same time, and the later slot must stay
local text = redis.call('HGET', KEYS[1], ARGV[1])
local jobs = {}
if text then
  local known = cjson.decode(text)
  if known['slot'] >= tonumber(ARGV[2]) then return 0 end
  jobs = known['jobs']
end
if ARGV[3] ~= '' then table.insert(jobs, 1, ARGV[3]) end
jobs[4] = nil
local list = #jobs == 0 and '[]' or cjson.encode(jobs)
redis.call('HSET', KEYS[1], ARGV[1], '{"slot":' .. ARGV[2] .. ',"jobs":' .. list .. '}')
return 1
