-- KEYS: the set. ARGV: what sessions' names begin with. Those that are gone are taken out of it.
local there = {}
for _, key in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if redis.call('EXISTS', ARGV[1] .. key) == 1 then
        table.insert(there, key)
    else
        redis.call('ZREM', KEYS[1], key)
    end
end
return there
