-- KEYS: the session. ARGV: what sets' names begin with, the session's key.
local there = redis.call('GET', KEYS[1])
if not there then
    return false
end
local version, set = parts_of(there)
if not version then
    return redis.error_reply('NOTASESSION something else is kept there')
end
redis.call('DEL', KEYS[1])
if set ~= '' then
    redis.call('ZREM', ARGV[1] .. set, ARGV[2])
end
return there
