-- KEYS: the session. ARGV: what sets' names begin with, the session's key, the version that it
-- replaces ('' for none), the value, when it ends.
local sets, key, replaces, value, ends = unpack(ARGV)

local there, version, set = redis.call('GET', KEYS[1]), '', ''
if there then
    version, set = parts_of(there)
    if not version then
        return redis.error_reply('NOTASESSION something else is kept there')
    end
end
if version ~= replaces then
    return 0
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local is_over = tonumber(ends) <= now
local _, new_set = parts_of(value)

-- The session comes last: where something fails before, at most its set is out of date, and who
-- reads that looks whether the session is there.
if set ~= '' and (is_over or set ~= new_set) then
    redis.call('ZREM', sets .. set, key)
end
if is_over then
    redis.call('DEL', KEYS[1])
    return 1
end
if new_set ~= '' then
    local name = sets .. new_set
    redis.call('ZREMRANGEBYSCORE', name, '-inf', string.format('(%.0f', now))
    redis.call('ZADD', name, ends, key)
    local last = redis.call('ZREVRANGE', name, 0, 0, 'WITHSCORES')[2]
    redis.call('PEXPIREAT', name, string.format('%.0f', tonumber(last)))
end
redis.call('SET', KEYS[1], value, 'PXAT', ends)
return 1
