-- A session's version, and the name of its provider's session ('' for none), as `frame.rs` writes
-- them; nil for anything but a whole one.
local function parts_of(value)
    if #value < 25 or string.sub(value, 1, 4) ~= 'NAS1' then
        return nil
    end
    local a, b, c, d, name = string.byte(value, 21, 25)
    local content = ((a * 256 + b) * 256 + c) * 256 + d
    if #value ~= 25 + name + content then
        return nil
    end
    return string.sub(value, 5, 12), string.sub(value, 26, 25 + name)
end

