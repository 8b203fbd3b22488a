-- KEYS: the lease. ARGV: who wants it, for how many milliseconds, how long one lasts at most.
-- Answers who has it.
local holder, left = redis.pcall('GET', KEYS[1]), redis.call('PTTL', KEYS[1])
local is_a_lease = type(holder) == 'string' and #holder == #ARGV[1]
    and left >= 0 and left <= tonumber(ARGV[3])
if is_a_lease and holder ~= ARGV[1] then
    return holder
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
