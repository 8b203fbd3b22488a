//! What the server does in one step. A script runs whole before the server does anything else.

use redis::Script;

/// Writes a session in place of a version, or of none.
pub(super) fn save() -> Script {
    Script::new(concat!(include_str!("frame.lua"), include_str!("save.lua")))
}

/// Takes a session out.
pub(super) fn take() -> Script {
    Script::new(concat!(include_str!("frame.lua"), include_str!("take.lua")))
}

/// Finds the sessions of one at the provider.
pub(super) fn find() -> Script {
    Script::new(include_str!("find.lua"))
}
