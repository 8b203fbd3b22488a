-- What is kept there: false for nothing, and '' for what no token can be: another type, or too long.
local function content_of(key)
    local there = redis.pcall('GET', key)
    if type(there) == 'table' or (there and #there > 65536) then
        return ''
    end
    return there
end

