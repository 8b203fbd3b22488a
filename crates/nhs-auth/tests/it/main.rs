//! The library from outside, beside other people's programs.

#![expect(clippy::unwrap_used, reason = "a test stops where it can't go on")]

mod box_browser;
mod box_control;
mod cache;
mod fleet;
mod interop;
mod key_ring;
mod keys;
mod log;
mod oidc_provider;
mod openssl;
mod platform;
mod secrets;
mod sessions;
mod sign_in;
mod stand_ins;
mod ten_mistakes;
mod token_file;
mod user_tokens;
mod vectors;
