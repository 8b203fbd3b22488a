-- KEYS: the token. Answers it, and how many milliseconds it has left: -1 where it has no end.
local there = content_of(KEYS[1])
if not there then
    return false
end
return { there, redis.call('PTTL', KEYS[1]) }
