//! What the server does in one step. A script runs whole before the server does anything else.

use std::sync::LazyLock;

use redis::Script;

macro_rules! script {
    ($($file:literal),*) => {
        LazyLock::new(|| Script::new(concat!($(include_str!($file)),*)))
    };
}

pub(super) static LOAD: LazyLock<Script> = script!("there.lua", "load.lua");
pub(super) static SAVE: LazyLock<Script> = script!("there.lua", "save.lua");
pub(super) static REMOVE: LazyLock<Script> = script!("there.lua", "remove.lua");
pub(super) static LEASE: LazyLock<Script> = script!("lease.lua");
pub(super) static RELEASE: LazyLock<Script> = script!("release.lua");
