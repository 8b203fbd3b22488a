//! The platform in a box, asked over HTTP.
//!
//! Assertions are signed here with the crypto library itself, so that no client's mistake can
//! hide one of the platform's.

#![expect(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod agreement;
mod assertion;
mod configuration;
mod control;
mod faults;
mod gateway;
mod http;
mod inspector;
mod key;
mod key_sets;
mod limits;
mod logs;
mod rows;
mod state_file;
mod token;
mod world;
