-- KEYS: the token. ARGV: the new one, how many milliseconds it has left, whether it replaces one
-- ('1' or '0'), and which.
local there = content_of(KEYS[1])
if ARGV[3] == '0' then
    if there then
        return 0
    end
elseif there ~= ARGV[4] then
    return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
