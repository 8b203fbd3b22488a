//! The server from outside, over real sockets.

#![expect(clippy::unwrap_used, reason = "a test stops where it can't go on")]

mod admin;
mod cached;
mod certificates;
mod curl;
mod follow;
mod key_sets;
mod layer;
mod limits;
mod load;
mod proxy;
mod raw;
mod rows;
mod running;
mod stopping;
mod tls;
mod wire;
