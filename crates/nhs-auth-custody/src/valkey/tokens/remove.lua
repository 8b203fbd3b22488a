-- KEYS: the token. ARGV: which.
if content_of(KEYS[1]) == ARGV[1] then
    return redis.call('DEL', KEYS[1])
end
return 0
